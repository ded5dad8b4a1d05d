using System.Net;
using System.Text;
using Dcr.ProtocolTests.Support;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>The client credentials grant: RFC 6749 sections 3.2, 4.4 and 5, and the JWT access tokens of RFC 9068.</summary>
public abstract class TokenRequestTests(DcrServer server) : ServerTests(server)
{
    private string Assertion(string client = DcrServer.OnboardingClient) => Server.Assertion(Server.OnboardingKey, client).Sign();

    [Fact]
    [Requirement("R6749-5.1-01", "R6749-4.4-01", "R6750-5.3-01")]
    public async Task Gives_an_initial_access_token()
    {
        var answer = (await Server.PostTokenAsync(Assertion(), "dcr")).Succeeded();
        Assert.Equal("Bearer", answer["token_type"]);
        Assert.Equal("dcr", answer["scope"]);
        Assert.Equal(300, answer.Json["expires_in"]!.GetValue<int>());
        Assert.Null(answer.Json["refresh_token"]);
        Assert.True(answer.Response.Headers.CacheControl!.NoStore);
        Assert.Equal("no-cache", answer.Response.Headers.Pragma.ToString());
        Assert.Equal("application/json", answer.Response.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    [Requirement("R9068-2.1-01", "R9068-2.2-01", "R9068-2.2-02", "R9068-2.2.3-01", "R9068-3-01", "R9068-5-01")]
    public async Task Gives_a_token_that_any_JWT_library_verifies_with_the_published_keys()
    {
        var client = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(client.Key, client.ClientId);
        var keys = new JsonWebKeySet((await Server.GetAsync(Server.Path("/oauth/jwks"))).Succeeded().Text);

        var validated = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = Server.Issuer,
            ValidAudience = Server.Issuer,
            ValidTypes = ["at+jwt"],
            IssuerSigningKeys = keys.GetSigningKeys(),
        });

        Assert.True(validated.IsValid, validated.Exception?.ToString());
        var jwt = (JsonWebToken)validated.SecurityToken;
        Assert.Equal("ES256", jwt.Alg);
        Assert.Equal(client.ClientId, jwt.Subject);
        Assert.Equal(client.ClientId, jwt.GetPayloadValue<string>("client_id"));
        Assert.Equal("read", jwt.GetPayloadValue<string>("scope"));
        Assert.NotEmpty(jwt.Id);
        Assert.Equal(600, (jwt.ValidTo - jwt.IssuedAt).TotalSeconds);
        Assert.Single(jwt.Audiences);
    }

    [Fact]
    [Requirement("R9068-5-01", "R7515-10.1-01")]
    public async Task Publishes_public_keys_only()
    {
        var jwks = (await Server.GetAsync(Server.Path("/oauth/jwks"))).Succeeded();
        var key = Assert.Single(jwks.Json["keys"]!.AsArray())!.AsObject();
        Assert.Equal(["alg", "crv", "kid", "kty", "use", "x", "y"], key.Select(member => member.Key).Order());
    }

    [Fact]
    [Requirement("R6749-5.1-01", "R6749-3.3-02")]
    public async Task Gives_all_registered_scopes_but_those_that_must_be_asked_for_by_name()
    {
        var answer = (await Server.PostTokenAsync(Assertion("fleet"))).Succeeded();
        Assert.Equal("read", answer["scope"]);
    }

    [Fact]
    [Requirement("R6749-5.2-03", "R6749-3.3-02")]
    public async Task Rejects_no_scope_when_all_must_be_asked_for_by_name() =>
        (await Server.PostTokenAsync(Assertion())).Refused(HttpStatusCode.BadRequest, "invalid_scope");

    [Theory]
    [Requirement("R6749-5.2-03", "P-SCOPE", "R9700-2.3-01", "R6749-3.3-01")]
    [InlineData("write")]
    [InlineData("dcr.admin")]
    [InlineData("read introspect")]
    [InlineData("READ")]
    [InlineData("re\"ad")]
    public async Task Rejects_a_scope_that_is_not_registered(string scope)
    {
        var client = await Server.OnboardAsync();
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign(), scope)).Refused(HttpStatusCode.BadRequest, "invalid_scope");
    }

    [Fact]
    [Requirement("R9700-2.3-01", "R8725-3.12-01", "R9068-3-02")]
    public async Task Rejects_the_registration_scope_together_with_another() =>
        (await Server.PostTokenAsync(Assertion("fleet"), "dcr read")).Refused(HttpStatusCode.BadRequest, "invalid_scope", "alone");

    [Fact]
    [Requirement("R9068-3-01", "R9068-3-03")]
    public async Task Rejects_a_resource_it_has_no_tokens_for()
    {
        var form = Requests.TokenForm(Assertion(), "dcr");
        form["resource"] = "https://api.example";
        (await Server.PostTokenAsync(form)).Refused(HttpStatusCode.BadRequest, "invalid_target");
        form = Requests.TokenForm(Assertion(), "dcr");
        form["resource"] = Server.RegistrationEndpoint;
        (await Server.PostTokenAsync(form)).Succeeded();
    }

    [Theory]
    [Requirement("R6749-5.2-03", "R9700-2.4-01")]
    [InlineData("password")]
    [InlineData("authorization_code")]
    [InlineData("refresh_token")]
    [InlineData("Client_Credentials")]
    public async Task Rejects_another_grant_type(string grantType)
    {
        var form = Requests.TokenForm(Assertion(), "dcr");
        form["grant_type"] = grantType;
        (await Server.PostTokenAsync(form)).Refused(HttpStatusCode.BadRequest, "unsupported_grant_type");
    }

    [Fact]
    [Requirement("R6749-5.2-03", "R6749-3.2-02")]
    public async Task Rejects_a_missing_or_empty_grant_type()
    {
        var form = Requests.TokenForm(Assertion(), "dcr");
        form["grant_type"] = "";
        (await Server.PostTokenAsync(form)).Refused(HttpStatusCode.BadRequest, "invalid_request", "grant_type");
    }

    [Fact]
    [Requirement("R6749-5.2-03", "R6749-4.4-02")]
    public async Task Rejects_a_client_that_is_not_registered_for_the_grant()
    {
        var client = await Server.OnboardAsync(change: m =>
        {
            m["grant_types"] = new System.Text.Json.Nodes.JsonArray("authorization_code");
            m["redirect_uris"] = new System.Text.Json.Nodes.JsonArray("https://app.example/cb");
        });
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign())).Refused(HttpStatusCode.BadRequest, "unauthorized_client");
    }

    [Theory]
    [Requirement("R6749-3.2-02")]
    [InlineData("scope", "dcr")]
    [InlineData("grant_type", "client_credentials")]
    [InlineData("client_assertion", "x")]
    public async Task Rejects_a_parameter_sent_twice(string name, string value)
    {
        List<KeyValuePair<string, string>> form = [.. Requests.TokenForm(Assertion(), "dcr"), KeyValuePair.Create(name, value)];
        (await Server.PostTokenAsync(form)).Refused(HttpStatusCode.BadRequest, "invalid_request", name);
    }

    [Fact]
    [Requirement("R6749-3.2-02")]
    public async Task Ignores_unknown_and_empty_parameters()
    {
        var form = Requests.TokenForm(Assertion(), "dcr");
        form["unknown"] = "x";
        form["client_id"] = "";
        form["resource"] = "";
        (await Server.PostTokenAsync(form)).Succeeded();
    }

    [Theory]
    [Requirement("R6749-3.2-01")]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    [InlineData("multipart/form-data")]
    public async Task Rejects_another_content_type(string type)
    {
        using var content = new StringContent("{}", Encoding.UTF8, type);
        (await Server.SendAsync(HttpMethod.Post, Server.Path("/oauth/token"), null, content)).Refused(HttpStatusCode.UnsupportedMediaType, "invalid_request");
    }

    [Fact]
    [Requirement("R6749-3.2-01")]
    public async Task Rejects_a_body_of_more_than_64_KiB()
    {
        using var content = new FormUrlEncodedContent([KeyValuePair.Create("x", new string('x', 70_000))]);
        (await Server.SendAsync(HttpMethod.Post, Server.Path("/oauth/token"), null, content)).Refused(HttpStatusCode.RequestEntityTooLarge, "invalid_request");
    }

    [Fact]
    [Requirement("R6749-3.2-01")]
    public async Task Rejects_a_form_with_too_many_parameters()
    {
        using var content = new FormUrlEncodedContent(Enumerable.Range(0, 100).Select(i => KeyValuePair.Create($"p{i}", "x")));
        (await Server.SendAsync(HttpMethod.Post, Server.Path("/oauth/token"), null, content)).Refused(HttpStatusCode.BadRequest, "invalid_request");
    }

    [Theory]
    [Requirement("R6749-3.2-01")]
    [InlineData("GET")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    public async Task Rejects_another_method(string method)
    {
        var answer = await Server.SendAsync(new HttpMethod(method), Server.Path("/oauth/token"), null, (HttpContent?)null);
        answer.Refused(HttpStatusCode.MethodNotAllowed, "invalid_request");
        Assert.Contains("POST", answer.Response.Content.Headers.Allow);
    }
}

public sealed class TokenRequestTestsOnSqlite(SqliteServer server) : TokenRequestTests(server), IClassFixture<SqliteServer>;

public sealed class TokenRequestTestsOnMongoDb(MongoDbServer server) : TokenRequestTests(server), IClassFixture<MongoDbServer>;
