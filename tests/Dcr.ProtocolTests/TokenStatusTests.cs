using System.Buffers.Text;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Token Status Lists: draft-ietf-oauth-status-list-21.</summary>
public abstract class TokenStatusTests(DcrServer server) : ServerTests(server)
{
    private async Task<Answer> FetchAsync(string uri, EntityTagHeaderValue? tag = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        if (tag is not null)
        {
            request.Headers.IfNoneMatch.Add(tag);
        }
        return await Answer.ReadAsync(await Server.Http.SendAsync(request, Cancellation), Server.Log);
    }

    private static (string Uri, int Index) StatusOf(string token)
    {
        var reference = TokenQueries.Claims(token)["status"]!["status_list"]!;
        return (reference["uri"]!.GetValue<string>(), reference["idx"]!.GetValue<int>());
    }

    private static byte[] Unpack(string list)
    {
        using var zlib = new ZLibStream(new MemoryStream(Base64Url.DecodeFromChars(TokenQueries.Claims(list)["status_list"]!["lst"]!.GetValue<string>())), CompressionMode.Decompress);
        using var bits = new MemoryStream();
        zlib.CopyTo(bits);
        return bits.ToArray();
    }

    private async Task<bool> IsStoppedAsync(string token)
    {
        var (uri, index) = StatusOf(token);
        return (Unpack((await FetchAsync(uri)).Text)[index / 8] & (1 << (index % 8))) != 0;
    }

    [Fact]
    [Requirement("TSL-5.1-01", "TSL-4.1-01", "TSL-6.2-01", "TSL-8.1-01")]
    public async Task Serves_a_signed_list_that_has_room_for_a_million_clients()
    {
        var client = await Server.OnboardAsync();
        var (uri, index) = StatusOf(await Server.AccessTokenAsync(client.Key, client.ClientId));
        Assert.StartsWith(Server.Issuer + "/oauth/status/", uri, StringComparison.Ordinal);

        var answer = await FetchAsync(uri);

        Assert.Equal("application/statuslist+jwt", answer.Response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(TimeSpan.FromMinutes(1), answer.Response.Headers.CacheControl!.MaxAge);
        var keys = new JsonWebKeySet((await Server.GetAsync("/oauth/jwks")).Text);
        var verified = await new JsonWebTokenHandler().ValidateTokenAsync(answer.Text, new TokenValidationParameters
        {
            ValidTypes = ["statuslist+jwt"],
            ValidateIssuer = false,
            ValidateAudience = false,
            ValidateLifetime = false,
            IssuerSigningKeys = keys.Keys,
        });
        Assert.True(verified.IsValid, verified.Exception?.Message);
        var claims = TokenQueries.Claims(answer.Text);
        Assert.Equal(uri, claims["sub"]!.GetValue<string>());
        Assert.Equal(60, claims["ttl"]!.GetValue<int>());
        Assert.Equal(1, claims["status_list"]!["bits"]!.GetValue<int>());
        Assert.Equal(1 << 20, Unpack(answer.Text).Length * 8);
        Assert.InRange(index, 0, (1 << 20) - 1);
        Assert.True(answer.Text.Length < 10_000, $"{answer.Text.Length} characters");
    }

    [Theory]
    [Requirement("TSL-7.1-01", "P-STATUS")]
    [InlineData("suspend")]
    [InlineData("revoke")]
    [InlineData("sign-out")]
    public async Task Shows_a_stopped_client_at_once_and_no_other(string step)
    {
        var admin = await Server.AdminTokenAsync();
        var stopped = await Server.OnboardAsync();
        var other = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(stopped.Key, stopped.ClientId);
        var others = await Server.AccessTokenAsync(other.Key, other.ClientId);
        Assert.False(await IsStoppedAsync(token));

        (await Server.AdminAsync(HttpMethod.Post, $"clients/{stopped.ClientId}/{step}", admin)).Succeeded();

        Assert.True(await IsStoppedAsync(token));
        Assert.False(await IsStoppedAsync(others));
    }

    [Fact]
    [Requirement("P-STATUS")]
    public async Task Shows_a_client_that_deletes_itself()
    {
        var client = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(client.Key, client.ClientId);
        await Server.SendAsync(HttpMethod.Delete, client.Path, client.RegistrationAccessToken, (HttpContent?)null);
        Assert.True(await IsStoppedAsync(token));
    }

    [Fact]
    [Requirement("P-STATUS")]
    public async Task Shows_every_client_of_an_origin_that_is_revoked()
    {
        var admin = await Server.AdminTokenAsync();
        var client = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(client.Key, client.ClientId);
        var jti = (await Server.AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}", admin)).Json["origin"]!["initial_token_jti"]!.GetValue<string>();
        (await Server.AdminAsync(HttpMethod.Post, "clients:revoke", admin, new JsonObject { ["origin"] = new JsonObject { ["initial_token_jti"] = jti } })).Succeeded();
        Assert.True(await IsStoppedAsync(token));
        Assert.False(await Server.IsActiveAsync(token));
    }

    [Fact]
    [Requirement("P-STATUS")]
    public async Task A_client_that_is_resumed_or_signed_out_gets_tokens_in_good_standing()
    {
        var admin = await Server.AdminTokenAsync();
        var client = await Server.OnboardAsync();
        var old = await Server.AccessTokenAsync(client.Key, client.ClientId);
        foreach (var step in new[] { "suspend", "resume", "sign-out" })
        {
            (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/{step}", admin)).Succeeded();
        }
        var fresh = await Server.AccessTokenAsync(client.Key, client.ClientId);
        Assert.False(await IsStoppedAsync(fresh));
        Assert.True(await IsStoppedAsync(old));
    }

    [Fact]
    [Requirement("TSL-8.1-02")]
    public async Task Is_not_sent_again_while_it_has_not_changed()
    {
        var client = await Server.OnboardAsync();
        var (uri, _) = StatusOf(await Server.AccessTokenAsync(client.Key, client.ClientId));
        var first = await FetchAsync(uri);
        var again = await FetchAsync(uri, first.Response.Headers.ETag);
        Assert.Equal(HttpStatusCode.NotModified, again.Status);

        var admin = await Server.AdminTokenAsync();
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/revoke", admin)).Succeeded();
        var changed = await FetchAsync(uri, first.Response.Headers.ETag);
        Assert.Equal(HttpStatusCode.OK, changed.Status);
        Assert.NotEqual(first.Response.Headers.ETag, changed.Response.Headers.ETag);
    }

    [Theory]
    [InlineData("999")]
    [InlineData("-1")]
    [InlineData("x")]
    [InlineData("99999999999999")]
    public async Task Knows_no_other_list(string list) =>
        (await FetchAsync($"{Server.Issuer}/oauth/status/{list}")).Refused(HttpStatusCode.NotFound, "not_found");
}

public sealed class TokenStatusTestsOnSqlite(SqliteServer server) : TokenStatusTests(server), IClassFixture<SqliteServer>;

public sealed class TokenStatusTestsOnMongoDb(MongoDbServer server) : TokenStatusTests(server), IClassFixture<MongoDbServer>;
