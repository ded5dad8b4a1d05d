using Dcr.Protocol;
using Microsoft.Extensions.Options;

namespace Dcr.Keys;

/// <summary>The settings under <c>Dcr:Jwks</c>: how JWK Sets of clients are downloaded.</summary>
public sealed class JwksOptions
{
    public const string Section = "Dcr:Jwks";

    /// <summary>Lets a <c>jwks_uri</c> lead to loopback and private addresses. For development and tests only.</summary>
    public bool AllowPrivateNetworks { get; set; }

    /// <summary>Lets a <c>jwks_uri</c> be http. For development and tests only.</summary>
    public bool AllowHttp { get; set; }

    /// <summary>For the whole of a download: look-up, connection, TLS, headers, body. 100 ms to 30 s; default 3 s.</summary>
    public TimeSpan FetchTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Bytes of a document after decompression. 1 KiB to 1 MiB; default 64 KiB.</summary>
    public int MaxBytes { get; set; } = 65536;

    /// <summary>Keys in a document, usable or not. 1 to 1000; default 100.</summary>
    public int MaxKeys { get; set; } = 100;

    /// <summary>A document is fresh for at least this long, whatever its host says. 1 s to 1 h; default 1 minute.</summary>
    public TimeSpan MinFreshness { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>And for no longer than this. 1 s to 24 h; default 10 minutes.</summary>
    public TimeSpan MaxFreshness { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>When the host does not say. Between the two above; default 5 minutes.</summary>
    public TimeSpan DefaultFreshness { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How often a <c>kid</c> that is not in a fresh document may cause a download. 1 s to 1 h; default 30 s.</summary>
    public TimeSpan UnknownKidCooldown { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How old a document may be while its host cannot be reached. At least MaxFreshness, at most 7 days; default 1 h.</summary>
    public TimeSpan MaxStaleness { get; set; } = TimeSpan.FromHours(1);
}

internal sealed class JwksOptionsValidator(ConfiguredProfile profile) : IValidateOptions<JwksOptions>
{
    public ValidateOptionsResult Validate(string? name, JwksOptions options)
    {
        var faults = Faults(options).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private IEnumerable<string> Faults(JwksOptions options)
    {
        // FAPI 2.0 Security Profile section 5.4.2.
        if (options.AllowHttp && profile.IsFapi2)
        {
            yield return "Dcr:Jwks:AllowHttp is true: with Dcr:SecurityProfile=Fapi2 it must be false.";
        }
        if (options.FetchTimeout < TimeSpan.FromMilliseconds(100) || options.FetchTimeout > TimeSpan.FromSeconds(30))
        {
            yield return $"Dcr:Jwks:FetchTimeout is {options.FetchTimeout}: it must be from 00:00:00.1 to 00:00:30.";
        }
        if (options.MaxBytes is < 1024 or > 1024 * 1024)
        {
            yield return $"Dcr:Jwks:MaxBytes is {options.MaxBytes}: it must be from 1024 to 1048576.";
        }
        if (options.MaxKeys is < 1 or > 1000)
        {
            yield return $"Dcr:Jwks:MaxKeys is {options.MaxKeys}: it must be from 1 to 1000.";
        }
        if (options.MinFreshness < TimeSpan.FromSeconds(1) || options.MinFreshness > TimeSpan.FromHours(1))
        {
            yield return $"Dcr:Jwks:MinFreshness is {options.MinFreshness}: it must be from 00:00:01 to 01:00:00.";
        }
        if (options.MaxFreshness < options.MinFreshness || options.MaxFreshness > TimeSpan.FromDays(1))
        {
            yield return $"Dcr:Jwks:MaxFreshness is {options.MaxFreshness}: it must be from MinFreshness ({options.MinFreshness}) to "
                + "1.00:00:00.";
        }
        if (options.DefaultFreshness < options.MinFreshness || options.DefaultFreshness > options.MaxFreshness)
        {
            yield return $"Dcr:Jwks:DefaultFreshness is {options.DefaultFreshness}: it must be from MinFreshness ({options.MinFreshness}) "
                + $"to MaxFreshness ({options.MaxFreshness}).";
        }
        if (options.UnknownKidCooldown < TimeSpan.FromSeconds(1) || options.UnknownKidCooldown > TimeSpan.FromHours(1))
        {
            yield return $"Dcr:Jwks:UnknownKidCooldown is {options.UnknownKidCooldown}: it must be from 00:00:01 to 01:00:00.";
        }
        if (options.MaxStaleness < options.MaxFreshness || options.MaxStaleness > TimeSpan.FromDays(7))
        {
            yield return $"Dcr:Jwks:MaxStaleness is {options.MaxStaleness}: it must be from MaxFreshness ({options.MaxFreshness}) to "
                + "7.00:00:00.";
        }
    }
}
