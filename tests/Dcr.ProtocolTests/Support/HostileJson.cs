using System.Buffers.Text;
using System.Globalization;
using System.Text;
using CsCheck;

namespace Dcr.ProtocolTests.Support;

/// <summary>JSON that is valid but for some of its members: metadata, policies, keys, assertions and proofs.</summary>
public static class HostileJson
{
    private const string Key = """{"kty":"EC","crv":"P-256","x":"$X","y":"$Y"}""";

    private static readonly string[] s_scalars =
    [
        "null", "true", "false", "0", "-0", "1", "-1", "1.1", "1e999", "-1e-999", "12345678901234567890123456789", "1E400", "\"\\uD800\"",
        "\"\\udc00\\ud800\"", "[]", "{}", "[null]", "{\"\\uD800\":1}", "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]",
    ];

    private static readonly string[] s_members =
    [
        "redirect_uris", "token_endpoint_auth_method", "token_endpoint_auth_signing_alg", "grant_types", "response_types", "client_name",
        "client_name#ja", "client_uri", "logo_uri", "logo_uri#de", "scope", "contacts", "tos_uri", "policy_uri", "jwks_uri", "jwks",
        "software_id", "software_version", "software_statement", "resources", "dpop_bound_access_tokens", "client_id", "client_secret",
        "registration_policy", "assertion_audience_rule", "origin", "dry_run", "until", "proof", "jwk", "client_assertion", "emergency",
        "rule", "reason", "made_up", "keys", "kty", "kid", "use", "alg", "crv", "x", "y", "n", "e", "d", "key_ops", "x5c",
        "onboarding_client", "thumbprint", "initial_token_jti", "narrow", "allowed", "default", "issuers", "issuer", "mode", "defaults",
        "uses", "lifetime_seconds", "max_live_clients", "redirect_uri_hosts", "attesters",
    ];

    private static readonly string[] s_claims = ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "htm", "htu", "ath", "nonce", "cnf", "made_up"];
    private static readonly string[] s_headerMembers = ["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c", "x5u", "made_up"];

    private static Gen<string> Jwk { get; } = Changed(
        s_members, Any(1), ("kty", "\"EC\""), ("crv", "\"P-256\""), ("kid", "\"k\""), ("x", "\"$X\""), ("y", "\"$Y\""));

    private static Gen<string> KeySet { get; } = Jwk.List[0, 3].Select(keys => $"{{\"keys\":[{string.Join(',', keys)}]}}");

    private static Gen<string> Value { get; } = Gen.Frequency(
        (6, Any(2)), (2, KeySet), (1, Gen.Const("\"$JWKSURI\"")), (1, Any(1).List[0, 3].Select(items => $"[{string.Join(',', items)}]")));

    public static Gen<string> Metadata { get; } = Changed(
        s_members,
        Value,
        ("token_endpoint_auth_method", "\"private_key_jwt\""),
        ("scope", "\"read\""),
        ("client_id", "\"$ID\""),
        ("jwks", $$"""{"keys":[{{Key}}]}"""));

    /// <summary>With a document of keys that the host serves as it stands in the URL.</summary>
    public static Gen<string> MetadataByUri { get; } = Gen.Frequency((4, KeySet), (1, Any(2)), (1, HostileText.Any)).Select(document =>
        $$"""{"token_endpoint_auth_method":"private_key_jwt","scope":"read","client_id":"$ID","jwks_uri":"$JWKSURI?document={{Encoded(document)}}"}""");

    private static Gen<string> Policy { get; } = Changed(s_members, Value, ("scope", """{"allowed":["read"]}""")).SelectMany(policy => Changed(
        s_members,
        Value,
        ("client_id", "\"fuzz-party\""),
        ("token_endpoint_auth_method", "\"private_key_jwt\""),
        ("scope", "\"dcr\""),
        ("registration_policy", policy),
        ("jwks", $$"""{"keys":[{{Key}}]}""")));

    public static Gen<string> Assertion { get; } = Jwt(
        "JWT", ("kid", "\"$KID\""), ("iss", "\"$ID\""), ("sub", "\"$ID\""), ("aud", "\"$ISSUER\""), ("exp", "$EXP"), ("jti", "\"$NEW\""));

    public static Gen<string> Proof { get; } = Jwt(
        "dpop+jwt", ("jwk", Key), ("htm", "\"POST\""), ("htu", "\"$ISSUER/oauth/token\""), ("iat", "$NOW"), ("jti", "\"$NEW\""));

    public static Gen<string> AnyBody { get; } = Gen.Frequency(
        (5, Metadata),
        (3, Policy),
        (2, Jwk),
        (2, Value),
        (1, Assertion.Select(assertion => $"{{\"client_assertion\":\"{assertion}\"}}")),
        (1, HostileText.Any),
        (1, Gen.Int[0, 40].Select(i => new string('[', i * 2000))));

    private static Gen<string> Any(int depth) => depth == 0
        ? Gen.Frequency((2, HostileText.Of(s_scalars)), (4, HostileText.Any.Select(Quoted)))
        : Gen.Frequency(
            (6, Any(0)),
            (2, Any(depth - 1).List[0, 4].Select(items => $"[{string.Join(',', items)}]")),
            (2, Gen.Select(HostileText.Of(s_members), Any(depth - 1)).List[0, 4].Select(members =>
                $"{{{string.Join(',', members.Select(member => $"{Quoted(member.Item1)}:{member.Item2}"))}}}")));

    /// <summary>An object that is valid but for some members.</summary>
    private static Gen<string> Changed(string[] names, Gen<string> value, params (string Name, string Json)[] valid) => Gen.Select(
        Gen.Select(Gen.OneOf(HostileText.Of(names), HostileText.Any), value).List[0, 3],
        Gen.Int[0, 19]).Select((changes, how) =>
        {
            var kept = valid.Where(member => !changes.Exists(change => change.Item1 == member.Name));
            var members = kept.Concat(changes.Select(change => (Name: change.Item1, Json: change.Item2))).Select(member => $"{Quoted(member.Name)}:{member.Json}").ToList();
            var text = $"{{{string.Join(',', members)}}}";
            return how switch
            {
                0 => text[..(text.Length / 2)],
                1 => text + text,
                2 when members.Count > 0 => $"{text[..^1]},{members[0]}}}",
                3 => $"[{text}]",
                _ => text,
            };
        });

    private static Gen<string> Jwt(string typ, (string Name, string Json) key, params (string Name, string Json)[] claims) => Gen.Select(
        Changed(s_headerMembers, Any(2), ("alg", "\"ES256\""), ("typ", Quoted(typ)), key),
        Changed(s_claims, Any(2), claims)).Select((header, payload) => $"$JWT({Encoded(header)}.{Encoded(payload)})");

    private static string Encoded(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));

    /// <summary>A JSON string, also of half a surrogate pair; of placeholders as they are.</summary>
    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            quoted.Append(c is >= ' ' and <= '~' and not '"' and not '\\' ? c.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"));
        }
        return quoted.Append('"').ToString();
    }
}
