using System.Text.Json;
using Dcr.Auditing;
using MongoDB.Bson;

namespace Dcr.Storage.MongoDb;

/// <summary>An audit record as a document, the same in an outbox and in the audit collection.</summary>
internal static class MongoDbAuditDocument
{
    public static BsonDocument Of(AuditRecord record) => new("_id", record.Id)
    {
        { "at", record.At.ToUnixTimeMilliseconds() },
        { "actor", record.Actor is null ? BsonNull.Value : record.Actor },
        { "actor_kid", record.ActorKid is null ? BsonNull.Value : record.ActorKid },
        { "action", record.Action },
        { "subject", record.Subject },
        { "changes", JsonSerializer.Serialize(record.Changes, AuditingJson.Default.IReadOnlyDictionaryStringAuditChange) },
    };

    public static AuditRecord Read(BsonDocument document) => new()
    {
        Id = document["_id"].AsString,
        At = DateTimeOffset.FromUnixTimeMilliseconds(document["at"].AsInt64),
        Actor = document["actor"] is BsonString actor ? actor.Value : null,
        ActorKid = document["actor_kid"] is BsonString kid ? kid.Value : null,
        Action = document["action"].AsString,
        Subject = document["subject"].AsString,
        Changes = JsonSerializer.Deserialize(document["changes"].AsString, AuditingJson.Default.IReadOnlyDictionaryStringAuditChange)!,
    };
}
