using Xunit;

namespace Dcr.StorageTests;

public sealed class AuditStoreOnSqlite(SqliteUnderTest store) : AuditStoreContract(store), IClassFixture<SqliteUnderTest>;

public sealed class ClientLifecycleStoreOnSqlite(SqliteUnderTest store) : ClientLifecycleStoreContract(store), IClassFixture<SqliteUnderTest>;

public sealed class ClientListingOnSqlite(SqliteUnderTest store) : ClientListingContract(store), IClassFixture<SqliteUnderTest>;

public sealed class ClientOperationStoreOnSqlite(SqliteUnderTest store) : ClientOperationStoreContract(store), IClassFixture<SqliteUnderTest>;

public sealed class ClientStoreOnSqlite(SqliteUnderTest store) : ClientStoreContract(store), IClassFixture<SqliteUnderTest>;

public sealed class GroundsOnSqlite(SqliteUnderTest store) : GroundsContract(store), IClassFixture<SqliteUnderTest>;

public sealed class KeySetStoreOnSqlite(SqliteUnderTest store) : KeySetStoreContract(store), IClassFixture<SqliteUnderTest>;

public sealed class KeyUseStoreOnSqlite(SqliteUnderTest store) : KeyUseStoreContract(store), IClassFixture<SqliteUnderTest>;

public sealed class LeaseStoreOnSqlite(SqliteUnderTest store) : LeaseStoreContract(store), IClassFixture<SqliteUnderTest>;

public sealed class QuarantinedKeyStoreOnSqlite(SqliteUnderTest store) : QuarantinedKeyStoreContract(store), IClassFixture<SqliteUnderTest>;

public sealed class RegistrationAnswersOnSqlite(SqliteUnderTest store) : RegistrationAnswersContract(store), IClassFixture<SqliteUnderTest>;

public sealed class RegistrationLimitsOnSqlite(SqliteUnderTest store) : RegistrationLimitsContract(store), IClassFixture<SqliteUnderTest>;

public sealed class RegistrationStoreOnSqlite(SqliteUnderTest store) : RegistrationStoreContract(store), IClassFixture<SqliteUnderTest>;

public sealed class SeededClientStoreOnSqlite(SqliteUnderTest store) : SeededClientStoreContract(store), IClassFixture<SqliteUnderTest>;

public sealed class SigningKeyStoreOnSqlite(SqliteUnderTest store) : SigningKeyStoreContract(store), IClassFixture<SqliteUnderTest>;

public sealed class StatusListStoreOnSqlite(SqliteUnderTest store) : StatusListStoreContract(store), IClassFixture<SqliteUnderTest>;

public sealed class UsedJtiStoreOnSqlite(SqliteUnderTest store) : UsedJtiStoreContract(store), IClassFixture<SqliteUnderTest>;
