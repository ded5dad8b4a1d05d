using System.Net;
using Microsoft.Extensions.Options;

namespace Dcr.Protocol;

/// <summary>The settings under <c>Dcr</c> that concern the protocol as a whole.</summary>
public sealed class DcrOptions
{
    public const string Section = "Dcr";

    /// <summary>The issuer identifier (RFC 8414 section 2): an https URL without query or fragment; http on loopback only.</summary>
    public string Issuer { get; set; } = "http://localhost:5080";

    /// <summary>Which audiences of client assertions are accepted from clients without an exception.</summary>
    public AssertionAudienceRule AssertionAudience { get; set; } = AssertionAudienceRule.Strict;

    /// <summary>How long access tokens for APIs and for the admin API last. 1 minute to 1 hour; default 10 minutes.</summary>
    public TimeSpan AccessTokenLifetime { get; set; } = TimeSpan.FromMinutes(10);

    public SecurityProfile SecurityProfile { get; set; } = SecurityProfile.Standard;

    /// <summary>A JSON file of clients, applied at each start. Null: none.</summary>
    public string? SeedFile { get; set; }

    /// <summary>Where the first administrator's private key is written. Null: <c>admin.jwk</c> in the folder of the database.</summary>
    public string? AdminKeyFile { get; set; }
}

public enum SecurityProfile
{
    Standard,

    /// <summary>What the FAPI 2.0 Security Profile demands of a server with this grant: see <see cref="SecurityProfileRules"/>.</summary>
    Fapi2,
}

/// <summary>Which audiences of client assertions are accepted from clients without an exception.</summary>
public enum AssertionAudienceRule
{
    /// <summary>The issuer alone (RFC 10070).</summary>
    Strict,

    /// <summary>Also URLs of this server, from everybody: for the time of a migration.</summary>
    Dual,
}

internal sealed class DcrOptionsValidator : IValidateOptions<DcrOptions>
{
    public ValidateOptionsResult Validate(string? name, DcrOptions options)
    {
        var faults = Faults(options).Concat(ProfileFaults(options)).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static IEnumerable<string> Faults(DcrOptions options)
    {
        if (IssuerFault(options.Issuer) is { } fault)
        {
            yield return $"Dcr:Issuer is '{options.Issuer}': {fault}";
        }
        if (options.AccessTokenLifetime < TimeSpan.FromMinutes(1) || options.AccessTokenLifetime > TimeSpan.FromHours(1))
        {
            yield return $"Dcr:AccessTokenLifetime is {options.AccessTokenLifetime}: it must be from 00:01:00 to 01:00:00.";
        }
        if (!Enum.IsDefined(options.SecurityProfile))
        {
            yield return $"Dcr:SecurityProfile is {options.SecurityProfile}: it must be Standard or Fapi2.";
        }
        if (!Enum.IsDefined(options.AssertionAudience))
        {
            yield return $"Dcr:AssertionAudience is {options.AssertionAudience}: it must be Strict or Dual.";
        }
        if (options.SeedFile is { } file && !File.Exists(file))
        {
            yield return $"Dcr:SeedFile is '{file}': there is no such file (looked for {Path.GetFullPath(file)}).";
        }
    }

    private static IEnumerable<string> ProfileFaults(DcrOptions options)
    {
        if (options.SecurityProfile != SecurityProfile.Fapi2)
        {
            yield break;
        }
        // FAPI 2.0 Security Profile section 5.3.2.1 item 8.
        if (options.AssertionAudience == AssertionAudienceRule.Dual)
        {
            yield return "Dcr:AssertionAudience is Dual: with Dcr:SecurityProfile=Fapi2 it must be Strict.";
        }
    }

    private static string? IssuerFault(string issuer)
    {
        if (UriText.Fault(issuer) is not null
            || !Uri.TryCreate(issuer, UriKind.Absolute, out var uri)
            || uri.Scheme is not ("https" or "http"))
        {
            return "it must be an absolute https URL.";
        }
        if (uri.Scheme == "http" && !IsLoopback(uri))
        {
            return "it must be https; http is for loopback addresses only.";
        }
        if (uri.UserInfo.Length > 0 || issuer.Contains('?', StringComparison.Ordinal) || issuer.Contains('#', StringComparison.Ordinal))
        {
            return "it must have no user information, query or fragment.";
        }
        return issuer.EndsWith('/') ? "it must not end in a slash." : null;
    }

    private static bool IsLoopback(Uri uri) =>
        uri.Host == "localhost" || (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
