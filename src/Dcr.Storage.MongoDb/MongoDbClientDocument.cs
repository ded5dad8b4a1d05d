using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>
/// A client as a document. <c>outbox</c> holds audit records of changes made in the same write, until they have been
/// moved to the audit collection; <c>outbox_since</c> is there while it does. <c>release</c> is there while a client that
/// is no longer live still counts against the cap of its onboarding client: the version at which it stopped. <c>reservation</c> is
/// what took the room that it became live with; <c>operations</c> are those that have changed it.
/// </summary>
internal static class MongoDbClientDocument
{
    /// <summary>The status of a client that is deleted and whose last audit record has not been moved yet.</summary>
    public const int Tombstone = -1;

    /// <summary>On a tombstone under an id that no client has had or may have any more: when it may be forgotten.</summary>
    public const string FenceUntil = "fence_until";

    /// <summary>There, and true, on a client that is registered for the scope <c>dcr.admin</c>.</summary>
    public const string Administers = "administers";

    public const string Exception = "assertion_exception";
    public const string ExceptionNeededAt = "exception_needed_at";

    /// <summary>
    /// Whether one of the two is there: what such clients are listed by. Who replaces a client just when it needs an exception for the
    /// first time may get it wrong, until the next hour.
    /// </summary>
    public const string Excepted = "excepted";

    // An earlier version: which audience a client was seen to use (1: the token endpoint), and which rule it was under (0: dual).
    private const string AudienceSeen = "audience_seen";
    private const string AudienceRule = "audience_rule";

    private static readonly TimeSpan s_goesOnFor = TimeSpan.FromDays(90);

    private static readonly string[] s_originMembers =
        ["onboarding_client", "origin_kid", "origin_thumbprint", "initial_token_jti", "software_statement_issuer", "software_id"];

    public static BsonDocument Of(Client client, AuditRecord record)
    {
        var document = new BsonDocument("_id", client.ClientId)
        {
            { "created_at", client.CreatedAt.ToUnixTimeMilliseconds() },
            { "incarnation", Text(client.Incarnation) },
            { ExceptionNeededAt, Time(client.ExceptionNeededAt) },
            { "last_used_at", Time(client.LastUsedAt) },
            { "outbox", new BsonArray { MongoDbAuditDocument.Of(record) } },
            { "outbox_since", record.At.ToUnixTimeMilliseconds() },
        };
        if (client.StatusIndex is { } index)
        {
            document[MongoDbStatusListStore.Index] = index;
        }
        return document.Merge(Replaceable(client));
    }

    /// <summary>
    /// What a replacement replaces: all but the id, the time of creation, the status index and what is recorded of authentications.
    /// </summary>
    public static BsonDocument Replaceable(Client client) => new BsonDocument
    {
        { "status", (int)client.Status },
        { "version", client.Version },
        { Exception, Json(client.AssertionException, ClientsJson.Default.AssertionExceptionRule) },
        { Excepted, client.AssertionException is not null || client.ExceptionNeededAt is not null },
        { "metadata", JsonSerializer.Serialize(client.Metadata, ClientsJson.Default.ClientMetadata) },
        { "token_hash", Text(client.RegistrationAccess?.TokenHash) },
        { "previous_token_hash", Text(client.RegistrationAccess?.PreviousTokenHash) },
        { "previous_valid_until", Time(client.RegistrationAccess?.PreviousValidUntil) },
        { "previous_changed_keys", client.RegistrationAccess?.PreviousChangedKeys == true },
        { "origin", Json(client.Origin, ClientsJson.Default.ClientOrigin) },
        { "policy", Json(client.RegistrationPolicy, ClientsJson.Default.RegistrationPolicy) },
        { "onboards", client.RegistrationPolicy is not null },
        { Administers, client.Administers },
        { "quarantined_keys", new BsonArray(client.QuarantinedKeys) },
        { "signing_algs", client.SigningAlgs is { } algs ? new BsonArray(algs) : BsonNull.Value },
        { "key_change_allowed_until", Time(client.KeyChangeAllowedUntil) },
        {
            "lifecycle",
            client.Lifecycle == ClientLifecycle.Endless ? BsonNull.Value : Json(client.Lifecycle, ClientsJson.Default.ClientLifecycle)
        },
        { "review_at", Time(client.Lifecycle.ReviewAt) },
    }.Merge(OriginMembers(client.Origin));

    private static BsonDocument OriginMembers(ClientOrigin? origin)
    {
        string?[] values =
        [
            origin?.OnboardingClient,
            origin?.Kid,
            origin?.Thumbprint,
            origin?.InitialTokenJti,
            origin?.SoftwareStatement?.Issuer,
            origin?.SoftwareStatement?.SoftwareId,
        ];
        return new BsonDocument(s_originMembers.Zip(values, (name, value) => new BsonElement(name, Text(value))));
    }

    /// <summary>Clients of the operator, as a version wrote them that did not say who administers. Those who registered never do.</summary>
    public static FilterDefinition<BsonDocument> ToMarkAsAdministrators => Builders<BsonDocument>.Filter.And(
        Builders<BsonDocument>.Filter.Eq("onboarding_client", BsonNull.Value),
        Builders<BsonDocument>.Filter.Exists(Administers, false),
        Builders<BsonDocument>.Filter.Gte("status", 0));

    public static WriteModel<BsonDocument> MarkAsAdministrator(BsonDocument client) => new UpdateOneModel<BsonDocument>(
        Builders<BsonDocument>.Filter.Eq("_id", client["_id"]),
        Builders<BsonDocument>.Update.Set(Administers, Read(client).Administers));

    /// <summary>Clients as an earlier version wrote them.</summary>
    public static FilterDefinition<BsonDocument> ToUpgrade =>
        (Builders<BsonDocument>.Filter.Exists("onboards", false) | Builders<BsonDocument>.Filter.Exists(AudienceSeen))
        & Builders<BsonDocument>.Filter.Gte("status", 0);

    /// <summary>
    /// Gives a client that an earlier version wrote the members that it is found by. One that an administrator had let use the token
    /// endpoint as audience may do so for 90 days more; one that used it without is listed as needing an exception (RFC 10070).
    /// </summary>
    public static WriteModel<BsonDocument> Upgrade(BsonDocument client, DateTimeOffset now)
    {
        var members = OriginMembers(Read(client["origin"], ClientsJson.Default.ClientOrigin)).Add("onboards", client["policy"].IsString);
        if (client.GetValue(AudienceSeen, 0) == 1)
        {
            members[ExceptionNeededAt] = client.GetValue("last_used_at", BsonNull.Value) is BsonInt64 used ? used : client["created_at"];
            members[Excepted] = true;
        }
        var set = members.Select(member => Builders<BsonDocument>.Update.Set(member.Name, member.Value)).ToList();
        if (client.GetValue(AudienceRule, BsonNull.Value) == 0)
        {
            var exception = new AssertionExceptionRule { Audience = ExceptedAudience.OwnEndpoints, Until = now + s_goesOnFor };
            var rule = Json(exception, ClientsJson.Default.AssertionExceptionRule);
            var record = new AuditRecord
            {
                Id = $"{now.ToUnixTimeMilliseconds():x12}{RandomNumberGenerator.GetHexString(20, lowercase: true)}",
                At = now,
                Action = "client.assertion_exception_set",
                Subject = client["_id"].AsString,
                Changes = new Dictionary<string, AuditChange> { [Exception] = new(After: rule.AsString) },
            };
            set.Add(MongoDbClientChange.Recorded(Builders<BsonDocument>.Update.Set(Exception, rule).Set(Excepted, true), record));
        }
        return new UpdateOneModel<BsonDocument>(
            Builders<BsonDocument>.Filter.Eq("_id", client["_id"]) & ToUpgrade,
            Builders<BsonDocument>.Update.Combine(set).Unset(AudienceSeen).Unset(AudienceRule));
    }

    /// <summary>The condition that an origin is.</summary>
    public static FilterDefinition<BsonDocument> Where(OriginFilter origin)
    {
        string?[] values =
        [
            origin.OnboardingClient,
            origin.Kid,
            origin.Thumbprint,
            origin.InitialTokenJti,
            origin.SoftwareStatementIssuer,
            origin.SoftwareId,
        ];
        return Builders<BsonDocument>.Filter.And(
            s_originMembers.Zip(values)
                .Where(member => member.Second is not null)
                .Select(member => Builders<BsonDocument>.Filter.Eq(member.First, member.Second)));
    }

    /// <summary>An index for each member of an origin, oldest or newest first.</summary>
    public static IEnumerable<CreateIndexModel<BsonDocument>> OriginIndexes =>
        s_originMembers.Select(member => MongoDbStorage.Ascending(member, "created_at", "_id"));

    public static Client Read(BsonDocument document) => new()
    {
        ClientId = document["_id"].AsString,
        Status = (ClientStatus)document["status"].AsInt32,
        Version = document["version"].AsInt64,
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(document["created_at"].AsInt64),
        Incarnation = Text(document, "incarnation"),
        ExceptionNeededAt = Time(document, ExceptionNeededAt),
        AssertionException = Read(document.GetValue(Exception, BsonNull.Value), ClientsJson.Default.AssertionExceptionRule),
        Metadata = JsonSerializer.Deserialize(document["metadata"].AsString, ClientsJson.Default.ClientMetadata)!,
        RegistrationAccess = ReadAccess(document),
        Origin = Read(document["origin"], ClientsJson.Default.ClientOrigin),
        RegistrationPolicy = Read(document["policy"], ClientsJson.Default.RegistrationPolicy),
        QuarantinedKeys = [.. document["quarantined_keys"].AsBsonArray.Select(thumbprint => thumbprint.AsString)],
        LastUsedAt = Time(document, "last_used_at"),
        StatusIndex = document.GetValue(MongoDbStatusListStore.Index, BsonNull.Value) is BsonInt64 index ? index.Value : null,
        SigningAlgs = document.GetValue("signing_algs", BsonNull.Value) is BsonArray algs ? [.. algs.Select(alg => alg.AsString)] : null,
        KeyChangeAllowedUntil = Time(document, "key_change_allowed_until"),
        Lifecycle = (
            Read(document.GetValue("lifecycle", BsonNull.Value), ClientsJson.Default.ClientLifecycle)
                ?? ClientLifecycle.Endless) with
        { ReviewAt = Time(document, "review_at") },
    };

    /// <summary>What effects that rest on the client ask of it, without reading the rest.</summary>
    public static ClientStanding ReadStanding(BsonDocument document) => new()
    {
        Status = (ClientStatus)document["status"].AsInt32,
        Version = document["version"].AsInt64,
        Incarnation = Text(document, "incarnation"),
        StatusIndex = document.GetValue(MongoDbStatusListStore.Index, BsonNull.Value) is BsonInt64 index ? index.Value : null,
        ExpiresAt = Read(document.GetValue("lifecycle", BsonNull.Value), ClientsJson.Default.ClientLifecycle)?.ExpiresAt,
        QuarantinedKeys = [.. document["quarantined_keys"].AsBsonArray.Select(thumbprint => thumbprint.AsString)],
        RegistrationAccess = ReadAccess(document),
    };

    /// <summary>That the document itself is as an effect on it asks, which the write that makes the effect finds out by itself.</summary>
    public static FilterDefinition<BsonDocument> Where(ClientGround ground)
    {
        var where = Builders<BsonDocument>.Filter;
        var all = where.Eq("status", (int)ClientStatus.Active) & where.Eq("incarnation", Text(ground.Incarnation));
        all &= ground.StatusIndex is { } index ? where.Eq(MongoDbStatusListStore.Index, index) : where.Empty;
        all &= ground.Version is { } version ? where.Eq("version", version) : where.Empty;
        all &= ground.KeyThumbprint is { } thumbprint ? where.Ne("quarantined_keys", thumbprint) : where.Empty;
        return ground.RegistrationTokenHash is { } hash
            ? all & (where.Eq("token_hash", hash) | where.Eq("previous_token_hash", hash))
            : all;
    }

    private static RegistrationAccess? ReadAccess(BsonDocument document) => document["token_hash"] is BsonString hash
        ? new RegistrationAccess
        {
            TokenHash = hash.Value,
            PreviousTokenHash = Text(document, "previous_token_hash"),
            PreviousValidUntil = Time(document, "previous_valid_until"),
            PreviousChangedKeys = document.GetValue("previous_changed_keys", false).ToBoolean(),
        }
        : null;

    private static string? Text(BsonDocument document, string name) =>
        document.GetValue(name, BsonNull.Value) is BsonString text ? text.Value : null;

    // A member that an earlier version did not write is one that says nothing.
    private static DateTimeOffset? Time(BsonDocument document, string name) =>
        document.GetValue(name, BsonNull.Value) is BsonInt64 time ? DateTimeOffset.FromUnixTimeMilliseconds(time.Value) : null;

    private static BsonValue Time(DateTimeOffset? time) => time is { } value ? value.ToUnixTimeMilliseconds() : BsonNull.Value;

    private static BsonValue Text(string? text) => text is null ? BsonNull.Value : text;

    private static BsonValue Json<T>(T? value, JsonTypeInfo<T> type)
        where T : class => value is null ? BsonNull.Value : JsonSerializer.Serialize(value, type);

    private static T? Read<T>(BsonValue value, JsonTypeInfo<T> type)
        where T : class => value is BsonString text ? JsonSerializer.Deserialize(text.Value, type) : null;
}
