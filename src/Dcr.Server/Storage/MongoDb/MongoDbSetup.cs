namespace Dcr.Server.Storage.MongoDb;
internal static class MongoDbSetup { public static void AddMongoDbStorage(this IServiceCollection services) => throw new NotSupportedException(); }
