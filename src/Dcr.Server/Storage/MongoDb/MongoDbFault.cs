using Dcr.Protocol;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>Tells a server that is away, or not writable for now, from a bug: the first is worth a retry, the second is not.</summary>
internal static class MongoDbFault
{
    /// <summary>Runs one operation; an outage becomes a <see cref="StoreUnavailableException"/>.</summary>
    public static async Task<T> GuardAsync<T>(Task<T> operation)
    {
        try
        {
            return await operation;
        }
        catch (Exception exception) when (IsAway(exception))
        {
            throw new StoreUnavailableException("MongoDB cannot be used.", exception);
        }
    }

    public static async Task GuardAsync(Task operation) => await GuardAsync(AsTrue(operation));

    public static bool IsDuplicateKey(Exception exception) => exception switch
    {
        MongoWriteException write => write.WriteError?.Category == ServerErrorCategory.DuplicateKey,
        MongoCommandException command => command.Code == 11000,
        _ => false,
    };

    private static async Task<bool> AsTrue(Task operation)
    {
        await operation;
        return true;
    }

    private static bool IsAway(Exception exception) => exception is
        TimeoutException
        or MongoConnectionException
        or MongoConnectionPoolPausedException
        or MongoWaitQueueFullException
        or MongoNotPrimaryException
        or MongoNodeIsRecoveringException
        or MongoExecutionTimeoutException
        or MongoWriteConcernException;
}
