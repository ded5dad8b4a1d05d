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
}

internal sealed class JwksOptionsValidator : IValidateOptions<JwksOptions>
{
    public ValidateOptionsResult Validate(string? name, JwksOptions options)
    {
        var faults = Faults(options).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static IEnumerable<string> Faults(JwksOptions options)
    {
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
    }
}
