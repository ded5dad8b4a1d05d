using System.Reflection;
using FluentValidation;
using MediatR;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr.Protocol;

/// <summary>
/// The one place that finds use cases: commands and queries, their handlers and validators, and what each passes through.
/// </summary>
internal static class UseCases
{
    // MediatR 5 leaves finding the handlers to the container.
    public static void AddUseCases(this IServiceCollection services)
    {
        var assembly = Assembly.GetExecutingAssembly();
        services.AddValidatorsFromAssembly(
            assembly,
            ServiceLifetime.Singleton,
            includeInternalTypes: true,
            filter: found => found.InterfaceType.GenericTypeArguments[0].IsAssignableTo(typeof(IBaseRequest)));
        foreach (var type in assembly.DefinedTypes.Where(type => type is { IsAbstract: false, IsGenericTypeDefinition: false }))
        {
            foreach (var handled in type.ImplementedInterfaces.Where(IsHandler))
            {
                services.AddSingleton(handled, type);
            }
        }
        services.AddSingleton<UseCaseMetrics>();
        // The first is the outermost. Judgement is before validation: who may not act is told nothing about what was sent.
        services.AddSingleton(typeof(IPipelineBehavior<,>), typeof(ObservationBehavior<,>));
        services.AddSingleton(typeof(IPipelineBehavior<,>), typeof(JudgementBehavior<,>));
        services.AddSingleton(typeof(IPipelineBehavior<,>), typeof(ValidationBehavior<,>));
        services.AddSingleton<ServiceFactory>(provider => provider.GetRequiredService);
        services.AddSingleton<IMediator, Mediator>();
    }

    private static bool IsHandler(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IRequestHandler<,>);
}
