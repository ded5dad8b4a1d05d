using Microsoft.Extensions.Options;

namespace Dcr.TokenStatus;

/// <summary>The settings under <c>Dcr:TokenStatus</c>.</summary>
public sealed class TokenStatusOptions
{
    public const string Section = "Dcr:TokenStatus";

    /// <summary>How long an API, or a cache on the way, may keep a status list. 1 second to 1 hour; default 1 minute.</summary>
    public TimeSpan Ttl { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// When a list that cannot be renewed must not be relied on any more: the longest that a revoked token can live on while this server is
    /// away.
    /// </summary>
    internal TimeSpan Expiry => Ttl + TimeSpan.FromHours(1);
}

internal sealed class TokenStatusOptionsValidator : IValidateOptions<TokenStatusOptions>
{
    public ValidateOptionsResult Validate(string? name, TokenStatusOptions options) =>
        options.Ttl >= TimeSpan.FromSeconds(1) && options.Ttl <= TimeSpan.FromHours(1)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"Dcr:TokenStatus:Ttl is {options.Ttl}: it must be from 00:00:01 to 01:00:00.");
}
