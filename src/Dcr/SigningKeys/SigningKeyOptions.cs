using Dcr.Protocol;
using Microsoft.Extensions.Options;

namespace Dcr.SigningKeys;

/// <summary>The settings under <c>Dcr:SigningKeys</c>: the keys this server signs its tokens with.</summary>
public sealed class SigningKeyOptions
{
    public const string Section = "Dcr:SigningKeys";

    public static readonly IReadOnlyList<string> Algorithms = ["ES256", "PS256", "RS256"];

    /// <summary>ES256 (default), PS256 or RS256. A change makes a new key, announced as an administrator's rotation is.</summary>
    public string Algorithm { get; set; } = "ES256";

    /// <summary>How long a key signs. 1 hour to 2 years; default 90 days.</summary>
    public TimeSpan RotateEvery { get; set; } = TimeSpan.FromDays(90);

    /// <summary>How long a key is published before it signs. 10 minutes to half of RotateEvery; default 14 days.</summary>
    public TimeSpan AnnounceBefore { get; set; } = TimeSpan.FromDays(14);
}

internal sealed class SigningKeyOptionsValidator(ConfiguredProfile profile) : IValidateOptions<SigningKeyOptions>
{
    public ValidateOptionsResult Validate(string? name, SigningKeyOptions options)
    {
        var faults = Faults(options).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private IEnumerable<string> Faults(SigningKeyOptions options)
    {
        if (!SigningKeyOptions.Algorithms.Contains(options.Algorithm))
        {
            yield return $"Dcr:SigningKeys:Algorithm is {options.Algorithm}: it must be one of "
                + $"{string.Join(' ', SigningKeyOptions.Algorithms)}.";
        }
        // FAPI 2.0 Security Profile section 5.4.1.
        if (options.Algorithm == "RS256" && profile.IsFapi2)
        {
            yield return "Dcr:SigningKeys:Algorithm is RS256: with Dcr:SecurityProfile=Fapi2 it must be ES256 or PS256.";
        }
        if (options.RotateEvery < TimeSpan.FromHours(1) || options.RotateEvery > TimeSpan.FromDays(730))
        {
            yield return $"Dcr:SigningKeys:RotateEvery is {options.RotateEvery}: it must be from 01:00:00 to 730.00:00:00.";
        }
        if (options.AnnounceBefore < SigningKeyRing.LeastAnnouncement || options.AnnounceBefore > options.RotateEvery / 2)
        {
            yield return $"Dcr:SigningKeys:AnnounceBefore is {options.AnnounceBefore}: it must be from {SigningKeyRing.LeastAnnouncement} "
                + $"to half of RotateEvery ({options.RotateEvery / 2}).";
        }
    }
}
