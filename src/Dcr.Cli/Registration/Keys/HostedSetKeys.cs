using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>Keys in a set that the server hosts for the client: pending, active, retiring, withdrawn.</summary>
internal sealed class HostedSetKeys(HostedKeys keys) : RegisteredKeys
{
    // Longer than any node or API may keep the set, and an assertion lasts.
    private static readonly TimeSpan s_overlap = TimeSpan.FromHours(1);

    public override async Task<JsonArray> ListAsync(CancellationToken cancellationToken) =>
        new([.. (await keys.ReadAsync(cancellationToken)).Keys.Select(key => JsonSerializer.SerializeToNode(key))]);

    public override Task AddAsync(ISigningKey key, ISigningKey provenBy, CancellationToken cancellationToken) =>
        keys.AddAsync(key.PublicJwk, provenBy, cancellationToken);

    public override Task ActivateAsync(string kid, ISigningKey provenBy, CancellationToken cancellationToken) =>
        OfSetAsync(() => keys.ActivateAsync(kid, provenBy, cancellationToken));

    public override Task RetireAsync(string kid, DateTimeOffset until, ISigningKey provenBy, CancellationToken cancellationToken) =>
        OfSetAsync(() => keys.RetireAsync(kid, until, provenBy, cancellationToken));

    public override Task WithdrawAsync(string kid, ISigningKey provenBy, CancellationToken cancellationToken) =>
        OfSetAsync(() => keys.WithdrawAsync(kid, provenBy, cancellationToken));

    public override async Task<string> ReplacedAsync(string kid, ISigningKey by, TimeProvider time, CancellationToken cancellationToken)
    {
        var until = time.GetUtcNow() + s_overlap;
        await keys.RetireAsync(kid, until, by, cancellationToken);
        return $"The old key {kid} ends by itself at {until.ToString("HH:mm:ss'Z'", CultureInfo.InvariantCulture)}.";
    }

    private static async Task OfSetAsync(Func<Task<HostedKey>> change)
    {
        try
        {
            await change();
        }
        catch (InvalidOperationException exception)
        {
            // The library's word for a kid that the set has not.
            throw CommandFailure.Usage(exception.Message, "dcr client keys list");
        }
    }
}
