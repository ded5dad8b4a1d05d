using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CsCheck;
using Dcr.ProtocolTests.Support;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>
/// Whatever is sent, no answer is a fault of the server: requests that are made up by the thousand. <c>DCR_TEST_HOSTILE_REQUESTS</c> says how
/// many; a failure prints the seed, and <c>CsCheck_Seed</c> sends that case again.
/// </summary>
public sealed partial class HostileInputTests
{
    private static readonly int s_requests = int.Parse(Environment.GetEnvironmentVariable("DCR_TEST_HOSTILE_REQUESTS") ?? "20000", CultureInfo.InvariantCulture);

    [Fact]
    [Requirement("P-NO5XX", "P-FAULT")]
    public Task No_request_is_answered_with_a_fault() => AllAsync(new SqliteServer { LogLevel = LogLevel.Warning }, s_requests);

    [Fact]
    [Requirement("P-NO5XX", "P-FAULT")]
    public Task No_request_is_answered_with_a_fault_on_MongoDB() => AllAsync(new MongoDbServer { LogLevel = LogLevel.Warning }, Math.Max(1, s_requests / 10));

    private static async Task AllAsync(DcrServer server, int requests)
    {
        Assert.SkipWhen(server.SkipReason is not null, server.SkipReason ?? "");
        await using var target = await Target.StartAsync(server);
        await HostileRequests.All.SampleAsync(target.SendAsync, iter: requests, threads: 4, print: request => request.ToString());
        Assert.Equal("", target.Faults);
    }

    [Fact]
    [Requirement("P-NO5XX", "P-FAULT")]
    public async Task No_broken_request_is_answered_with_a_fault()
    {
        await using var target = await Target.StartAsync(new SqliteServer { LogLevel = LogLevel.Warning });
        await HostileRequests.Broken.SampleAsync(target.SendRawAsync, iter: Math.Max(1, s_requests / 40), threads: 4);
        Assert.Equal("", target.Faults);
    }

    /// <summary>A server with somebody of every kind to call it.</summary>
    private sealed partial class Target(DcrServer server) : IAsyncDisposable
    {
        private readonly DcrServer _server = server;
        private readonly TestKey _key = TestKey.Create(kid: "fuzz-1");
        private readonly HttpClient _http = new(new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1, AllowAutoRedirect = false, MaxConnectionsPerServer = 16 });
        private readonly Dictionary<string, string> _known = [];
        private JwksHost? _host;

        public string Faults => _server.Log.Faults;

        public static async Task<Target> StartAsync(DcrServer server)
        {
            var target = new Target(server);
            // All of them come from one address, and most are refused.
            server.Settings["Dcr:RateLimits:Enabled"] = "false";
            await target._server.InitializeAsync();
            await target.PrepareAsync();
            return target;
        }

        private async Task PrepareAsync()
        {
            _host = await JwksHost.StartAsync(TestKey.Jwks(_key).ToJsonString());
            var party = OnboardingRequests.OnboardingEntry(_key, new JsonObject { ["initial_access_token"] = new JsonObject { ["uses"] = 1_000_000, ["lifetime_seconds"] = 86_400 }, ["scope"] = new JsonObject { ["allowed"] = new JsonArray("read"), ["default"] = new JsonArray("read") } }, "registrar");
            (await _server.AdminAsync(HttpMethod.Post, "onboarding-clients", party)).Succeeded(HttpStatusCode.Created);
            _known["$INITIAL"] = await _server.AccessTokenAsync(_key, "registrar", "dcr");
            _known["$ADMIN"] = await _server.AdminTokenAsync();
            var client = OnboardedClient.Of((await _server.RegisterAsync(_known["$INITIAL"], Requests.Metadata(_key))).Succeeded(HttpStatusCode.Created), _key);
            var jwk = _key.PublicJwk();
            _known["$CLIENT"] = client.RegistrationAccessToken;
            _known["$ID"] = client.ClientId;
            _known["$SET"] = (await _server.AdminAsync(HttpMethod.Post, "key-sets")).Succeeded(HttpStatusCode.Created)["id"];
            _known["$KID"] = _key.Kid!;
            _known["$X"] = jwk["x"]!.GetValue<string>();
            _known["$Y"] = jwk["y"]!.GetValue<string>();
            _known["$JWKSURI"] = _host.Url;
            _known["$ISSUER"] = _server.Issuer;
            _known["$HOST"] = new Uri(_server.Issuer).Authority;
            _known["$NOW"] = _server.Time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            _known["$EXP"] = (_server.Time.GetUtcNow().ToUnixTimeSeconds() + 60).ToString(CultureInfo.InvariantCulture);
        }

        public async Task SendAsync(HostileRequest hostile)
        {
            using var request = new HttpRequestMessage(new HttpMethod(hostile.Method), new Uri(
                _server.Issuer + Fill(hostile.Path), new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
            var body = Fill(hostile.Body);
            request.Content = new ByteArrayContent(hostile.IsLatin1 ? Encoding.Latin1.GetBytes(body) : Encoding.UTF8.GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", hostile.ContentType);
            foreach (var (name, value) in hostile.Headers)
            {
                // No client sends these in a header; over a raw socket they are tried.
                var clean = string.Concat(Fill(value).Where(c => c is not '\r' and not '\n' and not '\0' and <= '\u00ff'));
                _ = request.Headers.TryAddWithoutValidation(name, clean) || request.Content.Headers.TryAddWithoutValidation(name, clean);
            }
            try
            {
                using var response = await _http.SendAsync(request);
                // Whoever waits in vain for a turn to download is told when to come again: that is no fault.
                if (response.StatusCode == HttpStatusCode.ServiceUnavailable && response.Headers.RetryAfter is not null && body.Contains(_host!.Url, StringComparison.Ordinal))
                {
                    return;
                }
                Judge((int)response.StatusCode, await response.Content.ReadAsStringAsync());
            }
            catch (HttpRequestException)
            {
                // The server has closed the connection upon a body or header that is too large; what the log has against it is looked at in the end.
            }
        }

        public async Task SendRawAsync(string request)
        {
            using var connection = await RawConnection.OpenAsync(_server);
            await connection.SendAsync(Fill(request));
            connection.EndSending();
            var answer = await connection.ReadAsync(TimeSpan.FromSeconds(20));
            // 505 is the web server's word for a version of HTTP that there is not.
            foreach (Match status in StatusLine().Matches(answer).Where(status => status.Groups[1].Value != "505"))
            {
                Judge(int.Parse(status.Groups[1].Value, CultureInfo.InvariantCulture), "");
            }
        }

        private void Judge(int status, string body)
        {
            Assert.True(status < 500 && Faults.Length == 0, $"{status}: {body}\n{Faults}");
            if (status >= 400 && body.Length > 0)
            {
                Assert.True(JsonNode.Parse(body)?["error"] is not null, $"{status} without error: {body}");
            }
        }

        private string Fill(string text)
        {
            text = Jwt().Replace(text, jwt => AssertionScenario.Sign(_key, Filled(jwt.Groups[1].Value), Filled(jwt.Groups[2].Value)));
            return Placeholder().Replace(text, found => found.Value == "$NEW" ? Guid.NewGuid().ToString("N") : _known.GetValueOrDefault(found.Value, found.Value));
        }

        private byte[] Filled(string base64Url) => Encoding.UTF8.GetBytes(Fill(Encoding.UTF8.GetString(Base64Url.DecodeFromChars(base64Url))));

        public async ValueTask DisposeAsync()
        {
            _http.Dispose();
            await _host!.DisposeAsync();
            await _server.DisposeAsync();
        }

        [GeneratedRegex(@"\$[A-Z]+")]
        private static partial Regex Placeholder();

        [GeneratedRegex(@"\$JWT\(([\w-]*)\.([\w-]*)\)")]
        private static partial Regex Jwt();

        [GeneratedRegex("^HTTP/1.[01] ([0-9]{3})", RegexOptions.Multiline)]
        private static partial Regex StatusLine();
    }
}
