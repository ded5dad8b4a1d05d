using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>
/// Holds a client assertion against the eight rules of the server, all of them and not only up to the first that fails, as
/// far as they can be judged by what is known. Nothing is sent.
/// </summary>
internal sealed class AssertionExamination(ExaminedAssertion assertion, KnownFacts known)
{
    private const int MaxJti = 256;

    // What the server takes; it says so itself where it is asked.
    private static readonly string[] s_usualAlgorithms = ["PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512"];

    private readonly List<string> _warnings = [];

    /// <summary>What is no failure and had better be otherwise.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>One finding for each rule, in their order.</summary>
    public IReadOnlyList<Finding> Examine() =>
    [
        Shape(),
        assertion.Header is { } header ? Algorithm(header) : Unread(AssertionRule.Algorithm),
        assertion.Claims is { } claims ? Client(claims) : Unread(AssertionRule.Client),
        .. assertion.Header is null
            ? [Unread(AssertionRule.Key), Unread(AssertionRule.Signature)]
            : new AssertionKeys(assertion, known, _warnings).Examine(),
        assertion.Claims is null
            ? Unread(AssertionRule.Audience)
            : new AssertionAudience(assertion.Claims, known.Server, _warnings).Examine(),
        assertion.Claims is null ? Unread(AssertionRule.Times) : new AssertionTimes(assertion.Claims, known, _warnings).Examine(),
        assertion.Claims is null ? Unread(AssertionRule.SingleUse) : SingleUse(assertion.Claims),
    ];

    private static Finding Unread(AssertionRule rule) => Finding.Unknown(rule, "it cannot be read");

    /// <summary>Rule 1.</summary>
    private Finding Shape() => assertion.Fault is { } fault
        ? Finding.Failed(AssertionRule.Shape, fault, assertion.Next)
        : Finding.Passed(AssertionRule.Shape, "it is a signed JWT in three parts");

    /// <summary>Rule 2: <c>alg</c> and <c>typ</c>.</summary>
    private Finding Algorithm(JsonObject header)
    {
        var alg = ExaminedAssertion.Text(header, "alg");
        var accepted = known.Server?.Algorithms ?? s_usualAlgorithms;
        if (alg is null || !accepted.Contains(alg, StringComparer.Ordinal))
        {
            var why = alg switch
            {
                null => "alg is missing",
                _ when alg.Equals("none", StringComparison.OrdinalIgnoreCase) => $"alg is {Excerpt.Of(alg)}: it is not signed",
                ['H', 'S', ..] => $"alg is {Excerpt.Of(alg)}: a shared secret; this server knows clients by their public keys only",
                _ => $"alg is {Excerpt.Of(alg)}, which this server does not take",
            };
            return Finding.Failed(AssertionRule.Algorithm, why, $"Sign with one of {string.Join(' ', accepted.Select(Excerpt.Of))}.");
        }
        if (known.Registration?.Alg is { } registered && registered != alg)
        {
            return Finding.Failed(
                AssertionRule.Algorithm,
                $"alg is {Excerpt.Of(alg)}, and the client is registered for {Excerpt.Of(registered)} (token_endpoint_auth_signing_alg)",
                $"Sign with {Excerpt.Of(registered)}, or change the registration: dcr client update --metadata FILE");
        }
        return Type(ExaminedAssertion.Text(header, "typ"), header.ContainsKey("typ"), alg);
    }

    // RFC 7515 section 4.1.9: by its media type, which folds case and may leave out application/.
    private static Finding Type(string? typ, bool isThere, string alg)
    {
        const string Prefix = "application/";
        var name = (typ?.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) == true ? typ[Prefix.Length..] : typ)?.ToLowerInvariant();
        var kind = name switch
        {
            null when !isThere => null,
            "jwt" or "client-authentication+jwt" => null,
            "at+jwt" => ": this is an access token",
            "dpop+jwt" => ": this is a DPoP proof",
            "oauth-client-attestation+jwt" => ": this is a client attestation",
            "oauth-client-attestation-pop+jwt" => ": this is the proof that goes with a client attestation",
            "secevent+jwt" => ": this is a security event",
            _ => "",
        };
        return kind is null
            ? Finding.Passed(AssertionRule.Algorithm, $"alg is {alg}, {(typ is null ? "there is no typ" : $"typ is {Excerpt.Of(typ)}")}")
            : Finding.Failed(
                AssertionRule.Algorithm,
                $"typ is {Excerpt.Of(typ)}{kind}",
                "Give the client assertion; its typ, if there is one, is JWT or client-authentication+jwt.");
    }

    /// <summary>Rule 3: a client that exists and is active, named twice.</summary>
    private Finding Client(JsonObject claims)
    {
        const string Both = "Put the client_id into iss and into sub.";
        var (issuer, subject) = (ExaminedAssertion.Text(claims, "iss"), ExaminedAssertion.Text(claims, "sub"));
        if (issuer is null || subject is null || issuer != subject)
        {
            return Finding.Failed(
                AssertionRule.Client, $"iss is {Excerpt.Of(issuer)} and sub is {Excerpt.Of(subject)}; both must be the client_id", Both);
        }
        if (known.ClientId is { } clientId && clientId != subject)
        {
            return Finding.Failed(
                AssertionRule.Client,
                $"iss and sub are {Excerpt.Of(subject)}, and your client is {Excerpt.Of(clientId)}",
                $"{Both} Or was another client meant? Name its profile (--profile) or its id (--client-id).");
        }
        var who = $"iss and sub are both {Excerpt.Of(subject)}{(known.ClientId is null ? "" : ", your client")}";
        return known.Registration switch
        {
            { IsStopped: true } =>
                Finding.Failed(AssertionRule.Client, $"{who}, which is suspended or has expired", "An administrator can resume it."),
            { IsActive: true } => Finding.Passed(AssertionRule.Client, $"{who}, which is registered and active"),
            { Absence: { } absence } => Finding.Unknown(AssertionRule.Client, $"{who}; {absence}"),
            _ => Finding.Unknown(AssertionRule.Client, $"{who}; whether it is registered and active only the server can say"),
        };
    }

    /// <summary>Rule 8: <c>jti</c>, which nobody has used.</summary>
    private Finding SingleUse(JsonObject claims)
    {
        const string New = "Put a new random value into jti for each assertion, such as a UUID.";
        return ExaminedAssertion.Text(claims, "jti") switch
        {
            null => Finding.Failed(AssertionRule.SingleUse, claims.ContainsKey("jti") ? "jti is no string" : "jti is missing", New),
            "" => Finding.Failed(AssertionRule.SingleUse, "jti is empty", New),
            { Length: > MaxJti } jti =>
                Finding.Failed(AssertionRule.SingleUse, $"jti has {jti.Length} characters; at most {MaxJti} are accepted", New),
            _ when known.IsNew => Finding.Passed(AssertionRule.SingleUse, "jti is new"),
            _ => Finding.Unknown(AssertionRule.SingleUse, "jti is there; whether it was used before only the server can say"),
        };
    }
}
