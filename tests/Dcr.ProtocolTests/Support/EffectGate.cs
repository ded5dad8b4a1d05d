using System.Reflection;
using Dcr.Bulk;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;
using Dcr.Registration;
using Dcr.SigningKeys;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr.ProtocolTests.Support;

/// <summary>Stands before every store of a server, and does what a test wants right before an effect that rests on grounds is made.</summary>
public sealed class EffectGate
{
    private Func<Task>? _before;

    /// <summary>Once, before the next effect.</summary>
    public void BeforeTheNextEffect(Func<Task> act) => _before = act;

    public bool HasOpened => _before is null;

    public void Install(IServiceCollection services)
    {
        Guard<IClientStore>(services);
        Guard<IClientLifecycleStore>(services);
        Guard<IRegistrationStore>(services);
        Guard<IKeySetStore>(services);
        Guard<IQuarantinedKeyStore>(services);
        Guard<ISigningKeyStore>(services);
        Guard<IClientOperationStore>(services);
    }

    internal void Pass(object?[] arguments)
    {
        var grounds = arguments.OfType<Grounds>().FirstOrDefault() ?? arguments.OfType<NewRegistration>().FirstOrDefault()?.Grounds;
        if (grounds is { Clients.Count: > 0 } && Interlocked.Exchange(ref _before, null) is { } act)
        {
            Task.Run(act).GetAwaiter().GetResult();
        }
    }

    private void Guard<T>(IServiceCollection services)
        where T : class
    {
        var registered = services.Last(service => service.ServiceType == typeof(T));
        services.Remove(registered);
        services.AddSingleton(provider => GuardedStore<T>.Of(
            (T)(registered.ImplementationFactory?.Invoke(provider) ?? ActivatorUtilities.CreateInstance(provider, registered.ImplementationType!)), this));
    }
}

/// <summary>A store behind an <see cref="EffectGate"/>.</summary>
public class GuardedStore<T> : DispatchProxy
    where T : class
{
    private T _store = null!;
    private EffectGate _gate = null!;

    internal static T Of(T store, EffectGate gate)
    {
        var proxy = Create<T, GuardedStore<T>>();
        ((GuardedStore<T>)(object)proxy)._store = store;
        ((GuardedStore<T>)(object)proxy)._gate = gate;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        _gate.Pass(args!);
        try
        {
            return targetMethod!.Invoke(_store, args);
        }
        catch (TargetInvocationException exception)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(exception.InnerException!);
            throw;
        }
    }
}
