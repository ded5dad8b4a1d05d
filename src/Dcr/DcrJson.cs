using System.Text.Json.Serialization;
using Dcr.Auditing;
using Dcr.Clients;
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
[JsonSerializable(typeof(RegistrationAccess))]
[JsonSerializable(typeof(RegistrationPolicy))]
[JsonSerializable(typeof(AuditRecord))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, AuditChange>))]
public sealed partial class DcrJson : JsonSerializerContext;
