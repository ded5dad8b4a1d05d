using System.Buffers.Text;
using System.Globalization;
using System.Text;
using CsCheck;

namespace Dcr.ProtocolTests.Support;

/// <summary>
/// A request that a stranger makes up. <c>$</c> and a word in it stands for what is known only when it is sent, such as a token;
/// <c>$JWT(header.claims)</c> for a JWT that is signed then.
/// </summary>
public sealed record HostileRequest(string Method, string Path, IReadOnlyList<(string Name, string Value)> Headers, string? ContentType, string Body, bool IsLatin1)
{
    public override string ToString() =>
        $"{Method} {Path}\n{string.Join('\n', Headers.Select(header => $"{header.Name}: {header.Value}"))}\nContent-Type: {ContentType}\n\n{Body}";
}

/// <summary>Generators of requests, each valid but for a few things, or not valid at all.</summary>
public static class HostileRequests
{
    private static readonly string[] s_texts =
    [
        "", " ", ".", "..", "/", "\\", "\0", "a\r\nb: c", "\u001b[31m", "\u202egnp", "\ufeff", "\ud800", "x\udc00y", "\u00ad", "\U0001F3E6", "null", "true", "-1", "1e999", "9223372036854775808",
        "read", "dcr", "dcr.admin", "private_key_jwt", "client_credentials", "authorization_code", "code", "ES256", "none", "HS256", "P-256", "$ID", "$KID", "$ISSUER", "fuzz-party",
        "https://", "https://\u00ad/", "https://look\u05beout.net/", "https://xn--te\u0161.example/", "https://xn--0000h/", "https://[::%31]/", "https://[::1%25x]/x", "https://192.168.0.257/", "http://127.0.0.1:1/",
        "https://a.example:99999/", "https://u:p@a.example/", "HTTP://$HOST/keys/x/jwks.json", "com.example:/cb", "javascript:alert(1)", "urn:a:b", "//x", "https:x", "file:///etc/passwd", "https://a.example/%zz",
        "https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/", "2026-13-45T99:99:99Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",
    ];

    private static readonly string[] s_scalars = ["null", "true", "false", "0", "-0", "1", "-1", "1.1", "1e999", "-1e-999", "12345678901234567890123456789", "1E400", "\"\\uD800\"", "\"\\udc00\\ud800\"", "[]", "{}", "[null]", "{\"\\uD800\":1}", "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]"];

    private static readonly string[] s_members =
    [
        "redirect_uris", "token_endpoint_auth_method", "token_endpoint_auth_signing_alg", "grant_types", "response_types", "client_name", "client_name#ja", "client_uri", "logo_uri", "logo_uri#de", "scope", "contacts",
        "tos_uri", "policy_uri", "jwks_uri", "jwks", "software_id", "software_version", "software_statement", "resources", "dpop_bound_access_tokens", "client_id", "client_secret", "registration_policy",
        "assertion_audience_rule", "origin", "dry_run", "until", "proof", "jwk", "client_assertion", "emergency", "rule", "reason", "made_up", "keys",
        "kty", "kid", "use", "alg", "crv", "x", "y", "n", "e", "d", "key_ops", "x5c",
        "onboarding_client", "thumbprint", "initial_token_jti", "narrow", "allowed", "default", "issuers", "issuer", "mode", "defaults", "uses", "lifetime_seconds", "max_live_clients", "redirect_uri_hosts", "attesters",
    ];

    private static readonly string[] s_claims = ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "htm", "htu", "ath", "nonce", "cnf", "made_up"];
    private static readonly string[] s_headerMembers = ["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c", "x5u", "made_up"];

    private static readonly string[] s_paths =
    [
        "/oauth/register", "/oauth/register/$ID", "/oauth/register/*", "/oauth/register/$ID/keys", "/oauth/register/$ID/keys/*/activate", "/oauth/register/$ID/keys/*/retire", "/admin/v1/clients", "/admin/v1/clients/*",
        "/admin/v1/clients/$ID/keys", "/admin/v1/clients/*/suspend", "/admin/v1/clients/*/sign-out", "/admin/v1/clients:revoke", "/admin/v1/clients:suspend", "/admin/v1/clients:reap", "/admin/v1/clients/$ID/keys/*/quarantine",
        "/admin/v1/clients/*/assertion-audience", "/admin/v1/onboarding-clients", "/admin/v1/onboarding-clients/fuzz-party", "/admin/v1/onboarding-clients/*", "/admin/v1/key-sets", "/admin/v1/key-sets/$SET", "/admin/v1/key-sets/*/keys",
        "/admin/v1/key-sets/$SET/keys", "/admin/v1/key-sets/$SET/keys/*/activate", "/admin/v1/key-sets/$SET/keys/*/retire", "/admin/v1/operations/*", "/admin/v1/diagnose", "/admin/v1/audit", "/admin/v1/signing-keys", "/keys/*/jwks.json",
        "/oauth/status/*", "/oauth/jwks", "/.well-known/oauth-authorization-server", "/openapi/v1.json", "/*", "/oauth/*",
    ];

    private static readonly string[] s_segments = ["%00", "%ff", "%2e%2e", "%2F", "..", ".", "%", "%u0041", "%ED%A0%80", "a;b", "$ID", "fuzz-party", "0", "-1", "99999999999999999999", "%0d%0aX:%20y", "a%5cb", "key-1"];
    private static readonly string[] s_queries = ["limit", "cursor", "status", "kid", "subject", "assertion_audience_seen", "onboarding_client", "validate_only", "suspend_withdrawn", "dry_run", "", "%00", "a[b]"];
    private static readonly string[] s_jsonTypes = ["application/json", "application/json", "application/json", "application/json", "application/json; charset=\"utf-8\"", "application/json; charset=utf-7", "application/jsonx", "text/plain", "a", ";", "application/json; charset"];
    private static readonly string[] s_formTypes = ["application/x-www-form-urlencoded", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-7", "application/x-www-form-urlencoded; charset=x", "multipart/form-data", "multipart/form-data; boundary=x", "application/json"];
    private static readonly string[] s_callers = ["Bearer $INITIAL", "Bearer $ADMIN", "Bearer $CLIENT"];
    private static readonly string[] s_notCallers = ["Bearer x", "Bearer", "Basic Og==", "DPoP $INITIAL", "Bearer $INITIAL, Bearer $ADMIN", "Bearer eyJhbGciOiJub25lIn0.e30.", "\u00ff"];
    private static readonly string[] s_headers = ["DPoP", "Idempotency-Key", "If-Match", "If-None-Match", "Accept", "Content-Encoding", "OAuth-Client-Attestation", "OAuth-Client-Attestation-PoP", "Origin", "Access-Control-Request-Method", "Accept-Encoding", "Expect", "Range", "X-Forwarded-For"];

    private static Gen<string> Text { get; } = Gen.Frequency(
        (8, Of(s_texts)),
        (3, Gen.String[0, 40]),
        (1, Gen.Int[0, 3000].Select(length => new string('x', length))));

    private static Gen<string> Json(int depth) => depth == 0
        ? Gen.Frequency((2, Of(s_scalars)), (4, Text.Select(Quoted)))
        : Gen.Frequency(
            (6, Json(0)),
            (2, Json(depth - 1).List[0, 4].Select(items => $"[{string.Join(',', items)}]")),
            (2, Gen.Select(Of(s_members), Json(depth - 1)).List[0, 4].Select(members => $"{{{string.Join(',', members.Select(member => $"{Quoted(member.Item1)}:{member.Item2}"))}}}")));

    /// <summary>An object that is valid but for some members.</summary>
    private static Gen<string> Changed(string[] names, Gen<string> value, params (string Name, string Json)[] valid) =>
        Gen.Select(Gen.Select(Gen.OneOf(Of(names), Text), value).List[0, 3], Gen.Int[0, 19]).Select((changes, how) =>
        {
            var members = valid.Where(member => !changes.Exists(change => change.Item1 == member.Name)).Concat(changes.Select(change => (Name: change.Item1, Json: change.Item2))).ToList();
            var text = $"{{{string.Join(',', members.Select(member => $"{Quoted(member.Name)}:{member.Json}"))}}}";
            return how switch
            {
                0 => text[..(text.Length / 2)],
                1 => text + text,
                2 when members.Count > 0 => $"{text[..^1]},{Quoted(members[0].Name)}:{members[0].Json}}}",
                3 => $"[{text}]",
                _ => text,
            };
        });

    private static Gen<string> Jwk { get; } = Changed(s_members, Json(1), ("kty", "\"EC\""), ("crv", "\"P-256\""), ("kid", "\"k\""), ("x", "\"$X\""), ("y", "\"$Y\""));

    private static Gen<string> Value { get; } = Gen.Frequency((6, Json(2)), (2, Jwk.List[0, 3].Select(keys => $"{{\"keys\":[{string.Join(',', keys)}]}}")), (1, Gen.Const("\"$JWKSURI\"")), (1, Json(1).List[0, 3].Select(items => $"[{string.Join(',', items)}]")));

    private static Gen<string> Metadata { get; } = Changed(
        s_members, Value, ("token_endpoint_auth_method", "\"private_key_jwt\""), ("scope", "\"read\""), ("client_id", "\"$ID\""), ("jwks", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"$X\",\"y\":\"$Y\"}]}"));

    private static Gen<string> Policy { get; } = Changed(s_members, Value, ("scope", "{\"allowed\":[\"read\"]}")).SelectMany(policy => Changed(
        s_members, Value, ("client_id", "\"fuzz-party\""), ("token_endpoint_auth_method", "\"private_key_jwt\""), ("scope", "\"dcr\""), ("registration_policy", policy), ("jwks", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"$X\",\"y\":\"$Y\"}]}")));

    private static Gen<string> Jwt(string typ, params (string Name, string Json)[] claims) => Gen.Select(
        Changed(s_headerMembers, Json(2), ("alg", "\"ES256\""), ("typ", Quoted(typ)), typ == "dpop+jwt" ? ("jwk", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"$X\",\"y\":\"$Y\"}") : ("kid", "\"$KID\"")),
        Changed(s_claims, Json(2), claims)).Select((header, payload) => $"$JWT({Encoded(header)}.{Encoded(payload)})");

    private static Gen<string> Assertion { get; } = Jwt("JWT", ("iss", "\"$ID\""), ("sub", "\"$ID\""), ("aud", "\"$ISSUER\""), ("exp", "$EXP"), ("jti", "\"$NEW\""));

    private static Gen<string> Proof { get; } = Jwt("dpop+jwt", ("htm", "\"POST\""), ("htu", "\"$ISSUER/oauth/token\""), ("iat", "$NOW"), ("jti", "\"$NEW\""));

    private static Gen<(string, string)> Header { get; } = Gen.Frequency(
        (2, Gen.Select(Of(s_headers), Text).Select((name, value) => (name, value))), (2, Proof.Select(proof => ("DPoP", proof))), (1, Proof.Select(proof => ("OAuth-Client-Attestation", proof))));

    private static Gen<string> Path { get; } = Gen.Select(Of(s_paths), Gen.OneOf(Of(s_segments), Text.Select(Uri.EscapeDataString)), Gen.Select(Of(s_queries), Text).List[0, 2], Gen.Int[0, 3]).Select((path, segment, query, how) =>
        path.Replace("*", segment, StringComparison.Ordinal) + (how == 0 && query.Count > 0 ? "?" + string.Join('&', query.Select(parameter => $"{parameter.Item1}={Uri.EscapeDataString(parameter.Item2)}")) : ""));

    private static Gen<HostileRequest> JsonRequest { get; } = Gen.Select(
        Of("POST", "POST", "POST", "PUT", "PUT", "GET", "HEAD", "DELETE", "OPTIONS", "PATCH"), Path, Gen.Frequency((9, Of(s_callers)), (1, Of(s_notCallers))),
        Gen.Frequency((3, Gen.Const(new List<(string, string)>())), (1, Header.List[0, 2])), Of(s_jsonTypes),
        Gen.Frequency((5, Metadata), (3, Policy), (2, Jwk), (2, Value), (1, Assertion.Select(assertion => $"{{\"client_assertion\":\"{assertion}\"}}")), (1, Text), (1, Gen.Int[0, 40].Select(i => new string('[', i * 2000)))))
        .Select((method, path, caller, headers, type, body) => new HostileRequest(method, path, [("Authorization", caller), .. headers], type, body, IsLatin1: false));

    /// <summary>Registrations, where most can be sent.</summary>
    private static Gen<HostileRequest> Registration { get; } = Gen.Select(Of("POST /oauth/register", "PUT /oauth/register/$ID"), Metadata, Gen.Frequency((5, Gen.Const(new List<(string, string)>())), (1, Header.List[0, 2]))).Select((line, body, headers) =>
        new HostileRequest(line.Split(' ')[0], line.Split(' ')[1], [("Authorization", line.StartsWith("PUT", StringComparison.Ordinal) ? "Bearer $CLIENT" : "Bearer $INITIAL"), .. headers], "application/json", body, IsLatin1: false));

    private static Gen<HostileRequest> FormRequest { get; } = Gen.Select(
        Of("/oauth/token", "/oauth/token", "/oauth/introspect", "/oauth/revoke"), Of(s_formTypes), Gen.Frequency((4, Assertion), (1, Text)),
        Gen.Select(Of("scope", "resource", "client_id", "grant_type", "token", "client_secret", "client_assertion", "", "\0"), Text).List[0, 3], Gen.Frequency((3, Gen.Const(new List<(string, string)>())), (1, Header.List[0, 2])))
        .Select((path, type, assertion, parameters, headers) => new HostileRequest("POST", path, headers, type, string.Join('&', new[]
        {
            "grant_type=client_credentials", "token=$CLIENT", "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer",
            $"client_assertion={(assertion.StartsWith("$JWT", StringComparison.Ordinal) ? assertion : Uri.EscapeDataString(assertion))}",
        }.Concat(parameters.Select(parameter => $"{Uri.EscapeDataString(parameter.Item1)}={Uri.EscapeDataString(parameter.Item2)}"))), IsLatin1: false));

    private static Gen<HostileRequest> BytesRequest { get; } = Gen.Select(Gen.OneOf(Path, Gen.Const("/oauth/token")), Of([.. s_jsonTypes, .. s_formTypes]), Of(s_callers), Gen.Byte.Array[0, 300])
        .Select((path, type, caller, bytes) => new HostileRequest("POST", path, [("Authorization", caller)], type, Encoding.Latin1.GetString(bytes), IsLatin1: true));

    public static Gen<HostileRequest> All { get; } = Gen.Frequency((5, JsonRequest), (4, Registration), (4, FormRequest), (1, BytesRequest));

    /// <summary>A request as it goes over the wire, with bytes changed, left out or put in.</summary>
    public static Gen<string> Broken { get; } = Gen.Select(
        Of(
            "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 29\r\n\r\ngrant_type=client_credentials",
            "POST /oauth/register HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $INITIAL\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            "GET /.well-known/oauth-authorization-server HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "GET /oauth/register/x?a=b HTTP/1.0\r\nAuthorization: Bearer x\r\n\r\n",
            "POST /admin/v1/diagnose HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $ADMIN\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"),
        Gen.Select(Gen.Int[0, 250], Gen.Int[0, 2], Gen.OneOf(Gen.Byte.Select(b => ((char)b).ToString()), Of("\r\n", "\n", "\0", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "80000000\r\n", " ", ":", "%00", "\u00ff", "Host: y\r\n", "HTTP/9.9"))).List[0, 4])
        .Select((request, changes) =>
        {
            foreach (var (place, how, text) in changes)
            {
                var at = Math.Min(place, request.Length);
                request = how switch
                {
                    0 => request.Insert(at, text),
                    1 => request[..at] + text + request[Math.Min(at + text.Length, request.Length)..],
                    _ => request.Remove(at, Math.Min(text.Length, request.Length - at)),
                };
            }
            return request;
        });

    private static Gen<T> Of<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

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
