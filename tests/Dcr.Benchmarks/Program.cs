using System.Globalization;
using System.Text.Json.Nodes;
using Dcr.Benchmarks;
using Dcr.ProtocolTests.Support;

// What a token request and a registration cost on one core, beside the floor measured in the same run: one HTTP
// request, one ES256 verification, one ES256 signature. The server is pinned to one core, the load to another.
if (args is ["floor", var floorAddress])
{
    await FloorServer.RunAsync(floorAddress);
    return;
}

if (args is ["durability"])
{
    await Durability.RunAsync();
    return;
}

const int Rounds = 5;
var requests = args is [var text] ? int.Parse(text, CultureInfo.InvariantCulture) : 10_000;
PinnedProcess.PinSelf(core: 1);

var onboarding = TestKey.Create(kid: "bench");
var folder = Directory.CreateTempSubdirectory("dcr-bench-").FullName;
await File.WriteAllTextAsync(Path.Combine(folder, "seed.json"), Seed(onboarding).ToJsonString());

await using var floor = await PinnedProcess.StartAsync("Dcr.Benchmarks.dll", folder, core: 0, address => ["floor", address]);
await using var server = await PinnedProcess.StartAsync("Dcr.Server.dll", folder, core: 0, address =>
    ["--urls", address, "--Dcr:SeedFile", Path.Combine(folder, "seed.json"), "--Logging:LogLevel:Default", "Warning", "--Dcr:RateLimits:Enabled", "false"]);

var rates = new Dictionary<string, List<Rate>> { ["floor"] = [], ["token"] = [], ["registration"] = [] };
for (var round = 0; round <= Rounds; round++)
{
    var measured = new Dictionary<string, Rate>
    {
        ["floor"] = await Load.RunAsync(floor, Load.TokenRequests(onboarding, "bench", "read", floor.Address, requests)),
        ["token"] = await Load.RunAsync(server, Load.TokenRequests(onboarding, "bench", "read", server.Address, requests)),
        ["registration"] = await Load.RunAsync(server, await Load.RegistrationsAsync(server, onboarding, requests / 4)),
    };
    Console.WriteLine($"{(round == 0 ? "warm-up" : $"round {round}")}: {string.Join(", ", measured.Select(rate => Describe(rate.Key, rate.Value, measured["floor"])))}");
    if (round > 0)
    {
        // The first round is compilation, connections, and the first pages of the database.
        measured.ToList().ForEach(rate => rates[rate.Key].Add(rate.Value));
    }
}
var medians = rates.ToDictionary(rate => rate.Key, rate => Median(rate.Value));
Console.WriteLine($"median: {string.Join(", ", medians.Select(rate => Describe(rate.Key, rate.Value, medians["floor"])))}");
Directory.Delete(folder, recursive: true);

static Rate Median(List<Rate> rates) => new(
    rates.Select(rate => rate.PerSecond).Order().ElementAt(rates.Count / 2),
    rates.Select(rate => rate.Microseconds).Order().ElementAt(rates.Count / 2));

static string Describe(string name, Rate rate, Rate floor) => string.Create(
    CultureInfo.InvariantCulture,
    $"{name} {rate.PerSecond:0}/s {rate.Microseconds:0} us ({rate.PerSecond / floor.PerSecond:0.00} of the floor by the clock, {floor.Microseconds / rate.Microseconds:0.00} by processor time)");

static JsonObject Seed(TestKey key) => new()
{
    ["clients"] = new JsonArray(new JsonObject
    {
        ["client_id"] = "bench",
        ["token_endpoint_auth_method"] = "private_key_jwt",
        ["grant_types"] = new JsonArray("client_credentials"),
        ["scope"] = "dcr read",
        ["jwks"] = TestKey.Jwks(key),
        ["registration_policy"] = new JsonObject
        {
            ["initial_access_token"] = new JsonObject { ["uses"] = 1_000_000, ["lifetime_seconds"] = 3600 },
            ["scope"] = new JsonObject { ["allowed"] = new JsonArray("read"), ["default"] = new JsonArray("read") },
        },
    }),
};
