using Microsoft.Extensions.DependencyInjection;

namespace Dcr;

/// <summary>
/// What <see cref="DcrSetup.AddDcr"/> gives: a store is chosen on it, such as <c>UseSqlite</c> of the package Dcr.Storage.Sqlite.
/// </summary>
/// <param name="services">The services of the host.</param>
public sealed class DcrBuilder(IServiceCollection services)
{
    /// <summary>The services of the host, for a store to add its own to.</summary>
    public IServiceCollection Services { get; } = services;
}
