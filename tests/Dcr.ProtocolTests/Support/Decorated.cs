using Microsoft.Extensions.DependencyInjection;

namespace Dcr.ProtocolTests.Support;

public static class Decorated
{
    /// <summary>Puts something between the server and a service of its own, such as a store that a test lets fail.</summary>
    public static void Decorate<T>(this IServiceCollection services, Func<T, T> decorate)
        where T : class
    {
        var original = services.Last(service => service.ServiceType == typeof(T));
        services.AddSingleton(provider => decorate((T)(original.ImplementationFactory?.Invoke(provider) ?? ActivatorUtilities.CreateInstance(provider, original.ImplementationType!))));
    }
}
