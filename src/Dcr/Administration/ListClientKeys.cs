using System.Text.Json.Serialization;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>GET /admin/v1/clients/{client_id}/keys: what the client can authenticate with, as this node knows it.</summary>
internal static class ListClientKeysRoute
{
    public static async Task<IResult> HandleAsync(string client_id, IMediator mediator, CancellationToken cancellationToken)
    {
        var keys = await mediator.Send(new ListClientKeys(client_id), cancellationToken);
        return keys.IsSuccess ? TypedResults.Json(keys.Value, AdministrationJson.Default.PageAdminKey) : new OAuthErrorResult(keys.Error);
    }
}

/// <summary>One key of a client. With a <c>jwks_uri</c> also how fresh the document is; null where nothing is known.</summary>
public sealed record AdminKey
{
    [JsonPropertyName("kid")]
    public string? Kid { get; init; }

    /// <summary>RFC 7638, SHA-256, base64url. Null: no key could be had, see <see cref="LastFailure"/>.</summary>
    [JsonPropertyName("thumbprint")]
    public string? Thumbprint { get; init; }

    [JsonPropertyName("alg")]
    public string? Alg { get; init; }

    /// <summary>
    /// <c>active</c>, <c>quarantined</c> (for this client or on the whole server), or <c>unavailable</c> where no key could be had.
    /// </summary>
    [JsonPropertyName("state")]
    public required string State { get; init; }

    /// <summary>Accurate to a minute. Absent: never, or not within 400 days.</summary>
    [JsonPropertyName("last_used_at")]
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>When the host last gave or confirmed the document, to this node.</summary>
    [JsonPropertyName("fetched_at")]
    public DateTimeOffset? FetchedAt { get; init; }

    [JsonPropertyName("fresh_until")]
    public DateTimeOffset? FreshUntil { get; init; }

    /// <summary>Why the last download failed. Absent: it did not.</summary>
    [JsonPropertyName("last_failure")]
    public string? LastFailure { get; init; }
}

internal sealed record ListClientKeys(string ClientId) : IRequest<Result<Page<AdminKey>>>;

internal sealed class ListClientKeysHandler(IClientStore clients, KeyDescription describe)
    : IRequestHandler<ListClientKeys, Result<Page<AdminKey>>>
{
    public async Task<Result<Page<AdminKey>>> Handle(ListClientKeys request, CancellationToken cancellationToken) =>
        await clients.FindAsync(request.ClientId, cancellationToken) is { } client
            ? new Page<AdminKey>(await describe.ExecuteAsync(client, cancellationToken), null)
            : ClientEditor.NotFound;
}

/// <summary>The keys of a client as administrators see them.</summary>
internal sealed class KeyDescription(KeySelector keys, JwksCache cache, KeyUses uses, IQuarantinedKeyStore quarantine)
{
    public async Task<IReadOnlyList<AdminKey>> ExecuteAsync(Client client, CancellationToken cancellationToken)
    {
        var found = await keys.FindAsync(client.AsKeyOwner(), cancellationToken);
        var document = client.Metadata.JwksUri is { } uri ? cache.Peek(uri) : null;
        var source = new AdminKey
        {
            State = "unavailable",
            FetchedAt = document?.Keys is null ? null : document.FetchedAt,
            FreshUntil = document?.Keys is null ? null : document.FreshUntil,
            LastFailure = found.Set is null ? found.Fault : document?.LastFailure?.Detail,
        };
        var usable = found.Set?.Keys ?? [];
        // Also those that are blocked and not served any more: they may come back.
        var gone = client.QuarantinedKeys.Except(usable.Select(key => key.Thumbprint)).ToList();
        var lastUses = await uses.FindAsync(
            client.ClientId, usable.Select(key => key.Thumbprint).Concat(gone), client.CreatedAt, cancellationToken);
        var everywhere = await quarantine.FilterAsync([.. usable.Select(key => key.Thumbprint)], cancellationToken);
        var described = usable.Select(key => source with
        {
            Kid = key.Kid,
            Thumbprint = key.Thumbprint,
            Alg = key.Alg,
            State = client.QuarantinedKeys.Contains(key.Thumbprint) || everywhere.Contains(key.Thumbprint) ? "quarantined" : "active",
            LastUsedAt = LastUse(lastUses, key.Thumbprint),
        });
        var blocked = gone.Select(
            thumbprint => source with { Thumbprint = thumbprint, State = "quarantined", LastUsedAt = LastUse(lastUses, thumbprint) });
        IReadOnlyList<AdminKey> all = [.. described, .. blocked];
        return found.Set is null ? [source, .. all] : all;
    }

    private static DateTimeOffset? LastUse(IReadOnlyDictionary<string, DateTimeOffset> uses, string thumbprint) =>
        uses.TryGetValue(thumbprint, out var usedAt) ? usedAt : null;
}
