using System.Net;
using System.Text;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>What a body must be, on every route that takes one: its type, its framing, its time.</summary>
public sealed class RequestBodyTests(SqliteServer server) : ServerTests(server), IClassFixture<SqliteServer>
{
    private const string Json = "application/json";
    private const string Form = "application/x-www-form-urlencoded";

    /// <summary>Routes by what they take and by whose token.</summary>
    public static TheoryData<string, string, string> Routes => new()
    {
        { "POST", "/oauth/token", Form },
        { "POST", "/oauth/introspect", Form },
        { "POST", "/oauth/revoke", Form },
        { "POST", "/oauth/register", Json },
        { "PUT", "CLIENT", Json },
        { "POST", "CLIENT/keys", Json },
        { "POST", "CLIENT/keys/k/activate", Json },
        { "POST", "/admin/v1/clients:revoke", Json },
        { "POST", "/admin/v1/clients:reap", Json },
        { "PUT", "/admin/v1/clients/x/assertion-exception", Json },
        { "POST", "/admin/v1/onboarding-clients", Json },
        { "PUT", "/admin/v1/onboarding-clients/x", Json },
        { "POST", "/admin/v1/key-sets/x/keys", Json },
        { "POST", "/admin/v1/key-sets/x/keys/k/retire", Json },
        { "POST", "/admin/v1/signing-keys/rotate", Json },
        { "POST", "/admin/v1/diagnose", Json },
    };

    /// <summary>The path, and a token that may call it.</summary>
    private async Task<(string Path, string? Token)> CallerAsync(string path)
    {
        if (path.StartsWith("CLIENT", StringComparison.Ordinal))
        {
            var client = await Server.OnboardAsync();
            return (client.Path + path["CLIENT".Length..], client.RegistrationAccessToken);
        }
        return (path, path.StartsWith("/admin", StringComparison.Ordinal) ? await Server.AdminTokenAsync() : path == "/oauth/register" ? await Server.InitialAccessTokenAsync() : null);
    }

    private async Task<Answer> SendAsync(string method, string path, byte[] body, string? type, params (string Name, string Value)[] headers)
    {
        var (at, token) = await CallerAsync(path);
        using var content = new ByteArrayContent(body);
        if (type is not null)
        {
            content.Headers.TryAddWithoutValidation("Content-Type", type);
        }
        foreach (var (name, value) in headers)
        {
            content.Headers.TryAddWithoutValidation(name, value);
        }
        return await Server.SendAsync(new HttpMethod(method), at, token, content);
    }

    [Theory]
    [Requirement("P-BODY")]
    [MemberData(nameof(Routes))]
    public async Task Rejects_another_content_type_and_names_the_one_it_wants(string method, string path, string wanted)
    {
        foreach (var type in new[] { null, "text/plain", wanted == Json ? Form : Json, "application/json; charset=utf-16", "multipart/form-data; boundary=x", "nonsense" }.Where(type => type is null || !type.StartsWith(wanted + ";", StringComparison.Ordinal) || wanted == Json))
        {
            (await SendAsync(method, path, "{}"u8.ToArray(), type)).Refused(HttpStatusCode.UnsupportedMediaType, "invalid_request", wanted);
        }
    }

    [Theory]
    [Requirement("P-BODY")]
    [MemberData(nameof(Routes))]
    public async Task Rejects_a_body_that_is_compressed(string method, string path, string wanted)
    {
        var answer = await SendAsync(method, path, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0], wanted, ("Content-Encoding", "gzip"));
        answer.Refused(HttpStatusCode.UnsupportedMediaType, "invalid_request", "Content-Encoding");
        Assert.Equal("identity", answer.Response.Headers.GetValues("Accept-Encoding").Single());
    }

    [Theory]
    [Requirement("P-BODY", "P-NO5XX")]
    [InlineData("utf-7")]
    [InlineData("utf-16")]
    [InlineData("made-up")]
    [InlineData("\"")]
    public async Task Rejects_a_form_in_a_charset_it_does_not_take(string charset) =>
        (await SendAsync("POST", "/oauth/token", "grant_type=client_credentials"u8.ToArray(), $"{Form}; charset={charset}")).Refused(HttpStatusCode.UnsupportedMediaType, "invalid_request", Form);

    [Theory]
    [Requirement("P-BODY")]
    [InlineData("charset=UTF-8")]
    [InlineData("charset=\"utf-8\"")]
    [InlineData("charset=ISO-8859-1")]
    public async Task Accepts_a_form_in_a_charset_that_says_the_same(string charset)
    {
        var form = Requests.TokenForm(Server.Assertion(Server.OnboardingKey, DcrServer.OnboardingClient).Sign(), "dcr");
        using var encoded = new FormUrlEncodedContent(form);
        (await SendAsync("POST", "/oauth/token", await encoded.ReadAsByteArrayAsync(Cancellation), $"{Form}; {charset}")).Succeeded();
    }

    [Theory]
    [Requirement("P-BODY")]
    [InlineData("application/json; charset=\"utf-8\"")]
    [InlineData("application/json;charset=UTF-8")]
    [InlineData("Application/JSON")]
    public async Task Accepts_JSON_whose_charset_is_quoted(string type) =>
        (await SendAsync("POST", "/oauth/register", Encoding.UTF8.GetBytes(Requests.Metadata(TestKey.Create()).ToJsonString()), type)).Succeeded(HttpStatusCode.Created);

    [Theory]
    [Requirement("P-BODY", "P-NO5XX")]
    [MemberData(nameof(Routes))]
    public async Task Rejects_half_a_surrogate_pair_at_any_depth(string method, string path, string wanted)
    {
        Assert.SkipWhen(wanted != Json, "The route takes no JSON.");
        foreach (var body in new[] { """{"\uD800":1}""", """{"a":{"b":[{"\udc00x":1}]}}""", """{"a":["\uD800"]}""", """{"client_id":"\uDFFF"}""" })
        {
            var answer = await SendAsync(method, path, Encoding.UTF8.GetBytes(body), Json);
            Assert.True(answer.Status == HttpStatusCode.BadRequest && answer.Error is not null, $"{body}: {(int)answer.Status} {answer.Text}");
        }
    }

    [Theory]
    [Requirement("P-BODY", "P-NO5XX")]
    [InlineData("80000000")]
    [InlineData("FFFFFFFFFFFFFFFF")]
    [InlineData("7FFFFFFF")]
    [InlineData("-1")]
    [InlineData("x")]
    public async Task Rejects_a_chunk_of_a_size_that_cannot_be(string size)
    {
        foreach (var (path, type) in new[] { ("/oauth/token", Form), ("/oauth/register", Json), ("/admin/v1/clients:revoke", Json) })
        {
            var (at, token) = await CallerAsync(path);
            using var connection = await RawConnection.OpenAsync(Server);
            await connection.SendAsync($"POST {at} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: {type}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{size}\r\n{{}}\r\n0\r\n\r\n");
            var answer = await connection.ReadAsync();
            Assert.Matches("^HTTP/1.1 4", answer);
        }
        Assert.Equal("", Server.Log.Faults);
    }

    [Theory]
    [Requirement("P-BODY", "P-LOG")]
    [MemberData(nameof(Routes))]
    public async Task Logs_nothing_above_Debug_when_a_body_breaks_off(string method, string path, string type)
    {
        var (at, token) = await CallerAsync(path);
        var before = Server.Log.Lines.Count;
        foreach (var framing in new[] { "Content-Length: 1000\r\n\r\n{\"a\":", "Transfer-Encoding: chunked\r\n\r\n100\r\n{\"a\":" })
        {
            using var broken = await RawConnection.OpenAsync(Server);
            await broken.SendAsync($"{method} {at} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: {type}\r\n{framing}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), Cancellation);
            broken.BreakOff();
            if (framing.StartsWith("Content-Length", StringComparison.Ordinal))
            {
                // Of a caller that ends only its sending, in the middle of a body of known length, Kestrel itself logs a warning.
                continue;
            }
            using var ended = await RawConnection.OpenAsync(Server);
            await ended.SendAsync($"{method} {at} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: {type}\r\n{framing}");
            ended.EndSending();
            await ended.ReadAsync();
        }
        await Task.Delay(TimeSpan.FromMilliseconds(200), Cancellation);
        var above = Server.Log.Lines.Skip(before).Where(line => !line.StartsWith("Debug", StringComparison.Ordinal));
        Assert.Equal("", string.Join('\n', above));
    }
}

/// <summary>A body that does not come: nobody holds a request open.</summary>
public sealed class SlowBodyTests
{
    [Theory]
    [Requirement("P-BODY")]
    [InlineData("/oauth/token", "application/x-www-form-urlencoded")]
    [InlineData("/oauth/register", "application/json")]
    [InlineData("/admin/v1/onboarding-clients", "application/json")]
    public async Task Is_answered_408_after_ten_seconds_and_the_connection_closed(string path, string type)
    {
        await using var server = new SqliteServer();
        await server.InitializeAsync();
        var token = path.StartsWith("/admin", StringComparison.Ordinal) ? await server.AdminTokenAsync() : await server.InitialAccessTokenAsync();
        using var connection = await RawConnection.OpenAsync(server);
        await connection.SendAsync($"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: {type}\r\nContent-Length: 5000\r\n\r\n");
        var answer = connection.ReadAsync();
        // The drops come often enough for the web server; the clock is the test's.
        for (var i = 0; i < 25 && !answer.IsCompleted; i++)
        {
            await Task.WhenAny(answer, Task.Delay(TimeSpan.FromMilliseconds(500), TestContext.Current.CancellationToken));
            if (i < 20)
            {
                await connection.SendAsync(new string(' ', 150));
            }
            server.Time.Advance(TimeSpan.FromSeconds(11));
        }
        var text = await answer;
        Assert.StartsWith("HTTP/1.1 408", text, StringComparison.Ordinal);
        Assert.Contains("\"error\":\"invalid_request\"", text, StringComparison.Ordinal);
        Assert.Contains("Connection: close", text, StringComparison.Ordinal);
        Assert.Equal("", server.Log.Faults);
    }
}
