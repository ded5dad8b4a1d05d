using Xunit;

namespace Dcr.StorageTests;

public sealed class AuditStoreOnMongoDb(MongoDbUnderTestStore store) : AuditStoreContract(store), IClassFixture<MongoDbUnderTestStore>;

public sealed class ClientLifecycleStoreOnMongoDb(MongoDbUnderTestStore store) : ClientLifecycleStoreContract(store), IClassFixture<MongoDbUnderTestStore>;

public sealed class ClientListingOnMongoDb(MongoDbUnderTestStore store) : ClientListingContract(store), IClassFixture<MongoDbUnderTestStore>;

public sealed class ClientOperationStoreOnMongoDb(MongoDbUnderTestStore store) : ClientOperationStoreContract(store), IClassFixture<MongoDbUnderTestStore>;

public sealed class ClientStoreOnMongoDb(MongoDbUnderTestStore store) : ClientStoreContract(store), IClassFixture<MongoDbUnderTestStore>;

public sealed class GroundsOnMongoDb(MongoDbUnderTestStore store) : GroundsContract(store), IClassFixture<MongoDbUnderTestStore>;

public sealed class KeySetStoreOnMongoDb(MongoDbUnderTestStore store) : KeySetStoreContract(store), IClassFixture<MongoDbUnderTestStore>;

public sealed class KeyUseStoreOnMongoDb(MongoDbUnderTestStore store) : KeyUseStoreContract(store), IClassFixture<MongoDbUnderTestStore>;

public sealed class LeaseStoreOnMongoDb(MongoDbUnderTestStore store) : LeaseStoreContract(store), IClassFixture<MongoDbUnderTestStore>;

public sealed class QuarantinedKeyStoreOnMongoDb(MongoDbUnderTestStore store) : QuarantinedKeyStoreContract(store), IClassFixture<MongoDbUnderTestStore>;

public sealed class RegistrationAnswersOnMongoDb(MongoDbUnderTestStore store) : RegistrationAnswersContract(store), IClassFixture<MongoDbUnderTestStore>;

public sealed class RegistrationLimitsOnMongoDb(MongoDbUnderTestStore store) : RegistrationLimitsContract(store), IClassFixture<MongoDbUnderTestStore>;

public sealed class RegistrationStoreOnMongoDb(MongoDbUnderTestStore store) : RegistrationStoreContract(store), IClassFixture<MongoDbUnderTestStore>;

public sealed class SeededClientStoreOnMongoDb(MongoDbUnderTestStore store) : SeededClientStoreContract(store), IClassFixture<MongoDbUnderTestStore>;

public sealed class SigningKeyStoreOnMongoDb(MongoDbUnderTestStore store) : SigningKeyStoreContract(store), IClassFixture<MongoDbUnderTestStore>;

public sealed class UsedJtiStoreOnMongoDb(MongoDbUnderTestStore store) : UsedJtiStoreContract(store), IClassFixture<MongoDbUnderTestStore>;
