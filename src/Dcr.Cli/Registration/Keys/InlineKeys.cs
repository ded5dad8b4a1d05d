using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>Keys that are registered by value: each change is an update of the registration, in force on the next request.</summary>
internal sealed class InlineKeys(ClientRegistration registration, ClientInformation client) : RegisteredKeys
{
    private ClientInformation _client = client;

    private IReadOnlyList<PublicJwk> Keys => _client.Metadata.Jwks?.Keys ?? [];

    public override Task<JsonArray> ListAsync(CancellationToken cancellationToken) =>
        Task.FromResult(new JsonArray([.. Keys.Select(key => new JsonObject
    {
        ["kid"] = key.Kid,
        ["alg"] = key.Alg,
        ["thumbprint"] = key.Thumbprint(),
        ["state"] = "active",
    })]));

    public override Task AddAsync(ISigningKey key, ISigningKey provenBy, CancellationToken cancellationToken) =>
        Keys.Any(there => there.Kid == key.PublicJwk.Kid)
            ? Task.CompletedTask
            : ReplaceAsync([.. Keys, key.PublicJwk], provenBy, [key], cancellationToken);

    public override Task ActivateAsync(string kid, ISigningKey provenBy, CancellationToken cancellationToken) => Task.CompletedTask;

    public override Task RetireAsync(string kid, DateTimeOffset until, ISigningKey provenBy, CancellationToken cancellationToken) =>
        throw CommandFailure.Usage(
        "A key that is registered by value cannot be given an end.",
        $"End it at once, when nothing uses it any more: dcr client keys withdraw {ShellWord.Last(kid)}");

    public override Task WithdrawAsync(string kid, ISigningKey provenBy, CancellationToken cancellationToken)
    {
        PublicJwk[] rest = [.. Keys.Where(key => key.Kid != kid)];
        if (rest.Length == Keys.Count)
        {
            throw CommandFailure.Usage($"The client has no key {kid}.", "dcr client keys list");
        }
        return rest.Length > 0 ? ReplaceAsync(rest, provenBy, [], cancellationToken) : throw CommandFailure.Usage(
            $"{kid} is the client's only key: without it nobody could use the client.",
            "Renew it (dcr client keys renew), or end the client (dcr client delete).");
    }

    public override async Task<string> ReplacedAsync(string kid, ISigningKey by, TimeProvider time, CancellationToken cancellationToken)
    {
        await WithdrawAsync(kid, by, cancellationToken);
        return $"The old key {kid} is withdrawn.";
    }

    private async Task ReplaceAsync(
        IReadOnlyList<PublicJwk> keys, ISigningKey provenBy, IReadOnlyList<ISigningKey> added, CancellationToken cancellationToken) =>
        _client = await registration.UpdateAsync(
            _client.Metadata with { Jwks = new PublicJwkSet(keys) }, _client.ETag, provenBy, added, cancellationToken);
}
