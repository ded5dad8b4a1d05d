using System.Security.Cryptography;
using Dcr.Protocol;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>Tells a server that is away, or not writable for now, from a bug: the first is worth a retry, the second is not.</summary>
internal static class MongoDbFault
{
    private const int MaxConflicts = 10;

    /// <summary>
    /// Runs one operation; an outage becomes a <see cref="StoreUnavailableException"/>. One that lost against another at the same
    /// moment was not done, and is run again: every operation here may be.
    /// </summary>
    public static async Task<T> GuardAsync<T>(Func<Task<T>> operation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await operation();
            }
            catch (Exception exception) when (attempt < MaxConflicts && IsLostConflict(exception))
            {
                await Task.Delay(RandomNumberGenerator.GetInt32(1, 10 * attempt));
            }
            catch (Exception exception) when (IsAway(exception) || IsLostConflict(exception))
            {
                throw new StoreUnavailableException("MongoDB cannot be used.", exception) { NothingWritten = WasTurnedAway(exception) };
            }
        }
    }

    public static Task GuardAsync(Func<Task> operation) => GuardAsync(async () =>
    {
        await operation();
        return true;
    });

    /// <summary>What is duplicated is on a majority: a write concern error beside it would make it an outage.</summary>
    public static bool IsDuplicateKey(MongoWriteException exception) =>
        exception is { WriteConcernError: null, WriteError.Category: ServerErrorCategory.DuplicateKey };

    public static bool IsNothingButDuplicateKeys(MongoBulkWriteException exception) =>
        exception.WriteConcernError is null && exception.WriteErrors.All(error => error.Category == ServerErrorCategory.DuplicateKey);

    /// <summary>
    /// WriteConflict, which MongoDB itself runs again, and the deadlock that engines on PostgreSQL give up one of two writes for.
    /// </summary>
    private static bool IsLostConflict(Exception exception) => exception switch
    {
        MongoWriteException { WriteConcernError: null, WriteError: { } error } => IsLostConflict(error.Code, error.Message),
        MongoBulkWriteException { WriteConcernError: null } bulk =>
            bulk.WriteErrors.Any(error => IsLostConflict(error.Code, error.Message)),
        MongoCommandException command => IsLostConflict(command.Code, command.ErrorMessage),
        _ => false,
    };

    private static bool IsLostConflict(int code, string? message) =>
        code == 112 || (code == 1 && message?.Contains("deadlock", StringComparison.Ordinal) == true);

    // A write concern error decides before the error beside it does: that one is not certain either.
    private static bool IsAway(Exception exception) => exception switch
    {
        MongoException overloaded when overloaded.HasErrorLabel("SystemOverloadedError") => true,
        TimeoutException or MongoConnectionException or MongoConnectionPoolPausedException or MongoWaitQueueFullException => true,
        MongoNotPrimaryException or MongoNodeIsRecoveringException or MongoExecutionTimeoutException or MongoWriteConcernException => true,
        MongoWriteException write => write.WriteConcernError is not null || (write.WriteError is { } error && IsAway(error.Code)),
        MongoBulkWriteException bulk => bulk.WriteConcernError is not null || bulk.WriteErrors.Any(error => IsAway(error.Code)),
        MongoCommandException command => IsAway(command.Code),
        _ => false,
    };

    // By a server that is no primary any more, before it did anything. One that was interrupted may have written.
    private static bool WasTurnedAway(Exception exception) => exception switch
    {
        MongoNotPrimaryException or MongoConnectionPoolPausedException => true,
        MongoCommandException command => IsNoPrimary(command.Code),
        MongoWriteException { WriteConcernError: null, WriteError: { } error } => IsNoPrimary(error.Code),
        _ => false,
    };

    // NotWritablePrimary, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary
    private static bool IsNoPrimary(int code) => code is 10107 or 13435 or 13436;

    // The server's own codes. A router passes on as a plain error what became of the shard behind it.
    private static bool IsAway(int code) => code is
        6 or 7 or 89 or 9001 // HostUnreachable, HostNotFound, NetworkTimeout, SocketException
        or 50 or 262 // MaxTimeMSExpired, ExceededTimeLimit
        or 64 or 133 or 134 // WriteConcernTimeout, FailedToSatisfyReadPreference, ReadConcernMajorityNotAvailableYet
        or 202 or 365 // NetworkInterfaceExceededTimeLimit, TemporarilyUnavailable
        or 43 or 175 // CursorNotFound, QueryPlanKilled: what was being read is gone, and can be asked for again
        or 91 or 11600 or 11601 or 11602 // ShutdownInProgress, InterruptedAtShutdown, Interrupted, InterruptedDueToReplStateChange
        or 189 or 10107 or 13435 or 13436 // PrimarySteppedDown, NotWritablePrimary, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary
        or 14031; // OutOfDiskSpace
}
