using Dcr.Jose;

namespace Dcr.Keys;

/// <summary>Whose keys are asked for, and where they are.</summary>
/// <param name="Name">In words, for the log and the audit trail.</param>
/// <param name="Jwks">The keys themselves. Null: they are at <paramref name="JwksUri"/>.</param>
/// <param name="JwksUri">Null: they are in <paramref name="Jwks"/>.</param>
/// <param name="CacheKey">What inline keys are kept by: another one when they change.</param>
/// <param name="Caller">On whose account a download is made.</param>
internal readonly record struct KeyOwner(string Name, JwkSet? Jwks, string? JwksUri, object? CacheKey, FetchCaller? Caller);
