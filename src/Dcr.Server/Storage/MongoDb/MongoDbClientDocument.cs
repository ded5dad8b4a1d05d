using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dcr.Auditing;
using Dcr.ClientAuthentication;
using Dcr.Clients;
using MongoDB.Bson;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>
/// A client as a document. <c>outbox</c> holds audit records of changes made in the same write, until they have been
/// moved to the audit collection; <c>outbox_since</c> is there while it does.
/// </summary>
internal static class MongoDbClientDocument
{
    /// <summary>The status of a client that is deleted and whose last audit record has not been moved yet.</summary>
    public const int Tombstone = -1;

    public static BsonDocument Of(Client client, AuditRecord record)
    {
        var document = new BsonDocument("_id", client.ClientId)
        {
            { "created_at", client.CreatedAt.ToUnixTimeMilliseconds() },
            { "audience_seen", (int)(client.AssertionAudienceSeen ?? 0) },
            { "outbox", new BsonArray { MongoDbAuditDocument.Of(record) } },
            { "outbox_since", record.At.ToUnixTimeMilliseconds() },
        };
        return document.Merge(Replaceable(client));
    }

    /// <summary>What a replacement replaces: all but the id, the time of creation and the audience seen.</summary>
    public static BsonDocument Replaceable(Client client) => new()
    {
        { "status", (int)client.Status },
        { "version", client.Version },
        { "audience_rule", client.AssertionAudienceRule is { } rule ? (int)rule : BsonNull.Value },
        { "metadata", JsonSerializer.Serialize(client.Metadata, DcrJson.Default.ClientMetadata) },
        { "token_hash", Text(client.RegistrationAccess?.TokenHash) },
        { "previous_token_hash", Text(client.RegistrationAccess?.PreviousTokenHash) },
        { "previous_valid_until", client.RegistrationAccess?.PreviousValidUntil is { } until ? until.ToUnixTimeMilliseconds() : BsonNull.Value },
        { "origin", Json(client.Origin, DcrJson.Default.ClientOrigin) },
        { "policy", Json(client.RegistrationPolicy, DcrJson.Default.RegistrationPolicy) },
        { "quarantined_keys", new BsonArray(client.QuarantinedKeys) },
    };

    public static Client Read(BsonDocument document) => new()
    {
        ClientId = document["_id"].AsString,
        Status = (ClientStatus)document["status"].AsInt32,
        Version = document["version"].AsInt64,
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(document["created_at"].AsInt64),
        AssertionAudienceSeen = document["audience_seen"].AsInt32 is var seen and > 0 ? (AssertionAudience)seen : null,
        AssertionAudienceRule = document["audience_rule"] is BsonInt32 rule ? (AssertionAudienceRule)rule.Value : null,
        Metadata = JsonSerializer.Deserialize(document["metadata"].AsString, DcrJson.Default.ClientMetadata)!,
        RegistrationAccess = document["token_hash"] is BsonString hash
            ? new RegistrationAccess
            {
                TokenHash = hash.Value,
                PreviousTokenHash = document["previous_token_hash"] is BsonString previous ? previous.Value : null,
                PreviousValidUntil = document["previous_valid_until"] is BsonInt64 until ? DateTimeOffset.FromUnixTimeMilliseconds(until.Value) : null,
            }
            : null,
        Origin = Read(document["origin"], DcrJson.Default.ClientOrigin),
        RegistrationPolicy = Read(document["policy"], DcrJson.Default.RegistrationPolicy),
        QuarantinedKeys = [.. document["quarantined_keys"].AsBsonArray.Select(thumbprint => thumbprint.AsString)],
    };

    private static BsonValue Text(string? text) => text is null ? BsonNull.Value : text;

    private static BsonValue Json<T>(T? value, JsonTypeInfo<T> type)
        where T : class => value is null ? BsonNull.Value : JsonSerializer.Serialize(value, type);

    private static T? Read<T>(BsonValue value, JsonTypeInfo<T> type)
        where T : class => value is BsonString text ? JsonSerializer.Deserialize(text.Value, type) : null;
}
