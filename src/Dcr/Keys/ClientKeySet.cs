using System.Text.Json;
using Dcr.Protocol;

namespace Dcr.Keys;

/// <summary>The usable signing keys of a client.</summary>
public sealed class ClientKeySet
{
    /// <summary>How many keys a set may hold, usable or not.</summary>
    public const int MaxKeys = 100;

    private ClientKeySet(IReadOnlyList<ClientKey> keys, IReadOnlyList<LeftOutKey> leftOut)
    {
        Keys = keys;
        LeftOut = leftOut;
    }

    public IReadOnlyList<ClientKey> Keys { get; }

    /// <summary>The keys beside them that have a <c>kid</c>, to say why not when one of them is asked for.</summary>
    internal IReadOnlyList<LeftOutKey> LeftOut { get; }

    /// <summary>
    /// A set that a client registers: every key meant for signing must be good, no <c>kid</c> may stand twice. Keys of
    /// other kinds are left out (RFC 7517 section 5).
    /// </summary>
    public static Result<ClientKeySet> ReadForRegistration(JwkSet set)
    {
        if (Read(set, skipUnfit: false, MaxKeys, out var fault) is { } keys)
        {
            return keys;
        }
        return OAuthError.InvalidClientMetadata($"jwks: {fault}");
    }

    /// <summary>Keys that were read and judged before.</summary>
    internal static ClientKeySet Of(IReadOnlyList<ClientKey> keys) => new(keys, []);

    /// <summary>A set that was downloaded: one bad key does not stop the good ones, but a private one stops all.</summary>
    internal static ClientKeySet? ReadDownloaded(JwkSet set, int maxKeys, out string fault) => Read(set, skipUnfit: true, maxKeys, out fault);

    /// <summary>RFC 7515 section 4.1.4: <c>kid</c> picks the key; without it exactly one must fit.</summary>
    internal KeySelection Select(string? kid, string alg)
    {
        var named = kid is null ? Keys : [.. Keys.Where(key => key.Kid == kid)];
        if (named.Count == 0)
        {
            return new KeySelection.UnknownKid();
        }
        return named.Where(key => key.Fits(alg)).Take(2).ToArray() switch
        {
            [var key] => new KeySelection.Found(key),
            [] => new KeySelection.NoneFits(),
            _ => new KeySelection.Ambiguous(),
        };
    }

    /// <summary>Public members of the usable keys: what is registered, stored and shown.</summary>
    public JwkSet ToJwkSet() => new() { Keys = [.. Keys.Select(key => key.ToJwk())] };

    private static ClientKeySet? Read(JwkSet set, bool skipUnfit, int maxKeys, out string fault)
    {
        fault = "";
        if (set.Keys.Count > maxKeys)
        {
            fault = $"more than {maxKeys} keys.";
            return null;
        }
        var keys = new List<ClientKey>();
        var leftOut = new List<LeftOutKey>();
        for (var i = 0; i < set.Keys.Count; i++)
        {
            switch (ClientKeyReader.Read(set.Keys[i]))
            {
                case ReadKey.Usable usable:
                    keys.Add(usable.Key);
                    break;
                case ReadKey.Secret secret:
                    fault = $"{Name(set.Keys[i], i)}: {secret.Fault}.";
                    return null;
                case ReadKey.Unfit unfit when !skipUnfit:
                    fault = $"{Name(set.Keys[i], i)}: {unfit.Fault}.";
                    return null;
                case var other when KidOf(set.Keys[i]) is { } kid:
                    leftOut.Add(new LeftOutKey(kid, other is ReadKey.Unfit { Fault: var why } ? why : "it is not for signatures, or of a kind or alg that is not known here"));
                    break;
                default:
                    break;
            }
        }
        if (keys.GroupBy(key => key.Kid).FirstOrDefault(group => group.Key is not null && group.Count() > 1) is { } twice)
        {
            fault = $"two keys have the kid {Shortened.Of(twice.Key!)}.";
            return null;
        }
        if (keys.Count == 0)
        {
            fault = "no key in the set can verify signatures; EC keys on P-256, P-384 or P-521 and RSA keys are known here.";
            return null;
        }
        return new ClientKeySet(keys, leftOut);
    }

    private static string Name(JsonElement key, int index) => KidOf(key) is { } kid ? $"key {Shortened.Of(kid)}" : $"key number {index + 1}";

    private static string? KidOf(JsonElement key)
    {
        try
        {
            return key.ValueKind == JsonValueKind.Object && key.TryGetProperty("kid", out var kid) && kid.ValueKind == JsonValueKind.String ? kid.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate escape is no name.
            return null;
        }
    }
}

/// <param name="Kid">As the document names it.</param>
/// <param name="Fault">Why it cannot verify anything.</param>
internal readonly record struct LeftOutKey(string Kid, string Fault);

/// <summary>Which key an assertion is to be verified with.</summary>
internal abstract record KeySelection
{
    public sealed record Found(ClientKey Key) : KeySelection;

    public sealed record UnknownKid : KeySelection;

    /// <summary>There is no <c>kid</c>, and more than one key fits.</summary>
    public sealed record Ambiguous : KeySelection;

    public sealed record NoneFits : KeySelection;
}
