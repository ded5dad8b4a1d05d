using Microsoft.Extensions.Options;

namespace Dcr.Proofs;

/// <summary>The settings under <c>Dcr:Dpop</c>.</summary>
public sealed class DpopOptions
{
    public const string Section = "Dcr:Dpop";

    /// <summary>
    /// True: a proof must hold a nonce of this server (RFC 9449 section 8), so that none can be made beforehand. Default false.
    /// </summary>
    public bool RequireNonce { get; set; }

    /// <summary>How long a nonce is good for. 10 seconds to 1 hour; default 5 minutes.</summary>
    public TimeSpan NonceLifetime { get; set; } = TimeSpan.FromMinutes(5);
}

internal sealed class DpopOptionsValidator : IValidateOptions<DpopOptions>
{
    public ValidateOptionsResult Validate(string? name, DpopOptions options) =>
        options.NonceLifetime >= TimeSpan.FromSeconds(10) && options.NonceLifetime <= TimeSpan.FromHours(1)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"Dcr:Dpop:NonceLifetime is {options.NonceLifetime}: it must be from 00:00:10 to 01:00:00.");
}
