using CsCheck;

namespace Dcr.ProtocolTests.Support;

/// <summary>
/// A request that a stranger makes up. <c>$</c> and a word in it stands for what is known only when it is sent, such as a token;
/// <c>$JWT(header.claims)</c> for a JWT that is signed then.
/// </summary>
public sealed record HostileRequest(
    string Method, string Path, IReadOnlyList<(string Name, string Value)> Headers, string? ContentType, string Body, bool IsLatin1 = false)
{
    public override string ToString() =>
        $"{Method} {Path}\n{string.Join('\n', Headers.Select(header => $"{header.Name}: {header.Value}"))}\nContent-Type: {ContentType}\n\n{Body}";
}

/// <summary>Generators of requests, each valid but for a few things, or not valid at all.</summary>
public static class HostileRequests
{
    private static readonly string[] s_paths =
    [
        "/oauth/register", "/oauth/register/$ID", "/oauth/register/*", "/oauth/register/$ID/keys", "/oauth/register/$ID/keys/*/activate",
        "/oauth/register/$ID/keys/*/retire", "/oauth/jwks", "/oauth/status/*", "/oauth/*", "/keys/*/jwks.json", "/*", "/openapi/v1.json",
        "/.well-known/oauth-authorization-server", "/admin/v1/clients", "/admin/v1/clients/*", "/admin/v1/clients/$ID/keys",
        "/admin/v1/clients/*/suspend", "/admin/v1/clients/*/sign-out", "/admin/v1/clients:revoke", "/admin/v1/clients:suspend",
        "/admin/v1/clients:reap", "/admin/v1/clients/$ID/keys/*/quarantine", "/admin/v1/clients/*/assertion-exception",
        "/admin/v1/onboarding-clients", "/admin/v1/onboarding-clients/fuzz-party", "/admin/v1/onboarding-clients/*", "/admin/v1/key-sets",
        "/admin/v1/key-sets/$SET", "/admin/v1/key-sets/*/keys", "/admin/v1/key-sets/$SET/keys", "/admin/v1/key-sets/$SET/keys/*/activate",
        "/admin/v1/key-sets/$SET/keys/*/retire", "/admin/v1/operations/*", "/admin/v1/diagnose", "/admin/v1/audit", "/admin/v1/signing-keys",
    ];

    private static readonly string[] s_segments =
    [
        "%00", "%ff", "%2e%2e", "%2F", "..", ".", "%", "%u0041", "%ED%A0%80", "a;b", "$ID", "fuzz-party", "0", "-1", "99999999999999999999",
        "%0d%0aX:%20y", "a%5cb", "key-1",
    ];

    private static readonly string[] s_queries =
    [
        "limit", "cursor", "status", "kid", "subject", "assertion_audience_seen", "onboarding_client", "validate_only", "suspend_withdrawn",
        "dry_run", "", "%00", "a[b]",
    ];

    private static readonly string[] s_jsonTypes =
    [
        "application/json", "application/json", "application/json", "application/json", "application/json; charset=\"utf-8\"",
        "application/json; charset=utf-7", "application/jsonx", "text/plain", "a", ";", "application/json; charset",
    ];

    private static readonly string[] s_formTypes =
    [
        "application/x-www-form-urlencoded", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-7",
        "application/x-www-form-urlencoded; charset=x", "multipart/form-data", "multipart/form-data; boundary=x", "application/json",
    ];

    private static readonly string[] s_methods = ["POST", "POST", "POST", "PUT", "PUT", "GET", "HEAD", "DELETE", "OPTIONS", "PATCH"];
    private static readonly string[] s_callers = ["Bearer $INITIAL", "Bearer $ADMIN", "Bearer $CLIENT"];

    private static readonly string[] s_notCallers =
        ["Bearer x", "Bearer", "Basic Og==", "DPoP $INITIAL", "Bearer $INITIAL, Bearer $ADMIN", "Bearer eyJhbGciOiJub25lIn0.e30.", "\u00ff"];

    private static readonly string[] s_headers =
    [
        "DPoP", "Idempotency-Key", "If-Match", "If-None-Match", "Accept", "Content-Encoding", "OAuth-Client-Attestation", "Range", "Expect",
        "OAuth-Client-Attestation-PoP", "Origin", "Access-Control-Request-Method", "Accept-Encoding", "X-Forwarded-For",
    ];

    private static readonly string[] s_parameters = ["scope", "resource", "client_id", "grant_type", "token", "client_secret", "client_assertion", "", "\0"];

    private static Gen<List<(string, string)>> Headers { get; } = Gen.Frequency(
        (4, Gen.Const(new List<(string, string)>())),
        (1, Gen.Frequency(
            (2, Gen.Select(HostileText.Of(s_headers), HostileText.Any).Select((name, value) => (name, value))),
            (2, HostileJson.Proof.Select(proof => ("DPoP", proof))),
            (1, HostileJson.Proof.Select(proof => ("OAuth-Client-Attestation", proof)))).List[0, 2]));

    private static Gen<string> Path { get; } = Gen.Select(
        HostileText.Of(s_paths),
        Gen.OneOf(HostileText.Of(s_segments), HostileText.Any.Select(Uri.EscapeDataString)),
        Gen.Select(HostileText.Of(s_queries), HostileText.Any).List[0, 2],
        Gen.Int[0, 3]).Select((path, segment, query, how) => path.Replace("*", segment, StringComparison.Ordinal)
            + (how == 0 && query.Count > 0 ? "?" + string.Join('&', query.Select(parameter => $"{parameter.Item1}={Uri.EscapeDataString(parameter.Item2)}")) : ""));

    private static Gen<HostileRequest> Json { get; } = Gen.Select(
        HostileText.Of(s_methods),
        Path,
        Gen.Frequency((9, HostileText.Of(s_callers)), (1, HostileText.Of(s_notCallers))),
        Headers,
        HostileText.Of(s_jsonTypes),
        HostileJson.AnyBody).Select((method, path, caller, headers, type, body) =>
            new HostileRequest(method, path, [("Authorization", caller), .. headers], type, body));

    /// <summary>Registrations, where most can be sent.</summary>
    private static Gen<HostileRequest> Registration { get; } = Gen.Select(Gen.Bool, Gen.Frequency((4, HostileJson.Metadata), (1, HostileJson.MetadataByUri)), Headers)
        .Select((isNew, body, headers) => isNew
            ? new HostileRequest("POST", "/oauth/register", [("Authorization", "Bearer $INITIAL"), .. headers], "application/json", body)
            : new HostileRequest("PUT", "/oauth/register/$ID", [("Authorization", "Bearer $CLIENT"), .. headers], "application/json", body));

    private static Gen<HostileRequest> Form { get; } = Gen.Select(
        HostileText.Of("/oauth/token", "/oauth/token", "/oauth/introspect", "/oauth/revoke"),
        HostileText.Of(s_formTypes),
        Gen.Frequency((4, HostileJson.Assertion), (1, HostileText.Any.Select(Uri.EscapeDataString))),
        Gen.Select(HostileText.Of(s_parameters), HostileText.Any).List[0, 3],
        Headers).Select((path, type, assertion, parameters, headers) => new HostileRequest("POST", path, headers, type, string.Join('&', new[]
        {
            "grant_type=client_credentials",
            "token=$CLIENT",
            "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer",
            $"client_assertion={assertion}",
        }.Concat(parameters.Select(parameter => $"{Uri.EscapeDataString(parameter.Item1)}={Uri.EscapeDataString(parameter.Item2)}")))));

    private static Gen<HostileRequest> Bytes { get; } = Gen.Select(
        Gen.OneOf(Path, Gen.Const("/oauth/token")),
        HostileText.Of([.. s_jsonTypes, .. s_formTypes]),
        HostileText.Of(s_callers),
        HostileText.Bytes).Select((path, type, caller, bytes) => new HostileRequest("POST", path, [("Authorization", caller)], type, bytes, IsLatin1: true));

    public static Gen<HostileRequest> All { get; } = Gen.Frequency((5, Json), (4, Registration), (4, Form), (1, Bytes));

    /// <summary>A request as it goes over the wire, with bytes changed, left out or put in.</summary>
    public static Gen<string> Broken { get; } = Gen.Select(
        HostileText.Of(
            "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 29\r\n\r\ngrant_type=client_credentials",
            "POST /oauth/register HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $INITIAL\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            "GET /.well-known/oauth-authorization-server HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "GET /oauth/register/x?a=b HTTP/1.0\r\nAuthorization: Bearer x\r\n\r\n",
            "POST /admin/v1/diagnose HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $ADMIN\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"),
        Gen.Select(Gen.Int[0, 250], Gen.Int[0, 2], HostileText.OnTheWire).List[0, 4]).Select((request, changes) => changes.Aggregate(request, (text, change) => Change(text, change.Item1, change.Item2, change.Item3)));

    private static string Change(string text, int place, int how, string piece)
    {
        var at = Math.Min(place, text.Length);
        return how switch
        {
            0 => text.Insert(at, piece),
            1 => text[..at] + piece + text[Math.Min(at + piece.Length, text.Length)..],
            _ => text.Remove(at, Math.Min(piece.Length, text.Length - at)),
        };
    }
}
