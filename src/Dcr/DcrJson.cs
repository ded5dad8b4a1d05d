using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Dcr.AccessTokens;
using Dcr.Administration;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Discovery;
using Dcr.Keys;
using Dcr.Protocol;
using Dcr.Registration;

namespace Dcr;

/// <summary>Every type that is read from or written to the wire or a store, with its names made at build time.</summary>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(ClientMetadata))]
[JsonSerializable(typeof(ClientOrigin))]
[JsonSerializable(typeof(ClientLifecycle))]
[JsonSerializable(typeof(OriginFilter))]
[JsonSerializable(typeof(RegistrationAccess))]
[JsonSerializable(typeof(RegistrationPolicy))]
[JsonSerializable(typeof(AuditRecord))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, AuditChange>))]
[JsonSerializable(typeof(AccessTokenRequest))]
[JsonSerializable(typeof(AdminClient))]
[JsonSerializable(typeof(AssertionExceptionRule))]
[JsonSerializable(typeof(NewRegistrationAccessToken))]
[JsonSerializable(typeof(AssertionToDiagnose))]
[JsonSerializable(typeof(AssertionDiagnosis))]
[JsonSerializable(typeof(ClientInformation))]
[JsonSerializable(typeof(ClientStatus))]
[JsonSerializable(typeof(IssuedAccessToken))]
[JsonSerializable(typeof(Introspection))]
[JsonSerializable(typeof(TokenQuery))]
[JsonSerializable(typeof(JsonNode))]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(OAuthErrorBody))]
[JsonSerializable(typeof(Page<AdminClient>), TypeInfoPropertyName = "PageAdminClient")]
[JsonSerializable(typeof(AdminOnboardingClient))]
[JsonSerializable(typeof(Page<AdminOnboardingClient>), TypeInfoPropertyName = "PageAdminOnboardingClient")]
[JsonSerializable(typeof(ClientsOfOrigin))]
[JsonSerializable(typeof(AdminOperation))]
[JsonSerializable(typeof(IReadOnlyList<StatementOrigin>))]
[JsonSerializable(typeof(ReapRequest))]
[JsonSerializable(typeof(ReapedClients))]
[JsonSerializable(typeof(AdminSigningKey))]
[JsonSerializable(typeof(Page<AdminSigningKey>), TypeInfoPropertyName = "PageAdminSigningKey")]
[JsonSerializable(typeof(SigningKeyRotation))]
[JsonSerializable(typeof(AdminHostedKey))]
[JsonSerializable(typeof(AdminKeySet))]
[JsonSerializable(typeof(Page<AdminKeySet>), TypeInfoPropertyName = "PageAdminKeySet")]
[JsonSerializable(typeof(HostedKeyState))]
[JsonSerializable(typeof(IReadOnlyList<HostedKey>))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(JwkSet))]
[JsonSerializable(typeof(KeyRetirement))]
[JsonSerializable(typeof(NewClientKey))]
[JsonSerializable(typeof(ClientKeyChange))]
[JsonSerializable(typeof(AdminKey))]
[JsonSerializable(typeof(Page<AdminKey>), TypeInfoPropertyName = "PageAdminKey")]
[JsonSerializable(typeof(QuarantineReason))]
[JsonSerializable(typeof(AdminQuarantinedKey))]
[JsonSerializable(typeof(Page<AdminQuarantinedKey>), TypeInfoPropertyName = "PageAdminQuarantinedKey")]
[JsonSerializable(typeof(Page<AuditRecord>), TypeInfoPropertyName = "PageAuditRecord")]
[JsonSerializable(typeof(PublicSigningKeySet))]
[JsonSerializable(typeof(SeedFile))]
[JsonSerializable(typeof(ServerMetadata))]
public sealed partial class DcrJson : JsonSerializerContext;
