using System.Reflection;
using Dcr.AccessTokens;
using Dcr.Administration;
using Dcr.Auditing;
using Dcr.ClientAuthentication;
using Dcr.Discovery;
using Dcr.Keys;
using Dcr.ProofOfPossession;
using Dcr.Protocol;
using Dcr.Protocol.RateLimits;
using Dcr.Registration;
using Dcr.TokenStatus;
using FluentValidation;
using MediatR;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Dcr;

public static class DcrSetup
{
    /// <summary>Everything but a store: options, handlers, validators, authentication, the JWK Set fetcher.</summary>
    public static IServiceCollection AddDcr(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddDcrOptions();
        services.AddHandlers();
        services.AddBearerSchemes();
        services.AddCrossOrigin();
        services.AddRateLimits();

        services.AddSingleton<IssuerUrls>();
        services.AddSingleton<AddedMetadata>();
        services.AddSingleton<AuditRecords>();
        services.AddSingleton<ClientAssertionRules>();
        services.AddSingleton<ClientAttestationRules>();
        services.AddSingleton<DpopProofRules>();
        services.AddSingleton<DpopNonces>();
        services.AddSingleton<SecurityProfileRules>();
        services.AddSingleton<AuthenticateClient>();
        services.AddSingleton<RefusalAudit>();
        services.AddSingleton<ClientAuthenticationMetrics>();
        services.AddHostedService<WarnOfDualAudience>();
        services.AddSingleton<ClientKeys>();
        services.AddSingleton<JwksFetcher>();
        services.AddSingleton<JwksCache>();
        services.AddSingleton<DownloadBudget>();
        services.AddSingleton<HostedKeySets>();
        services.AddSingleton<ChangeKeySet>();
        services.AddSingleton<KeyProofRules>();
        services.AddSingleton<DescribeKeySet>();
        services.AddSingleton<JwksMetrics>();
        services.AddSingleton<KeyUses>();
        services.AddHostedService(provider => provider.GetRequiredService<KeyUses>());
        services.AddSingleton<SigningKeys>();
        services.AddSingleton<AccessTokenWriter>();
        services.AddSingleton<BindAccessToken>();
        services.AddSingleton<AccessTokenReader>();
        services.AddSingleton<LiveAccessTokens>();
        services.AddSingleton<IntrospectionJwt>();
        services.AddSingleton<StatusLists>();
        services.AddSingleton<ApproveMetadata>();
        services.AddSingleton<SoftwareStatements>();
        services.AddSingleton<KeyPossession>();
        services.AddSingleton<RegistrationAccessTokens>();
        services.AddSingleton<RegisteringClients>();
        services.AddSingleton<PrepareRegistration>();
        services.AddSingleton<RepeatedRegistrations>();
        services.AddSingleton<RegistrationPolicyReader>();
        services.AddSingleton<SeedClientReader>();
        services.AddSingleton<ChangeClient>();
        services.AddSingleton<ResumeClients>();
        services.AddSingleton<RunClientOperation>();
        services.AddHostedService(provider => provider.GetRequiredService<RunClientOperation>());
        services.AddSingleton<ClockWatch>();
        services.AddHostedService<ReapClientsRegularly>();
        services.AddSingleton<DescribeKeys>();
        services.AddSingleton<SeedFileReader>();
        services.AddSingleton<ApplySeedFile>();
        services.AddSingleton<MakeFirstAdministrator>();
        services.AddSingleton<Readiness>();
        services.AddHostedService<StartUp>();

        services.AddSingleton<StoreOutage>();
        services.AddExceptionHandler<UnexpectedFault>();
        services.AddHealthChecks().AddCheck<StoreHealth>("store");
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, DcrJson.Default));
        return services;
    }

    private static void AddDcrOptions(this IServiceCollection services)
    {
        services.AddSettings<DcrOptions>(DcrOptions.Section).ValidateOnStart();
        services.AddSettings<JwksOptions>(JwksOptions.Section).ValidateOnStart();
        services.AddSettings<SigningKeyOptions>(SigningKeyOptions.Section).ValidateOnStart();
        services.AddSettings<DpopOptions>(DpopOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<DpopOptions>, DpopOptionsValidator>();
        services.AddSettings<TokenStatusOptions>(TokenStatusOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<TokenStatusOptions>, TokenStatusOptionsValidator>();
        services.AddSingleton<IValidateOptions<SigningKeyOptions>, SigningKeyOptionsValidator>();
        services.AddSingleton<IValidateOptions<DcrOptions>, DcrOptionsValidator>();
        services.AddSingleton<IValidateOptions<DcrOptions>, UnknownSettings>();
        services.AddSingleton(KnownSettings.Anything(AddedMetadata.Section));
        services.AddSingleton<IValidateOptions<DcrOptions>, AddedMetadataValidator>();
        services.AddSingleton<IValidateOptions<JwksOptions>, JwksOptionsValidator>();
    }

    // MediatR 5 leaves finding the handlers to the container.
    private static void AddHandlers(this IServiceCollection services)
    {
        var assembly = Assembly.GetExecutingAssembly();
        services.AddValidatorsFromAssembly(assembly, ServiceLifetime.Singleton, includeInternalTypes: true, filter: found => found.InterfaceType.GenericTypeArguments[0].IsAssignableTo(typeof(IBaseRequest)));
        foreach (var type in assembly.DefinedTypes.Where(type => type is { IsAbstract: false, IsGenericTypeDefinition: false }))
        {
            foreach (var handled in type.ImplementedInterfaces.Where(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IRequestHandler<,>)))
            {
                services.AddSingleton(handled, type);
            }
        }
        // The first is the outermost: who may not act is told nothing about what was sent.
        services.AddSingleton(typeof(IPipelineBehavior<,>), typeof(JudgementBehavior<,>));
        services.AddSingleton(typeof(IPipelineBehavior<,>), typeof(ValidationBehavior<,>));
        services.AddSingleton<ServiceFactory>(provider => provider.GetRequiredService);
        services.AddSingleton<IMediator, Mediator>();
    }

    private static void AddBearerSchemes(this IServiceCollection services)
    {
        services.AddAuthentication()
            .AddScheme<AuthenticationSchemeOptions, AccessTokenAuthentication>(AccessTokenAuthentication.SchemeName, null)
            .AddScheme<AuthenticationSchemeOptions, RegistrationAccessTokenAuthentication>(RegistrationAccessTokenAuthentication.SchemeName, null);
        services.AddAuthorizationBuilder()
            .AddPolicy(Policies.InitialAccessToken, policy => policy
                .AddAuthenticationSchemes(AccessTokenAuthentication.SchemeName)
                .RequireClaim(AccessTokenAuthentication.GrantedClaim, ScopeTokens.Registration))
            .AddPolicy(Policies.Administrator, policy => policy
                .AddAuthenticationSchemes(AccessTokenAuthentication.SchemeName)
                .RequireClaim(AccessTokenAuthentication.GrantedClaim, ScopeTokens.Administration))
            .AddPolicy(Policies.RegistrationAccessToken, policy => policy
                .AddAuthenticationSchemes(RegistrationAccessTokenAuthentication.SchemeName)
                .RequireClaim(RegistrationAccessTokenAuthentication.ActiveClaim));
    }
}

/// <summary>Who may call an endpoint, by the token it takes.</summary>
internal static class Policies
{
    public const string InitialAccessToken = "an initial access token, with scope dcr";
    public const string RegistrationAccessToken = "the client's registration access token";
    public const string Administrator = "an access token with scope dcr.admin";
}
