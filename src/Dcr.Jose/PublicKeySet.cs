using System.Text.Json;

namespace Dcr.Jose;

/// <summary>The usable signing keys of a client.</summary>
public sealed class PublicKeySet
{
    /// <summary>How many keys a set may hold, usable or not.</summary>
    public const int MaxKeys = 100;

    // Of a set of which no key is good, so many are looked at in depth: more would be work for a stranger.
    private const int MaxJudged = 10;

    // How many keys are named where a set has no good one.
    private const int MaxNamed = 5;

    private PublicKeySet(IReadOnlyList<PublicKey> keys, IReadOnlyList<LeftOutKey> leftOut, bool isJudged)
    {
        Keys = keys;
        LeftOut = leftOut;
        IsJudged = isJudged;
    }

    /// <summary>In the order of the document.</summary>
    public IReadOnlyList<PublicKey> Keys { get; }

    /// <summary>The keys beside them that have a <c>kid</c>, to say why not when one of them is asked for.</summary>
    internal IReadOnlyList<LeftOutKey> LeftOut { get; }

    /// <summary>False: a key is looked at in depth when it is first picked (<c>DeepFault</c>).</summary>
    private bool IsJudged { get; }

    /// <summary>Bytes of memory, about.</summary>
    internal int Cost => Keys.Sum(key => key.Cost) + LeftOut.Sum(key => 100 + (2 * (key.Kid.Length + key.Fault.Length)));

    internal int CostWhenImported => Keys.Sum(key => key.CostWhenImported);

    /// <summary>
    /// A set that is to be registered: every key meant for signing must be good, no <c>kid</c> may stand for two. Keys of
    /// other kinds are left out (RFC 7517 section 5).
    /// </summary>
    /// <returns>Null, with the fault, when it may not be registered.</returns>
    public static PublicKeySet? ReadForRegistration(JwkSet set, out string fault)
    {
        if (Read(set, skipUnfit: false, MaxKeys, out fault) is not { } keys)
        {
            return null;
        }
        if (keys.Keys.FirstOrDefault(key => key.DeepFault is not null) is { } weak)
        {
            fault = $"key {NameOf(weak)}: {weak.DeepFault}.";
            return null;
        }
        return keys;
    }

    /// <summary>A set that has been registered.</summary>
    internal static PublicKeySet? ReadRegistered(JwkSet set, out string fault) => Read(set, skipUnfit: false, MaxKeys, out fault);

    /// <summary>Keys that were read and judged before.</summary>
    internal static PublicKeySet Of(IReadOnlyList<PublicKey> keys) => new(keys, [], isJudged: true);

    /// <summary>A set that was downloaded: one bad key does not stop the good ones, but a private one stops all.</summary>
    internal static PublicKeySet? ReadDownloaded(JwkSet set, int maxKeys, out string fault) =>
        Read(set, skipUnfit: true, maxKeys, out fault);

    /// <summary>Null: one key at least is good in depth too.</summary>
    internal string? DeepFault()
    {
        var weak = Keys.Take(MaxJudged).TakeWhile(key => key.DeepFault is not null).ToList();
        return weak.Count < Math.Min(Keys.Count, MaxJudged)
            ? null
            : "no key in the set can be used: "
                + string.Join("; ", weak.Take(MaxNamed).Select(key => $"key {NameOf(key)}: {key.DeepFault}")) + ".";
    }

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
            [var key] when !IsJudged && key.DeepFault is { } fault => new KeySelection.Weak(fault),
            [var key] => new KeySelection.Found(key),
            [] => new KeySelection.NoneFits(),
            _ => new KeySelection.Ambiguous(),
        };
    }

    /// <summary>Public members of the usable keys: what is registered, stored and shown.</summary>
    public JwkSet ToJwkSet() => new() { Keys = [.. Keys.Select(key => key.ToJwk())] };

    private static PublicKeySet? Read(JwkSet set, bool skipUnfit, int maxKeys, out string fault)
    {
        fault = "";
        if (set.Keys.Count > maxKeys)
        {
            fault = $"more than {maxKeys} keys.";
            return null;
        }
        var keys = new List<PublicKey>();
        var leftOut = new List<LeftOutKey>();
        var reasons = new List<string>();
        for (var i = 0; i < set.Keys.Count; i++)
        {
            switch (PublicKeyReader.Read(set.Keys[i]))
            {
                case ReadKey.Usable usable when keys.Any(key => IsSame(key, usable.Key)):
                    break;
                case ReadKey.Usable usable:
                    keys.Add(usable.Key);
                    break;
                case ReadKey.Secret secret:
                    fault = $"{Name(set.Keys[i], i)}: {secret.Fault}.";
                    return null;
                case ReadKey.Unfit unfit when !skipUnfit:
                    fault = $"{Name(set.Keys[i], i)}: {unfit.Fault}.";
                    return null;
                case ReadKey.Unfit unfit:
                    LeaveOut(unfit.Fault);
                    break;
                case ReadKey.NotForSigning other:
                    LeaveOut(other.Why);
                    break;
            }

            void LeaveOut(string why)
            {
                reasons.Add($"{Name(set.Keys[i], i)}: {why}");
                if (KidOf(set.Keys[i]) is { } kid)
                {
                    leftOut.Add(new LeftOutKey(kid, why));
                }
            }
        }
        if (keys.GroupBy(key => key.Kid).FirstOrDefault(group => group.Key is not null && group.Count() > 1) is { } twice)
        {
            fault = $"two keys have the kid {Shortened.Of(twice.Key!)}.";
            return null;
        }
        if (keys.Count == 0)
        {
            var more = reasons.Count > MaxNamed ? $"; and {reasons.Count - MaxNamed} more" : "";
            fault = "no key in the set can verify signatures; EC keys on P-256, P-384 or P-521 and RSA keys are known here."
                + (reasons.Count == 0 ? "" : $" {string.Join("; ", reasons.Take(MaxNamed))}{more}.");
            return null;
        }
        return new PublicKeySet(keys, leftOut, isJudged: !skipUnfit);
    }

    // Libraries that merge sets write a key twice; it is one.
    private static bool IsSame(PublicKey one, PublicKey other) =>
        one.Thumbprint == other.Thumbprint && one.Kid == other.Kid && one.Alg == other.Alg;

    private static string NameOf(PublicKey key) => key.Kid is { } kid ? Shortened.Of(kid) : key.Thumbprint;

    private static string Name(JsonElement key, int index) =>
        KidOf(key) is { } kid ? $"key {Shortened.Of(kid)}" : $"key number {index + 1}";

    private static string? KidOf(JsonElement key)
    {
        try
        {
            return key.ValueKind == JsonValueKind.Object && key.TryGetProperty("kid", out var kid) && kid.ValueKind == JsonValueKind.String
                ? kid.GetString()
                : null;
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
    public sealed record Found(PublicKey Key) : KeySelection;

    public sealed record UnknownKid : KeySelection;

    /// <summary>There is one that fits, and anybody could factor it.</summary>
    public sealed record Weak(string Fault) : KeySelection;

    /// <summary>There is no <c>kid</c>, and more than one key fits.</summary>
    public sealed record Ambiguous : KeySelection;

    public sealed record NoneFits : KeySelection;
}
