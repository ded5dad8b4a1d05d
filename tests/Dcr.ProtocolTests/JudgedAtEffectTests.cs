using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>
/// A request is authorized when its effect is made, not when it arrives (decision 0009). Each route that changes state is held open, or
/// stopped right before its effect, while its caller, its source, its token or its policy is ended.
/// </summary>
public abstract class JudgedAtEffectTests : ServerTests
{
    private readonly EffectGate _gate;

    protected JudgedAtEffectTests(DcrServer server, EffectGate gate)
        : base(server) => _gate = gate;

    /// <summary>How the caller of a route proves that it may.</summary>
    public enum Caller
    {
        /// <summary>By an assertion in the body, which is judged after the body is complete.</summary>
        Assertion,

        Administrator,

        OnboardingClient,

        /// <summary>By its registration access token.</summary>
        RegisteredClient,

        /// <summary>Nothing is changed but what the request itself uses up.</summary>
        Nobody,
    }

    /// <summary>Every route that changes state; <see cref="Every_route_that_changes_state_is_in_the_table"/> keeps it complete.</summary>
    private static readonly Dictionary<string, Caller> s_routes = new()
    {
        ["POST /oauth/token"] = Caller.Assertion,
        ["POST /oauth/introspect"] = Caller.Assertion,
        ["POST /oauth/revoke"] = Caller.Assertion,
        ["POST /oauth/register/"] = Caller.OnboardingClient,
        ["PUT /oauth/register/{client_id}"] = Caller.RegisteredClient,
        ["DELETE /oauth/register/{client_id}"] = Caller.RegisteredClient,
        ["POST /oauth/register/{client_id}/keys"] = Caller.RegisteredClient,
        ["POST /oauth/register/{client_id}/keys/{kid}/activate"] = Caller.RegisteredClient,
        ["POST /oauth/register/{client_id}/keys/{kid}/retire"] = Caller.RegisteredClient,
        ["POST /oauth/register/{client_id}/keys/{kid}/withdraw"] = Caller.RegisteredClient,
        ["POST /admin/v1/clients/{client_id}/suspend"] = Caller.Administrator,
        ["POST /admin/v1/clients/{client_id}/resume"] = Caller.Administrator,
        ["POST /admin/v1/clients/{client_id}/revoke"] = Caller.Administrator,
        ["POST /admin/v1/clients/{client_id}/sign-out"] = Caller.Administrator,
        ["POST /admin/v1/clients/{client_id}/registration-access-token"] = Caller.Administrator,
        ["POST /admin/v1/clients/{client_id}/allow-key-change"] = Caller.Administrator,
        ["PUT /admin/v1/clients/{client_id}/assertion-exception"] = Caller.Administrator,
        ["DELETE /admin/v1/clients/{client_id}/assertion-exception"] = Caller.Administrator,
        ["POST /admin/v1/clients/{client_id}/keys/{thumbprint}/quarantine"] = Caller.Administrator,
        ["POST /admin/v1/clients/{client_id}/keys/{thumbprint}/release"] = Caller.Administrator,
        ["PUT /admin/v1/quarantined-keys/{thumbprint}"] = Caller.Administrator,
        ["DELETE /admin/v1/quarantined-keys/{thumbprint}"] = Caller.Administrator,
        ["POST /admin/v1/clients:revoke"] = Caller.Administrator,
        ["POST /admin/v1/clients:suspend"] = Caller.Administrator,
        ["POST /admin/v1/clients:resume"] = Caller.Administrator,
        // What it does the server does by itself every minute: it rests on time alone, and is judged before it begins.
        ["POST /admin/v1/clients:reap"] = Caller.Nobody,
        ["POST /admin/v1/onboarding-clients"] = Caller.Administrator,
        ["PUT /admin/v1/onboarding-clients/{client_id}"] = Caller.Administrator,
        ["DELETE /admin/v1/onboarding-clients/{client_id}"] = Caller.Administrator,
        ["POST /admin/v1/key-sets"] = Caller.Administrator,
        ["DELETE /admin/v1/key-sets/{key_set_id}"] = Caller.Administrator,
        ["POST /admin/v1/key-sets/{key_set_id}/keys"] = Caller.Administrator,
        ["POST /admin/v1/key-sets/{key_set_id}/keys/{kid}/activate"] = Caller.Administrator,
        ["POST /admin/v1/key-sets/{key_set_id}/keys/{kid}/retire"] = Caller.Administrator,
        ["POST /admin/v1/key-sets/{key_set_id}/keys/{kid}/withdraw"] = Caller.Administrator,
        ["POST /admin/v1/signing-keys/rotate"] = Caller.Administrator,
        // Looks at an assertion and uses nothing up.
        ["POST /admin/v1/diagnose"] = Caller.Nobody,
    };

    /// <summary>Routes of administrators that take a body, each with one that is valid.</summary>
    private static readonly Dictionary<string, Func<Target, JsonObject>> s_bodies = new()
    {
        ["PUT /admin/v1/clients/{client_id}/assertion-exception"] = target => new JsonObject { ["audience"] = "own_endpoints", ["until"] = target.Now.AddHours(1) },
        ["POST /admin/v1/clients:revoke"] = target => new JsonObject { ["origin"] = new JsonObject { ["onboarding_client"] = target.Party.ClientId } },
        ["POST /admin/v1/clients:suspend"] = target => new JsonObject { ["origin"] = new JsonObject { ["onboarding_client"] = target.Party.ClientId } },
        ["POST /admin/v1/clients:resume"] = target => new JsonObject { ["origin"] = new JsonObject { ["onboarding_client"] = target.Party.ClientId } },
        ["POST /admin/v1/onboarding-clients"] = _ => Administrator(TestKey.Create(), $"new-admin-{Guid.NewGuid():N}"),
        ["PUT /admin/v1/onboarding-clients/{client_id}"] = target => OnboardingRequests.OnboardingEntry(target.Party.Key, Policy("write"), target.Party.ClientId),
        ["POST /admin/v1/key-sets/{key_set_id}/keys"] = _ => TestKey.Create(kid: "added").PublicJwk(),
        ["POST /admin/v1/key-sets/{key_set_id}/keys/{kid}/retire"] = target => new JsonObject { ["until"] = target.Now.AddHours(1) },
        ["PUT /admin/v1/quarantined-keys/{thumbprint}"] = _ => new JsonObject { ["reason"] = "stolen" },
        ["POST /admin/v1/signing-keys/rotate"] = _ => new JsonObject { ["emergency"] = false },
    };

    /// <summary>How an administrator's right to act is taken away.</summary>
    public enum End
    {
        Revoked,
        Suspended,
        SignedOut,
        TokenRevoked,
        KeyQuarantined,
        TokenExpired,
    }

    public static TheoryData<string> RoutesOfAdministrators => [.. s_routes.Where(route => route.Value == Caller.Administrator).Select(route => route.Key)];

    public static TheoryData<string, End> BodiesOfAdministrators => Combine(s_bodies.Keys);

    private static TheoryData<string, End> Combine(IEnumerable<string> routes)
    {
        var all = new TheoryData<string, End>();
        var ends = Enum.GetValues<End>();
        var next = 0;
        foreach (var route in routes)
        {
            // Each route with two ways to end its caller, each way with several routes.
            all.Add(route, ends[next++ % ends.Length]);
            all.Add(route, ends[next++ % ends.Length]);
        }
        return all;
    }

    [Fact]
    [Requirement("P-EFFECT")]
    public void Every_route_that_changes_state_is_in_the_table()
    {
        var routes = Server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .SelectMany(endpoint => (endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []).Select(method => $"{method} {endpoint.RoutePattern.RawText}"))
            .Where(route => !route.StartsWith("GET ", StringComparison.Ordinal) && !route.StartsWith("HEAD ", StringComparison.Ordinal) && !route.StartsWith("OPTIONS ", StringComparison.Ordinal));
        Assert.Equal(s_routes.Keys.Order(StringComparer.Ordinal), routes.Order(StringComparer.Ordinal));
        Assert.All(s_bodies.Keys, route => Assert.Equal(Caller.Administrator, s_routes[route]));
    }

    [Theory]
    [Requirement("P-EFFECT")]
    [MemberData(nameof(RoutesOfAdministrators))]
    public async Task Nothing_is_done_for_an_administrator_who_ends_right_before_the_effect(string route)
    {
        var target = await TargetAsync();
        var actor = await AdministratorAsync();
        await PrepareAsync(route, target);
        var (method, path) = At(route, target);
        _gate.BeforeTheNextEffect(() => EndAsync(actor, End.Revoked));

        var answer = await Server.SendAsync(method, path, actor.Token, s_bodies.GetValueOrDefault(route)?.Invoke(target));

        Assert.True(_gate.HasOpened, "the route made no effect that rests on its caller");
        answer.Refused(HttpStatusCode.Unauthorized, "invalid_token");
        Assert.Empty(await ActsOfAsync(actor));
    }

    [Theory]
    [Requirement("P-EFFECT")]
    [MemberData(nameof(BodiesOfAdministrators))]
    public async Task Nothing_is_done_for_an_administrator_who_ends_while_the_body_is_on_its_way(string route, End end)
    {
        var target = await TargetAsync();
        var actor = await AdministratorAsync();
        var (method, path) = At(route, target);
        using var held = await HeldRequest.SendAsync(Server, method, path, $"Bearer {actor.Token}", s_bodies[route](target));
        await EndAsync(actor, end);
        (await held.CompleteAsync()).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        Assert.Empty(await ActsOfAsync(actor));
    }

    [Fact]
    [Requirement("P-EFFECT")]
    public async Task A_revoked_administrator_makes_no_administrator()
    {
        var actor = await AdministratorAsync();
        var key = TestKey.Create(kid: "heir");
        var entry = Administrator(key, $"heir-{Guid.NewGuid():N}");
        using var held = await HeldRequest.SendAsync(Server, HttpMethod.Post, "/admin/v1/onboarding-clients", $"Bearer {actor.Token}", entry);
        await EndAsync(actor, End.Revoked);
        (await held.CompleteAsync()).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        var heir = entry["client_id"]!.GetValue<string>();
        (await Server.AdminAsync(HttpMethod.Get, $"clients/{heir}")).Refused(HttpStatusCode.NotFound, "not_found");
        (await Server.PostTokenAsync(Server.Assertion(key, heir).Sign(), "dcr.admin")).Refused(HttpStatusCode.Unauthorized, "invalid_client");
    }

    public static TheoryData<bool, string> EndsOfARegistration =>
    [
        (true, "source revoked"), (true, "source suspended"), (true, "source signed out"), (true, "source deleted"), (true, "source made again"),
        (true, "token revoked"), (true, "token expired"), (true, "clients revoked by onboarding client"), (true, "clients revoked by token"),
        (false, "source revoked"), (false, "source made again"), (false, "token revoked"), (false, "token expired"), (false, "clients revoked by onboarding client"),
    ];

    [Theory]
    [Requirement("P-EFFECT")]
    [MemberData(nameof(EndsOfARegistration))]
    public async Task Nothing_is_registered_once_what_it_rests_on_has_ended(bool byBody, string end)
    {
        var party = await Server.OnboardingClientAsync("""{"initial_access_token":{"uses":3}}""");
        var token = await Server.InitialAccessTokenAsync(party);
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(TestKey.Create(kid: "k")).ToJsonString());
        var metadata = Requests.Metadata(TestKey.Create());
        Answer answer;
        if (byBody)
        {
            using var held = await HeldRequest.SendAsync(Server, HttpMethod.Post, "/oauth/register", $"Bearer {token}", metadata);
            await EndSourceAsync(party, token, end);
            answer = await held.CompleteAsync();
        }
        else
        {
            host.Delay = TimeSpan.FromSeconds(1.5);
            metadata.Remove("jwks");
            metadata["jwks_uri"] = host.Url;
            var registering = Server.RegisterAsync(token, metadata);
            await Task.Delay(TimeSpan.FromMilliseconds(300), Cancellation);
            await EndSourceAsync(party, token, end);
            answer = await registering;
        }
        answer.Refused(HttpStatusCode.Unauthorized, "invalid_token");
        Assert.Empty((await Server.AdminAsync(HttpMethod.Get, $"clients?onboarding_client={party.ClientId}")).Succeeded().Json["items"]!.AsArray());
    }

    [Theory]
    [Requirement("P-EFFECT")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_registration_is_judged_by_the_policy_in_force_when_it_is_made(bool isNarrowed)
    {
        var party = await Server.OnboardingClientAsync(Policy("read", "write"));
        var token = await Server.InitialAccessTokenAsync(party);
        var metadata = Requests.Metadata(TestKey.Create());
        metadata["scope"] = "read write";
        _gate.BeforeTheNextEffect(async () => (await Server.ReplacePolicyAsync(party, isNarrowed ? Policy("read") : Policy("read", "write", "more"))).Succeeded());
        var answer = await Server.RegisterAsync(token, metadata);
        if (isNarrowed)
        {
            answer.Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "scope: write");
        }
        else
        {
            Assert.Equal("read write", answer.Succeeded(HttpStatusCode.Created)["scope"]);
        }
    }

    [Theory]
    [Requirement("P-EFFECT")]
    [InlineData("source revoked", HttpStatusCode.Forbidden)]
    [InlineData("source suspended", HttpStatusCode.Forbidden)]
    [InlineData("source deleted", HttpStatusCode.Forbidden)]
    [InlineData("source made again", HttpStatusCode.Forbidden)]
    [InlineData("policy narrowed", HttpStatusCode.BadRequest)]
    [InlineData("client revoked", HttpStatusCode.Unauthorized)]
    [InlineData("client suspended", HttpStatusCode.Forbidden)]
    [InlineData("client signed out", HttpStatusCode.Unauthorized)]
    [InlineData("token renewed", HttpStatusCode.Unauthorized)]
    public async Task Nothing_is_updated_once_what_it_rests_on_has_ended(string end, HttpStatusCode status)
    {
        foreach (var byBody in new[] { true, false })
        {
            var party = await Server.OnboardingClientAsync(Policy("read", "write"));
            await using var host = await JwksHost.StartAsync(TestKey.Jwks(TestKey.Create(kid: "k")).ToJsonString());
            var client = await Server.OnboardAsync(party);
            var before = (await Server.AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}")).Succeeded().Json["metadata"]!.ToJsonString();
            var metadata = Requests.Metadata(client.Key);
            metadata["scope"] = "read write";
            metadata["client_name"] = "Changed";
            metadata["client_id"] = client.ClientId;
            Answer answer;
            if (byBody)
            {
                using var held = await HeldRequest.SendAsync(Server, HttpMethod.Put, client.Path, $"Bearer {client.RegistrationAccessToken}", metadata);
                await EndOfUpdateAsync(party, client, end);
                answer = await held.CompleteAsync();
            }
            else
            {
                host.Delay = TimeSpan.FromSeconds(1.5);
                metadata.Remove("jwks");
                metadata["jwks_uri"] = host.Url;
                var updating = Server.SendAsync(HttpMethod.Put, client.Path, client.RegistrationAccessToken, metadata);
                await Task.Delay(TimeSpan.FromMilliseconds(300), Cancellation);
                await EndOfUpdateAsync(party, client, end);
                answer = await updating;
            }
            Assert.True(answer.Status == status, $"{end}, by {(byBody ? "body" : "key host")}: {(int)answer.Status} {answer.Text}");
            Assert.Equal(before, (await Server.AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}")).Succeeded().Json["metadata"]!.ToJsonString());
        }
    }

    [Theory]
    [Requirement("P-EFFECT", "P-HOSTED")]
    [InlineData("source revoked", HttpStatusCode.Forbidden)]
    [InlineData("source made again", HttpStatusCode.Forbidden)]
    [InlineData("client revoked", HttpStatusCode.Unauthorized)]
    [InlineData("client suspended", HttpStatusCode.Forbidden)]
    [InlineData("client signed out", HttpStatusCode.Unauthorized)]
    public async Task No_hosted_key_is_added_once_what_it_rests_on_has_ended(string end, HttpStatusCode status)
    {
        foreach (var byBody in new[] { true, false })
        {
            var (party, client, set) = await WithHostedKeysAsync();
            var added = TestKey.Create(kid: "stolen");
            var path = $"{client.Path}/keys";
            var body = new JsonObject { ["jwk"] = added.PublicJwk(), ["proof"] = KeyProof(client, added.Thumbprint(), $"{Server.Issuer}{path}") };
            Answer answer;
            if (byBody)
            {
                using var held = await HeldRequest.SendAsync(Server, HttpMethod.Post, path, $"Bearer {client.RegistrationAccessToken}", body);
                await EndOfUpdateAsync(party, client, end);
                answer = await held.CompleteAsync();
            }
            else
            {
                _gate.BeforeTheNextEffect(() => EndOfUpdateAsync(party, client, end));
                answer = await Server.SendAsync(HttpMethod.Post, path, client.RegistrationAccessToken, body);
            }
            Assert.True(answer.Status == status, $"{end}, by {(byBody ? "body" : "gate")}: {(int)answer.Status} {answer.Text}");
            var keys = (await Server.AdminAsync(HttpMethod.Get, $"key-sets/{set}")).Succeeded().Json["keys"]!.AsArray();
            Assert.DoesNotContain(keys, key => key!["kid"]!.GetValue<string>() == "stolen");
        }
    }

    [Theory]
    [Requirement("P-EFFECT", "P-HOSTED")]
    [InlineData("activate")]
    [InlineData("retire")]
    [InlineData("withdraw")]
    public async Task No_hosted_key_is_moved_for_a_client_whose_source_has_ended(string step)
    {
        var (party, client, set) = await WithHostedKeysAsync();
        (await Server.AdminAsync(HttpMethod.Post, $"key-sets/{set}/keys", TestKey.Create(kid: "other").PublicJwk())).Succeeded(HttpStatusCode.Created);
        (await Server.AdminAsync(HttpMethod.Post, $"key-sets/{set}/keys/other/activate")).Succeeded();
        var path = $"{client.Path}/keys/{client.Key.Kid}/{step}";
        var body = new JsonObject { ["proof"] = KeyProof(client, client.Key.Thumbprint(), $"{Server.Issuer}{path}"), ["until"] = Server.Time.GetUtcNow().AddHours(1) };
        _gate.BeforeTheNextEffect(() => EndOfUpdateAsync(party, client, "source revoked"));
        (await Server.SendAsync(HttpMethod.Post, path, client.RegistrationAccessToken, body)).Refused(HttpStatusCode.Forbidden, "access_denied");
        var key = (await Server.AdminAsync(HttpMethod.Get, $"key-sets/{set}")).Succeeded().Json["keys"]!.AsArray()[0];
        Assert.Equal("active", key!["state"]!.GetValue<string>());
    }

    [Theory]
    [Requirement("P-EFFECT")]
    [InlineData("client revoked", HttpStatusCode.Unauthorized)]
    [InlineData("client suspended", HttpStatusCode.Forbidden)]
    [InlineData("client signed out", HttpStatusCode.Unauthorized)]
    public async Task Nothing_is_deleted_for_a_client_that_ends_right_before(string end, HttpStatusCode status)
    {
        var party = await Server.OnboardingClientAsync();
        var client = await Server.OnboardAsync(party);
        _gate.BeforeTheNextEffect(() => EndOfUpdateAsync(party, client, end));
        Assert.Equal(status, (await Server.SendAsync(HttpMethod.Delete, client.Path, client.RegistrationAccessToken, (JsonObject?)null)).Status);
        (await Server.AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}")).Succeeded();
    }

    [Theory]
    [Requirement("P-EFFECT")]
    [InlineData("token")]
    [InlineData("introspect")]
    [InlineData("revoke")]
    public async Task An_assertion_is_judged_when_the_body_is_complete(string endpoint)
    {
        var party = await Server.OnboardingClientAsync();
        var client = await Server.OnboardAsync(party);
        var form = Requests.TokenForm(Server.Assertion(client.Key, client.ClientId).Sign());
        form["token"] = "any";
        using var content = new FormUrlEncodedContent(form);
        var body = await content.ReadAsStringAsync(Cancellation);
        using var held = await HeldRequest.SendAsync(Server, HttpMethod.Post, $"/oauth/{endpoint}", "application/x-www-form-urlencoded", body);
        await EndOfUpdateAsync(party, client, "client revoked");
        (await held.CompleteAsync()).Refused(HttpStatusCode.Unauthorized, "invalid_client");
    }

    [Fact]
    [Requirement("P-EFFECT")]
    public async Task Each_of_three_requests_that_outlive_a_single_use_token_is_refused()
    {
        var party = await Server.OnboardingClientAsync("""{"initial_access_token":{"lifetime_seconds":3}}""");
        var token = await Server.InitialAccessTokenAsync(party);
        var held = new List<HeldRequest>();
        for (var i = 0; i < 3; i++)
        {
            held.Add(await HeldRequest.SendAsync(Server, HttpMethod.Post, "/oauth/register", $"Bearer {token}", Requests.Metadata(TestKey.Create())));
        }
        (await Server.RegisterAsync(token, Requests.Metadata(TestKey.Create()))).Succeeded(HttpStatusCode.Created);
        Server.Time.StepWall(TimeSpan.FromSeconds(4));
        foreach (var request in held)
        {
            using (request)
            {
                (await request.CompleteAsync()).Refused(HttpStatusCode.Unauthorized, "invalid_token");
            }
        }
        Assert.Single((await Server.AdminAsync(HttpMethod.Get, $"clients?onboarding_client={party.ClientId}")).Succeeded().Json["items"]!.AsArray());
    }

    [Fact]
    [Requirement("P-EFFECT", "P-LINEAGE")]
    public async Task No_client_of_an_origin_is_active_once_it_is_revoked_although_32_callers_go_on_registering()
    {
        var party = await Server.OnboardingClientAsync("""{"initial_access_token":{"uses":100000,"lifetime_seconds":3600}}""");
        var token = await Server.InitialAccessTokenAsync(party);
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(TestKey.Create(kid: "k")).ToJsonString());
        host.Delay = TimeSpan.FromMilliseconds(200);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var callers = Enumerable.Range(0, 32).Select(i => Task.Run(
            async () =>
            {
                var registered = 0;
                while (!stop.IsCancellationRequested)
                {
                    var metadata = Requests.Metadata(TestKey.Create());
                    if (i % 4 == 0)
                    {
                        metadata.Remove("jwks");
                        metadata["jwks_uri"] = host.Url;
                    }
                    if (i % 4 == 1)
                    {
                        using var held = await HeldRequest.SendAsync(Server, HttpMethod.Post, "/oauth/register", $"Bearer {token}", metadata);
                        registered += (await held.CompleteAsync()).Status == HttpStatusCode.Created ? 1 : 0;
                    }
                    else
                    {
                        registered += (await Server.RegisterAsync(token, metadata)).Status == HttpStatusCode.Created ? 1 : 0;
                    }
                }
                return registered;
            },
            Cancellation)).ToList();
        await Task.Delay(TimeSpan.FromSeconds(1.5), Cancellation);
        var body = new JsonObject { ["origin"] = new JsonObject { ["onboarding_client"] = party.ClientId } };
        var operation = (await Server.AdminAsync(HttpMethod.Post, "clients:revoke", body)).Succeeded();
        while (!operation.Json["done"]!.GetValue<bool>())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), Cancellation);
            operation = (await Server.AdminAsync(HttpMethod.Get, $"operations/{operation["operation"]}")).Succeeded();
        }
        // Let whoever is under way come to its end, and look then.
        await Task.Delay(TimeSpan.FromSeconds(1), Cancellation);
        await stop.CancelAsync();
        var registered = (await Task.WhenAll(callers)).Sum();
        Assert.True(registered > 0, "nobody registered anything, so nothing is shown");
        var active = (await Server.AdminAsync(HttpMethod.Get, $"clients?onboarding_client={party.ClientId}&status=active")).Succeeded().Json["items"]!.AsArray();
        Assert.Empty(active);
    }

    private sealed record Actor(string ClientId, TestKey Key, string Token);

    private sealed record Target(OnboardingParty Party, OnboardedClient Client, string KeySet, TestKey HostedKey, DateTimeOffset Now);

    private static JsonObject Policy(params string[] scopes) => new() { ["scope"] = new JsonObject { ["allowed"] = new JsonArray([.. scopes.Select(scope => JsonValue.Create(scope))]) } };

    private static JsonObject Administrator(TestKey key, string clientId) => DcrServer.SeedClient(clientId, "dcr dcr.admin", key, Policy("read"));

    private async Task<Actor> AdministratorAsync()
    {
        var key = TestKey.Create(kid: $"admin-{Guid.NewGuid():N}");
        var clientId = $"admin-{Guid.NewGuid():N}";
        (await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", Administrator(key, clientId))).Succeeded(HttpStatusCode.Created);
        return new Actor(clientId, key, await Server.AccessTokenAsync(key, clientId, "dcr.admin"));
    }

    private async Task<Target> TargetAsync()
    {
        var party = await Server.OnboardingClientAsync();
        var client = await Server.OnboardAsync(party);
        var set = (await Server.AdminAsync(HttpMethod.Post, "key-sets")).Succeeded(HttpStatusCode.Created)["id"];
        var key = TestKey.Create(kid: "hosted");
        foreach (var hosted in new[] { key, TestKey.Create(kid: "other") })
        {
            (await Server.AdminAsync(HttpMethod.Post, $"key-sets/{set}/keys", hosted.PublicJwk())).Succeeded(HttpStatusCode.Created);
        }
        (await Server.AdminAsync(HttpMethod.Post, $"key-sets/{set}/keys/other/activate")).Succeeded();
        return new Target(party, client, set, key, Server.Time.GetUtcNow());
    }

    private async Task<(OnboardingParty Party, OnboardedClient Client, string Set)> WithHostedKeysAsync()
    {
        var party = await Server.OnboardingClientAsync();
        var key = TestKey.Create(kid: "first");
        var set = (await Server.AdminAsync(HttpMethod.Post, "key-sets")).Succeeded(HttpStatusCode.Created);
        (await Server.AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys", key.PublicJwk())).Succeeded(HttpStatusCode.Created);
        (await Server.AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys/{key.Kid}/activate")).Succeeded();
        var metadata = Requests.Metadata(key);
        metadata.Remove("jwks");
        metadata["jwks_uri"] = set["jwks_uri"];
        return (party, OnboardedClient.Of((await Server.RegisterAsync(party, metadata)).Succeeded(HttpStatusCode.Created), key), set["id"]);
    }

    private static (HttpMethod Method, string Path) At(string route, Target target)
    {
        var parts = route.Split(' ');
        var clientId = parts[1].Contains("onboarding-clients", StringComparison.Ordinal) ? target.Party.ClientId : target.Client.ClientId;
        var path = parts[1]
            .Replace("{client_id}", clientId, StringComparison.Ordinal)
            .Replace("{thumbprint}", target.Client.Key.Thumbprint(), StringComparison.Ordinal)
            .Replace("{key_set_id}", target.KeySet, StringComparison.Ordinal)
            .Replace("{kid}", target.HostedKey.Kid, StringComparison.Ordinal);
        return (new HttpMethod(parts[0]), path);
    }

    /// <summary>A client that is to be resumed is suspended, a key that is to be released quarantined; an exception that is to end is set.</summary>
    private async Task PrepareAsync(string route, Target target)
    {
        if (route == "DELETE /admin/v1/quarantined-keys/{thumbprint}")
        {
            (await Server.AdminAsync(HttpMethod.Put, $"quarantined-keys/{target.Client.Key.Thumbprint()}", new JsonObject { ["reason"] = "stolen" })).Succeeded();
        }
        var before = route switch
        {
            "POST /admin/v1/clients/{client_id}/resume" => $"clients/{target.Client.ClientId}/suspend",
            "POST /admin/v1/clients/{client_id}/keys/{thumbprint}/release" => $"clients/{target.Client.ClientId}/keys/{target.Client.Key.Thumbprint()}/quarantine",
            _ => null,
        };
        if (before is not null)
        {
            (await Server.AdminAsync(HttpMethod.Post, before)).Succeeded();
        }
        if (route == "DELETE /admin/v1/clients/{client_id}/assertion-exception")
        {
            var exception = new JsonObject { ["audience"] = "own_endpoints", ["until"] = target.Now.AddHours(1) };
            (await Server.AdminAsync(HttpMethod.Put, $"clients/{target.Client.ClientId}/assertion-exception", exception)).Succeeded();
        }
    }

    /// <summary>By the one active key of the set.</summary>
    private string KeyProof(OnboardedClient client, string about, string url) => new AssertionScenario(client.Key, client.ClientId, url, Server.Time.GetUtcNow())
        .WithHeader("typ", "key-proof+jwt").WithClaim("sub", about).Sign();

    private async Task EndAsync(Actor actor, End end)
    {
        switch (end)
        {
            case End.Revoked:
                (await Server.AdminAsync(HttpMethod.Post, $"clients/{actor.ClientId}/revoke")).Succeeded();
                break;
            case End.Suspended:
                (await Server.AdminAsync(HttpMethod.Post, $"clients/{actor.ClientId}/suspend")).Succeeded();
                break;
            case End.SignedOut:
                (await Server.AdminAsync(HttpMethod.Post, $"clients/{actor.ClientId}/sign-out")).Succeeded();
                break;
            case End.KeyQuarantined:
                (await Server.AdminAsync(HttpMethod.Post, $"clients/{actor.ClientId}/keys/{actor.Key.Thumbprint()}/quarantine")).Succeeded();
                break;
            case End.TokenExpired:
                Server.Time.StepWall(TimeSpan.FromHours(1));
                break;
            default:
                (await Server.RevokeAsync(actor.Token, actor.Key, actor.ClientId)).Succeeded();
                break;
        }
    }

    private async Task EndSourceAsync(OnboardingParty party, string token, string end)
    {
        switch (end)
        {
            case "source revoked":
                (await Server.AdminAsync(HttpMethod.Post, $"clients/{party.ClientId}/revoke")).Succeeded();
                break;
            case "source suspended":
                (await Server.AdminAsync(HttpMethod.Post, $"clients/{party.ClientId}/suspend")).Succeeded();
                break;
            case "source signed out":
                (await Server.AdminAsync(HttpMethod.Post, $"clients/{party.ClientId}/sign-out")).Succeeded();
                break;
            case "source deleted":
                (await Server.AdminAsync(HttpMethod.Delete, $"onboarding-clients/{party.ClientId}")).Succeeded(HttpStatusCode.NoContent);
                break;
            case "source made again":
                await EndSourceAsync(party, token, "source deleted");
                (await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", party.Entry.DeepClone().AsObject())).Succeeded(HttpStatusCode.Created);
                break;
            case "policy narrowed":
                (await Server.ReplacePolicyAsync(party, Policy("read"))).Succeeded();
                break;
            case "token revoked":
                (await Server.RevokeAsync(token, party.Key, party.ClientId)).Succeeded();
                break;
            case "token expired":
                Server.Time.StepWall(TimeSpan.FromMinutes(5));
                break;
            case "clients revoked by onboarding client":
                await RevokeAsync(new JsonObject { ["onboarding_client"] = party.ClientId });
                break;
            case "clients revoked by token":
                await RevokeAsync(new JsonObject { ["initial_token_jti"] = TokenQueries.Claims(token)["jti"]!.GetValue<string>() });
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(end), end, "No way to end a source.");
        }
    }

    private async Task RevokeAsync(JsonObject origin) =>
        Assert.True((await Server.AdminAsync(HttpMethod.Post, "clients:revoke", new JsonObject { ["origin"] = origin })).Succeeded().Json["done"]!.GetValue<bool>());

    private async Task EndOfUpdateAsync(OnboardingParty party, OnboardedClient client, string end)
    {
        var act = end switch
        {
            "client revoked" => "revoke",
            "client suspended" => "suspend",
            "client signed out" => "sign-out",
            "token renewed" => "registration-access-token",
            _ => null,
        };
        if (act is null)
        {
            await EndSourceAsync(party, token: "", end);
            return;
        }
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/{act}")).Succeeded();
    }

    /// <summary>Every effect leaves a record, and each record says who.</summary>
    private async Task<List<string>> ActsOfAsync(Actor actor)
    {
        var records = (await Server.AdminAsync(HttpMethod.Get, "audit?limit=200")).Succeeded().Json["items"]!.AsArray();
        return [.. records.Where(record => record!["actor"]?.GetValue<string>() == actor.ClientId).Select(record => record!["action"]!.GetValue<string>())];
    }
}

public sealed class JudgedAtEffectOnSqliteServer : SqliteServer
{
    public EffectGate Gate { get; } = new();

    public JudgedAtEffectOnSqliteServer() => Configure = Gate.Install;
}

public sealed class JudgedAtEffectOnMongoDbServer : MongoDbServer
{
    public EffectGate Gate { get; } = new();

    public JudgedAtEffectOnMongoDbServer() => Configure = Gate.Install;
}

public sealed class JudgedAtEffectTestsOnSqlite(JudgedAtEffectOnSqliteServer server) : JudgedAtEffectTests(server, server.Gate), IClassFixture<JudgedAtEffectOnSqliteServer>;

public sealed class JudgedAtEffectTestsOnMongoDb(JudgedAtEffectOnMongoDbServer server) : JudgedAtEffectTests(server, server.Gate), IClassFixture<JudgedAtEffectOnMongoDbServer>;
