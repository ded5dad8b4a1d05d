using Xunit;

namespace Dcr.StorageTests;

public sealed class AuditStoreOnInMemory(InMemoryUnderTest store) : AuditStoreContract(store), IClassFixture<InMemoryUnderTest>;

public sealed class ClientLifecycleStoreOnInMemory(InMemoryUnderTest store) : ClientLifecycleStoreContract(store), IClassFixture<InMemoryUnderTest>;

public sealed class ClientListingOnInMemory(InMemoryUnderTest store) : ClientListingContract(store), IClassFixture<InMemoryUnderTest>;

public sealed class ClientOperationStoreOnInMemory(InMemoryUnderTest store) : ClientOperationStoreContract(store), IClassFixture<InMemoryUnderTest>;

public sealed class ClientStoreOnInMemory(InMemoryUnderTest store) : ClientStoreContract(store), IClassFixture<InMemoryUnderTest>;

public sealed class GroundsOnInMemory(InMemoryUnderTest store) : GroundsContract(store), IClassFixture<InMemoryUnderTest>;

public sealed class KeySetStoreOnInMemory(InMemoryUnderTest store) : KeySetStoreContract(store), IClassFixture<InMemoryUnderTest>;

public sealed class KeyUseStoreOnInMemory(InMemoryUnderTest store) : KeyUseStoreContract(store), IClassFixture<InMemoryUnderTest>;

public sealed class LeaseStoreOnInMemory(InMemoryUnderTest store) : LeaseStoreContract(store), IClassFixture<InMemoryUnderTest>;

public sealed class QuarantinedKeyStoreOnInMemory(InMemoryUnderTest store) : QuarantinedKeyStoreContract(store), IClassFixture<InMemoryUnderTest>;

public sealed class RegistrationAnswersOnInMemory(InMemoryUnderTest store) : RegistrationAnswersContract(store), IClassFixture<InMemoryUnderTest>;

public sealed class RegistrationLimitsOnInMemory(InMemoryUnderTest store) : RegistrationLimitsContract(store), IClassFixture<InMemoryUnderTest>;

public sealed class RegistrationStoreOnInMemory(InMemoryUnderTest store) : RegistrationStoreContract(store), IClassFixture<InMemoryUnderTest>;

public sealed class SeededClientStoreOnInMemory(InMemoryUnderTest store) : SeededClientStoreContract(store), IClassFixture<InMemoryUnderTest>;

public sealed class SigningKeyStoreOnInMemory(InMemoryUnderTest store) : SigningKeyStoreContract(store), IClassFixture<InMemoryUnderTest>;

public sealed class StatusListStoreOnInMemory(InMemoryUnderTest store) : StatusListStoreContract(store), IClassFixture<InMemoryUnderTest>;

public sealed class UsedJtiStoreOnInMemory(InMemoryUnderTest store) : UsedJtiStoreContract(store), IClassFixture<InMemoryUnderTest>;
