using System.Text;
using Dcr.ProtocolTests.Support;
using Dcr.SigningKeys;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>The server's own keys over time, on two nodes that share a store and a clock.</summary>
public abstract class SigningKeyRotationTests(DcrServer server) : ServerTests(server)
{
    private static async Task<JsonWebKeySet> KeysAsync(HttpClient node) =>
        new(await node.GetStringAsync(new Uri("oauth/jwks", UriKind.Relative), Cancellation));

    private async Task<string> TokenAsync(HttpClient node, OnboardedClient client)
    {
        using var form = new FormUrlEncodedContent(Requests.TokenForm(Server.Assertion(client.Key, client.ClientId).Sign()));
        return (await Answer.ReadAsync(await node.PostAsync(new Uri("oauth/token", UriKind.Relative), form, Cancellation))).Succeeded()["access_token"];
    }

    private static async Task VerifyAsync(string token, JsonWebKeySet keys, string when)
    {
        var validated = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidateAudience = false,
            ValidateIssuer = false,
            ValidateLifetime = false,
            ValidTypes = ["at+jwt"],
            IssuerSigningKeys = keys.GetSigningKeys(),
        });
        Assert.True(validated.IsValid, $"{when}: {validated.Exception?.Message}");
    }

    [Fact]
    [Requirement("R9068-5-01", "R9068-5-02", "P-SIGNKEY")]
    public async Task Every_token_of_a_year_verifies_from_issue_to_expiry_with_keys_as_old_as_they_may_be()
    {
        var (app, other) = await Server.StartAnotherNodeAsync();
        await using var disposed = app;
        using var http = other;
        var client = await Server.OnboardAsync();
        var kids = new HashSet<string>();
        for (var day = 0; day < 365; day++)
        {
            // An API that fetched the keys just before they were due again.
            var cached = await KeysAsync(day % 2 == 0 ? Server.Http : other);
            Server.Time.Advance(TimeSpan.FromSeconds(299));
            var tokens = new[] { await TokenAsync(Server.Http, client), await TokenAsync(other, client) };
            foreach (var token in tokens)
            {
                await VerifyAsync(token, cached, $"day {day}, at issue");
                kids.Add(new JsonWebToken(token).Kid);
            }
            Server.Time.Advance(TimeSpan.FromSeconds(599));
            var fresh = await KeysAsync(other);
            foreach (var token in tokens)
            {
                await VerifyAsync(token, fresh, $"day {day}, at expiry");
            }
            Assert.InRange(fresh.Keys.Count, 1, 2);
            Server.Time.Advance(TimeSpan.FromDays(1) - TimeSpan.FromSeconds(898));
        }
        // 90, 180, 270 and 360 days: no rotation was missed, none happened twice.
        Assert.Equal(5, kids.Count);
    }

    [Fact]
    [Requirement("R9068-5-02", "P-SIGNKEY")]
    public async Task An_administrator_rotates_with_an_announcement()
    {
        var admin = await Server.AdminTokenAsync();
        var before = (await KeysAsync(Server.Http)).Keys.Select(key => key.Kid).ToList();
        var made = (await Server.AdminAsync(HttpMethod.Post, "signing-keys/rotate", admin, new() { ["emergency"] = false })).Succeeded();
        Assert.Equal("announced", made["state"]);
        Assert.Equal(Server.Time.GetUtcNow().AddMinutes(10), made.Json["activates_at"]!.GetValue<DateTimeOffset>(), TimeSpan.FromMilliseconds(1));
        Assert.Contains(made["kid"], (await KeysAsync(Server.Http)).Keys.Select(key => key.Kid));
        Assert.NotEqual(made["kid"], new JsonWebToken(await Server.AdminTokenAsync()).Kid);

        Server.Time.Advance(TimeSpan.FromMinutes(10));
        var next = await Server.AdminTokenAsync();
        Assert.Equal(made["kid"], new JsonWebToken(next).Kid);
        Assert.Superset(before.ToHashSet(), (await KeysAsync(Server.Http)).Keys.Select(key => key.Kid).ToHashSet());
        var listed = (await Server.AdminAsync(HttpMethod.Get, "signing-keys", next)).Succeeded().Json["items"]!.AsArray();
        Assert.Equal("active", listed[0]!["state"]!.GetValue<string>());
        Assert.Equal("retiring", listed[1]!["state"]!.GetValue<string>());
        var audit = (await Server.AdminAsync(HttpMethod.Get, $"audit?subject={made["kid"]}", next)).Succeeded();
        Assert.Equal(DcrServer.Admin, audit.Json["items"]![0]!["actor"]!.GetValue<string>());

        Server.Time.Advance(TimeSpan.FromDays(1) + TimeSpan.FromMinutes(2));
        Assert.Equal(made["kid"], Assert.Single((await KeysAsync(Server.Http)).Keys).Kid);
    }

    [Fact]
    [Requirement("P-SIGNKEY", "P-REV")]
    public async Task An_emergency_ends_trust_in_every_earlier_key_on_every_node()
    {
        var (app, other) = await Server.StartAnotherNodeAsync();
        await using var disposed = app;
        using var http = other;
        var admin = await Server.AdminTokenAsync();
        var token = await Server.InitialAccessTokenAsync();
        await KeysAsync(other);
        var made = (await Server.AdminAsync(HttpMethod.Post, "signing-keys/rotate", admin, new() { ["emergency"] = true })).Succeeded();
        Assert.Equal("active", made["state"]);

        Assert.Equal(made["kid"], Assert.Single((await KeysAsync(Server.Http)).Keys).Kid);
        (await Server.RegisterAsync(token, Requests.Metadata(TestKey.Create()))).Refused(System.Net.HttpStatusCode.Unauthorized, "invalid_token");
        (await Server.AdminAsync(HttpMethod.Get, "clients", admin)).Refused(System.Net.HttpStatusCode.Unauthorized, "invalid_token");
        Server.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(made["kid"], Assert.Single((await KeysAsync(other)).Keys).Kid);
        var listed = (await Server.AdminAsync(HttpMethod.Get, "signing-keys", await Server.AdminTokenAsync())).Succeeded().Json["items"]!.AsArray();
        Assert.All(listed.Skip(1), key => Assert.Equal("revoked", key!["state"]!.GetValue<string>()));
    }

    [Fact]
    [Requirement("P-SIGNKEY")]
    public async Task The_published_keys_have_an_ETag()
    {
        var first = await Server.GetAsync("/oauth/jwks");
        Assert.Equal(300, first.Response.Headers.CacheControl!.MaxAge!.Value.TotalSeconds);
        using var request = new HttpRequestMessage(HttpMethod.Get, Server.Issuer + "/oauth/jwks");
        request.Headers.IfNoneMatch.Add(first.Response.Headers.ETag!);
        Assert.Equal(System.Net.HttpStatusCode.NotModified, (await Server.Http.SendAsync(request, Cancellation)).StatusCode);
    }
}

public sealed class SigningKeyRotationTestsOnSqlite(SqliteServer server) : SigningKeyRotationTests(server), IClassFixture<SqliteServer>;

public sealed class SigningKeyRotationTestsOnMongoDb(MongoDbServer server) : SigningKeyRotationTests(server), IClassFixture<MongoDbServer>;

/// <summary>The server's own keys on two nodes whose wall clocks are set while they run.</summary>
public abstract class SigningKeyClockTests(DcrServer server) : ServerTests(server)
{
    private static async Task<IReadOnlyList<string>> KidsAsync(HttpClient node) =>
        [.. new JsonWebKeySet(await node.GetStringAsync(new Uri("oauth/jwks", UriKind.Relative), Cancellation)).Keys.Select(key => key.Kid)];

    [Theory]
    [Requirement("P-REFRESH")]
    [InlineData(-100 * 24 * 60)]
    [InlineData(-24 * 60)]
    [InlineData(-20)]
    [InlineData(-5)]
    [InlineData(5)]
    [InlineData(20)]
    [InlineData(24 * 60)]
    [InlineData(100 * 24 * 60)]
    public async Task An_emergency_reaches_the_other_node_within_five_seconds(int minutes)
    {
        var (app, other) = await Server.StartAnotherNodeAsync();
        await using var disposed = app;
        using var http = other;
        var before = await KidsAsync(other);
        Server.Time.StepWall(TimeSpan.FromMinutes(minutes));
        try
        {
            var admin = await Server.AdminTokenAsync();
            var made = (await Server.AdminAsync(HttpMethod.Post, "signing-keys/rotate", admin, new() { ["emergency"] = true })).Succeeded();
            Assert.Equal(made["kid"], Assert.Single(await KidsAsync(Server.Http)));
            Server.Time.Advance(TimeSpan.FromSeconds(5));
            Assert.Equal(made["kid"], Assert.Single(await KidsAsync(other)));
            Assert.DoesNotContain(made["kid"], before);
        }
        finally
        {
            Server.Time.StepWall(TimeSpan.FromMinutes(-minutes));
        }
        // Also with the clock where it was.
        Server.Time.Advance(TimeSpan.FromSeconds(5));
        var token = await Server.AdminTokenAsync();
        Assert.Contains(new JsonWebToken(token).Kid, await KidsAsync(other));
        (await Server.AdminAsync(HttpMethod.Get, "clients", token)).Succeeded();
    }

    [Fact]
    [Requirement("P-REFRESH")]
    public async Task A_key_whose_tokens_live_is_still_there_after_a_clock_was_ahead_for_a_while()
    {
        var admin = await Server.AdminTokenAsync();
        (await Server.AdminAsync(HttpMethod.Post, "signing-keys/rotate", admin, new() { ["emergency"] = false })).Succeeded();
        Server.Time.Advance(TimeSpan.FromMinutes(9));
        var token = await Server.AdminTokenAsync();
        Server.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.NotEqual(new JsonWebToken(token).Kid, new JsonWebToken(await Server.AdminTokenAsync()).Kid);

        Server.Time.StepWall(TimeSpan.FromDays(2));
        Assert.DoesNotContain(new JsonWebToken(token).Kid, await KidsAsync(Server.Http));
        Server.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.DoesNotContain(new JsonWebToken(token).Kid, await KidsAsync(Server.Http));
        Server.Time.StepWall(TimeSpan.FromDays(-2));

        Server.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Contains(new JsonWebToken(token).Kid, await KidsAsync(Server.Http));
        (await Server.AdminAsync(HttpMethod.Get, "clients", token)).Succeeded();
    }
}

public sealed class SigningKeyClockTestsOnSqlite(SqliteServer server) : SigningKeyClockTests(server), IClassFixture<SqliteServer>;

public sealed class SigningKeyClockTestsOnMongoDb(MongoDbServer server) : SigningKeyClockTests(server), IClassFixture<MongoDbServer>;

/// <summary>The server's own keys: the same after a restart, and of no use to who steals the database.</summary>
public sealed class SigningKeyTests
{
    [Fact]
    [Requirement("P-SIGNKEY", "R9068-5-01")]
    public async Task Outlive_a_restart_so_that_tokens_stay_valid()
    {
        await using var server = new SqliteServer();
        await server.InitializeAsync();
        var token = await server.InitialAccessTokenAsync();
        var before = (await server.GetAsync("/oauth/jwks")).Text;
        await server.StopAsync();
        await server.StartAsync();
        Assert.Equal(before, (await server.GetAsync("/oauth/jwks")).Text);
        (await server.RegisterAsync(token, Requests.Metadata(TestKey.Create()))).Succeeded(System.Net.HttpStatusCode.Created);
    }

    [Theory]
    [Requirement("P-REFRESH")]
    [InlineData(2)]
    [InlineData(100 * 24)]
    public async Task Sign_on_without_a_restart_when_the_clock_was_ahead_at_the_first_start(int hours)
    {
        await using var server = new SqliteServer();
        server.Time.StepWall(TimeSpan.FromHours(hours));
        await server.InitializeAsync();
        server.Time.StepWall(TimeSpan.FromHours(-hours));
        for (var i = 0; i < 3; i++)
        {
            (await server.AdminAsync(HttpMethod.Get, "clients", await server.AdminTokenAsync())).Succeeded();
            server.Time.Advance(TimeSpan.FromSeconds(6));
        }
        // An administrator's rotation is not undone at the moment that the first clock had meant.
        var made = (await server.AdminAsync(HttpMethod.Post, "signing-keys/rotate", await server.AdminTokenAsync(), new() { ["emergency"] = false })).Succeeded();
        server.Time.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal(made["kid"], new JsonWebToken(await server.AdminTokenAsync()).Kid);
        server.Time.Advance(TimeSpan.FromHours(3));
        Assert.Equal(made["kid"], new JsonWebToken(await server.AdminTokenAsync()).Kid);
    }

    [Fact]
    [Requirement("P-SIGNKEY")]
    public async Task Are_encrypted_in_the_store_by_the_key_ring()
    {
        await using var server = new SqliteServer();
        await server.InitializeAsync();
        var stored = Assert.Single(await server.Services.GetRequiredService<ISigningKeyStore>().ListAsync(TestContext.Current.CancellationToken));
        var protectedKey = stored.ProtectedPrivateKey.ToArray();
        var pkcs8 = server.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("Dcr.SigningKeys.v1").Unprotect(protectedKey);
        using var key = System.Security.Cryptography.ECDsa.Create();
        key.ImportPkcs8PrivateKey(pkcs8, out _);
        Assert.DoesNotContain(Encoding.Latin1.GetString(key.ExportParameters(true).D!), Encoding.Latin1.GetString(protectedKey), StringComparison.Ordinal);
    }

    [Theory]
    [Requirement("R9068-2.1-02")]
    [InlineData("PS256")]
    [InlineData("RS256")]
    public async Task Are_of_the_algorithm_that_is_configured(string alg)
    {
        await using var server = new SqliteServer();
        await server.InitializeAsync();
        await server.StopAsync();
        server.Settings["Dcr:SigningKeys:Algorithm"] = alg;
        await server.StartAsync();
        Assert.Equal("ES256", new JsonWebToken(await server.AdminTokenAsync()).Alg);
        server.Time.Advance(TimeSpan.FromMinutes(10));
        var admin = await server.AdminTokenAsync();
        Assert.Equal(alg, new JsonWebToken(admin).Alg);
        (await server.AdminAsync(HttpMethod.Get, "clients", admin)).Succeeded();
        var keys = new JsonWebKeySet((await server.GetAsync("/oauth/jwks")).Text);
        Assert.Equal(["EC", "RSA"], keys.Keys.Select(key => key.Kty).Order());
    }

    [Fact]
    [Requirement("P-SIGNKEY")]
    public async Task Stop_the_start_of_a_node_with_another_key_ring()
    {
        await using var server = new SqliteServer();
        await server.InitializeAsync();
        await server.StopAsync();
        Directory.Delete(Path.Combine(server.Directory, "keys"), recursive: true);
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(server.StartAsync);
        Assert.Contains("KeyRingPath", fault.Message, StringComparison.Ordinal);
    }
}
