using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Text that a stranger chose: in logs, in URIs, in names that people read, in ids that become parts of URLs.</summary>
public sealed class UntrustedTextTests(SqliteServer server) : ServerTests(server), IClassFixture<SqliteServer>
{
    private async Task RefusesAsync(Action<JsonObject> change, string names, string error = "invalid_client_metadata")
    {
        var metadata = Requests.Metadata(TestKey.Create());
        change(metadata);
        (await Server.RegisterAsync(await Server.InitialAccessTokenAsync(), metadata)).Refused(HttpStatusCode.BadRequest, error, names);
    }

    [Theory]
    [Requirement("P-LOG")]
    [InlineData("x%0D%0Afail:%20forged%1B[31m")]
    [InlineData("%E2%80%AEgnp.exe")]
    [InlineData("%C2%85next%7F")]
    public async Task Is_printed_in_the_log_without_control_characters_and_not_without_end(string id)
    {
        await Server.GetAsync($"/oauth/register/{id}", "any");
        await Server.GetAsync($"/oauth/register/{new string('y', 4000)}", "any");
        await Server.PostTokenAsync(Server.Assertion(Server.OnboardingKey, "a\r\nforged\u001b[31m" + new string('z', 4000)).Sign());
        using var form = new FormUrlEncodedContent([new("client_id", "b\r\nforged"), new("grant_type", "client_credentials")]);
        await Server.SendAsync(HttpMethod.Post, "/oauth/token", null, form, ("OAuth-Client-Attestation", "x"));

        Assert.Contains(Server.Log.Lines, line => line.Contains("Refused GET /oauth/register/{client_id} with 401", StringComparison.Ordinal));
        Assert.Contains(Server.Log.Lines, line => line.Contains("Refused POST /oauth/token with 401", StringComparison.Ordinal));
        // The line break of an exception that follows is the log's own: there is none here.
        Assert.DoesNotContain(Server.Log.Lines, line => line.Any(c => c is < ' ' or > '~'));
        Assert.DoesNotContain(Server.Log.Lines, line => line.Length > 3000);
        Assert.DoesNotContain(Server.Log.Lines, line => line.Contains("(null)", StringComparison.Ordinal));
    }

    [Theory]
    [Requirement("R7591-5-05", "P-URITEXT", "P-NO5XX")]
    [InlineData("https://look\u05beout.net/cb")]
    [InlineData("https://xn--te\u0161.example/cb")]
    [InlineData("https://xn--a-0000000000000.example/cb")]
    [InlineData("https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/cb")]
    [InlineData("https://\u00ad/")]
    [InlineData("https://[::%31]/cb")]
    [InlineData("https://[::1%25eth0]/cb")]
    [InlineData("https://192.168.0.257/cb")]
    [InlineData("https://0x7f.1/cb")]
    [InlineData("https://app.example/\u202egnp")]
    [InlineData("https://app\u2060.example/cb")]
    [InlineData("https://app.example/a b")]
    [InlineData("https://app.example/%zz")]
    [InlineData("https://app.example/[x]")]
    [InlineData("https://-app.example/cb")]
    [InlineData("https://app..example/cb")]
    [InlineData("https://app.example:99999/cb")]
    public async Task Is_no_URI_unless_it_is_one_of_RFC_3986_with_an_ASCII_host(string uri)
    {
        await RefusesAsync(m => m["redirect_uris"] = new JsonArray(uri), "redirect_uris", "invalid_redirect_uri");
        await RefusesAsync(m => m["client_uri"] = uri, "client_uri");
        await RefusesAsync(m => m["logo_uri#de"] = uri, "logo_uri#de");
        await RefusesAsync(m => { m.Remove("jwks"); m["jwks_uri"] = uri; }, "jwks_uri");
        await RefusesAsync(m => m["resources"] = new JsonArray(uri), "resources");
        // In policies: trusted issuers, and templates that are judged by hosts.
        foreach (var policy in new[]
        {
            new JsonObject { ["software_statement"] = new JsonObject { ["mode"] = "optional", ["issuers"] = new JsonArray(new JsonObject { ["issuer"] = "https://d.example", ["jwks_uri"] = uri }) } },
            new JsonObject { ["redirect_uri_hosts"] = new JsonArray("app.example"), ["defaults"] = new JsonObject { ["redirect_uris"] = new JsonArray(uri) } },
        })
        {
            (await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", OnboardingRequests.OnboardingEntry(TestKey.Create(), policy))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata");
        }
        Assert.Equal("", Server.Log.Faults);
    }

    [Theory]
    [Requirement("R7591-5-05", "P-URITEXT")]
    [InlineData("https://app.example/cb?a=b&c=%C3%A4")]
    [InlineData("https://xn--mnchen-3ya.example/cb")]
    [InlineData("https://192.168.0.25:8443/cb")]
    [InlineData("https://[2001:db8::1]/cb")]
    [InlineData("http://127.0.0.1:7777/cb")]
    [InlineData("http://[::1]/cb")]
    [InlineData("com.example.app:/cb")]
    [InlineData("com.example.app://host/cb")]
    [InlineData("https://my_app.example./cb")]
    public async Task Is_a_redirect_URI_when_it_is_one(string uri) => await Server.OnboardAsync(change: m => m["redirect_uris"] = new JsonArray(uri));

    [Theory]
    [Requirement("P-DISPLAY")]
    [InlineData("client_name", "\u202Eexe.ppa")]
    [InlineData("client_name", "Bank\u2066x\u2069")]
    [InlineData("client_name", "Ba\u200Bnk")]
    [InlineData("client_name", "Ba\u2060nk")]
    [InlineData("client_name", "Ba\uFEFFnk")]
    [InlineData("client_name", "Ba\u00ADnk")]
    [InlineData("client_name", "Ba\u2028nk")]
    [InlineData("client_name", "Ba\U000E0041nk")]
    [InlineData("client_name#ar", "\u061Cx")]
    [InlineData("software_id", "x\u200Dy")]
    [InlineData("software_version", "1\u200E.0")]
    public async Task Is_no_name_with_characters_that_are_not_seen(string member, string text) => await RefusesAsync(m => m[member] = text, member);

    [Fact]
    [Requirement("P-DISPLAY")]
    public async Task Is_a_name_in_any_script()
    {
        foreach (var name in new[] { "M\u00fcnchen \u2013 B\u00e4ckerei", "\u0628\u0646\u0643 \u0627\u0644\u0642\u0627\u0647\u0631\u0629", "\u9280\u884c", "\U0001F3E6 Bank" })
        {
            var client = await Server.OnboardAsync(change: m => m["client_name"] = name);
            Assert.Equal(name, client.Information["client_name"]!.GetValue<string>());
        }
    }

    [Theory]
    [Requirement("P-ID")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("a b")]
    [InlineData("a%2fb")]
    [InlineData("a?b")]
    [InlineData("a#b")]
    [InlineData("caf\u00e9")]
    [InlineData("https:x")]
    public async Task Is_no_id_unless_it_means_itself_in_a_URL(string id)
    {
        (await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", OnboardingRequests.OnboardingEntry(TestKey.Create(), clientId: id)))
            .Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "client_id");
        if (id is "." or ".." or "a/b")
        {
            var set = (await Server.AdminAsync(HttpMethod.Post, "key-sets")).Succeeded(HttpStatusCode.Created)["id"];
            (await Server.AdminAsync(HttpMethod.Post, $"key-sets/{set}/keys", TestKey.Create(kid: id).PublicJwk())).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "kid");
        }
    }

    [Fact]
    [Requirement("P-ID")]
    public async Task Is_an_id_that_can_be_reached()
    {
        var id = $"urn:example:Party-1.~_@+={Guid.NewGuid():N}";
        (await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", OnboardingRequests.OnboardingEntry(TestKey.Create(), clientId: id))).Succeeded(HttpStatusCode.Created);
        Assert.Equal(id, (await Server.AdminAsync(HttpMethod.Get, $"onboarding-clients/{id}")).Succeeded()["client_id"]);
        (await Server.AdminAsync(HttpMethod.Delete, $"onboarding-clients/{Uri.EscapeDataString(id)}")).Succeeded(HttpStatusCode.NoContent);
    }
}
