using System.Text.Json.Serialization;

namespace Dcr.Client;

/// <summary>Everything that is written and read as JSON; source-generated, for trimming and AOT.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AuthorizationServerMetadata))]
[JsonSerializable(typeof(ClientInformationBody))]
[JsonSerializable(typeof(ClientMetadata))]
[JsonSerializable(typeof(HostedKey))]
[JsonSerializable(typeof(HostedKeyChangeBody))]
[JsonSerializable(typeof(HostedKeySet))]
[JsonSerializable(typeof(OAuthErrorBody))]
[JsonSerializable(typeof(PublicJwk))]
[JsonSerializable(typeof(PublicJwkSet))]
[JsonSerializable(typeof(RegistrationState))]
[JsonSerializable(typeof(TokenResponse))]
internal sealed partial class DcrClientJson : JsonSerializerContext;
