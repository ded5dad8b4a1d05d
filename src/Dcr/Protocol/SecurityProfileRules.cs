using Dcr.Jose;
using Microsoft.Extensions.Options;

namespace Dcr.Protocol;

/// <summary>
/// What <see cref="SecurityProfile"/> decides: the rules that are the same for every client are wider in the standard profile, and as
/// narrow as the FAPI 2.0 Security Profile (Final) demands in the other. A client can be held to the narrow ones by its registration.
/// </summary>
internal sealed class SecurityProfileRules(IOptions<DcrOptions> options)
{
    // Section 5.4.1, as far as the platform goes: it has no EdDSA.
    private static readonly IReadOnlyList<string> s_fapi2Algorithms = ["PS256", "ES256"];

    private readonly bool _isFapi2 = options.Value.SecurityProfile == SecurityProfile.Fapi2;

    /// <summary>The JWS algorithms that clients, attesters and others may sign with here.</summary>
    public IReadOnlyList<string> Algorithms => _isFapi2 ? s_fapi2Algorithms : JwsAlgorithms.Supported;

    /// <summary>The same as a text, for answers.</summary>
    public string AlgorithmNames => string.Join(' ', Algorithms);

    public bool Allows(string alg) => Algorithms.Contains(alg, StringComparer.Ordinal);

    /// <summary>How far ahead the <c>exp</c> of an assertion may be, for a client without an exception.</summary>
    public TimeSpan LongestAssertionLife => TimeSpan.FromMinutes(_isFapi2 ? 5 : 10);

    /// <summary>Section 5.3.2.1 item 8 leaves no choice.</summary>
    public bool TakesExceptions => !_isFapi2;

    /// <summary>Whether <c>aud</c> may be URLs of this server from clients without an exception too: for the time of a migration.</summary>
    public bool TakesOwnEndpoints => TakesExceptions && options.Value.AssertionAudience == AssertionAudienceRule.Dual;

    /// <summary>Section 5.3.2.1 item 8: a plain string, not even an array of one.</summary>
    public bool WantsPlainAudience => _isFapi2;

    /// <summary>Section 5.3.2.1 items 4 and 5: every access token is bound to a key.</summary>
    public bool BindsEveryToken => _isFapi2;
}
