using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Dcr.Protocol;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr.AccessTokens;

/// <summary>Access tokens: issued, read, introspected, revoked.</summary>
internal static class AccessTokensFeature
{
    public static IServiceCollection AddAccessTokens(this IServiceCollection services)
    {
        services.AddSingleton<AccessTokenWriter>();
        services.AddSingleton<AccessTokenReader>();
        services.AddSingleton<AccessTokenBinding>();
        services.AddSingleton<LiveAccessTokens>();
        services.AddSingleton<IntrospectionJwt>();
        services.AddAuthentication()
            .AddScheme<AuthenticationSchemeOptions, AccessTokenAuthentication>(AccessTokenAuthentication.SchemeName, null);
        return services;
    }

    public static void MapAccessTokens(this IEndpointRouteBuilder oauth)
    {
        oauth.MapPost("/token", IssueAccessTokenRoute.HandleAsync).CalledByChosenOrigins()
            .Is("Tokens", "Get an access token").TakesHeader("DPoP", "A proof by the key to bind the token to (RFC 9449)")
            .TakesHeader("OAuth-Client-Attestation", "In place of client_assertion: an attester's JWT for the key of a device")
            .TakesHeader("OAuth-Client-Attestation-PoP", "The device's proof of that key, unless DPoP is one")
            .TakesForm<AccessTokenRequest>().Gives<IssuedAccessToken>().Refuses(400, 401, 413, 415);

        oauth.MapPost("/introspect", IntrospectAccessTokenRoute.HandleAsync).CalledByChosenOrigins()
            .Is("Tokens", "Ask whether a token is live (RFC 7662)").TakesForm<TokenQuery>().Gives<Introspection>()
            .Refuses(400, 401, 403, 413, 415);

        oauth.MapPost("/revoke", RevokeAccessTokenRoute.HandleAsync)
            .Is("Tokens", "Revoke a token (RFC 7009)").TakesForm<TokenQuery>().Produces(StatusCodes.Status200OK)
            .Refuses(400, 401, 413, 415);
    }
}

[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(AccessTokenRequest))]
[JsonSerializable(typeof(IssuedAccessToken))]
[JsonSerializable(typeof(TokenQuery))]
[JsonSerializable(typeof(Introspection))]
[JsonSerializable(typeof(JsonNode))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class AccessTokensJson : JsonSerializerContext;
