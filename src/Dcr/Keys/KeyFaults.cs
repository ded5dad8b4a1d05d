using System.Globalization;
using Dcr.Jose;
using Dcr.Protocol;

namespace Dcr.Keys;

/// <param name="Owner">Whose key it must be, in words.</param>
/// <param name="Kid">Null: whichever fits.</param>
/// <param name="Alg">What it must be good for.</param>
internal readonly record struct WantedKey(string Owner, string? Kid, string Alg);

/// <summary>
/// Why there is no key to verify with, in words for the log, the audit trail and administrators: what was asked for, what
/// there is instead, and how old that is. Made for refusals only.
/// </summary>
internal static class KeyFaults
{
    private const int MaxListed = 10;

    /// <summary>What is wrong with the choice.</summary>
    public static string Of(KeySelection selection, PublicKeySet set, WantedKey wanted) => selection switch
    {
        KeySelection.UnknownKid when set.LeftOut.FirstOrDefault(key => key.Kid == wanted.Kid) is { Fault: { } fault } =>
            $"the key of {wanted.Owner} with kid {Shortened.OrNone(wanted.Kid)} cannot be used: {fault}",
        KeySelection.UnknownKid => $"no key of {wanted.Owner} has kid {Shortened.OrNone(wanted.Kid)}",
        KeySelection.Weak weak => $"the key of {wanted.Owner} with kid {Shortened.OrNone(wanted.Kid)} cannot be used: {weak.Fault}",
        KeySelection.Ambiguous =>
            $"there is no kid and more than one key of {wanted.Owner} fits {wanted.Alg}: the header must name one in kid",
        _ when wanted.Kid is { } kid =>
            $"the key of {wanted.Owner} with kid {Shortened.Of(kid)} does not fit {wanted.Alg}; it fits "
                + $"{Algs(set.Keys.Where(key => key.Kid == kid))}",
        _ => $"no key of {wanted.Owner} fits {wanted.Alg}; there are keys for {Algs(set.Keys)}",
    };

    public static string Inline(PublicKeySet set) => $"the registered jwks has {Kids(set)}";

    /// <summary>The set that was looked at, and whether its host could be asked since.</summary>
    public static string Fetched(string uri, PublicKeySet set, CachedJwks? document)
    {
        var at = document?.Keys == set ? $" at {Text(document.FetchedAt)}" : "";
        var failure = document?.LastFailure is { } last
            ? $"; it could not be fetched again at {Text(last.At)}: {last.Detail.TrimEnd('.')}"
            : "";
        return $"the set fetched from {Text(uri)}{at} has {Kids(set)}{failure}";
    }

    /// <summary>There is no set that may be used.</summary>
    public static string Unavailable(string uri, string fault, CachedJwks? document)
    {
        var at = document?.LastFailure is { } last ? $" at {Text(last.At)}" : "";
        var old = document?.Keys is null ? "" : $"; the set fetched at {Text(document.FetchedAt)} is too old";
        return $"the keys could not be fetched from {Text(uri)}{at}: {fault.TrimEnd('.')}{old}";
    }

    public static string NotAskedAgain(TimeSpan cooldown) =>
        $"it was not fetched again for this: that is done {UnknownKidBudget.InCooldown} times in "
            + $"{cooldown.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture)} s";

    public static string Hosted(HostedKeySet set, DateTimeOffset now)
    {
        var published = set.Keys.Where(key => key.IsPublished(now))
            .Select(key => $"{Shortened.Of(key.Kid)} ({WireEnum.NameOf(key.StateAt(now))})")
            .ToList();
        return $"the hosted key set {set.Id} has {(published.Count == 0 ? "no key" : List(published))}";
    }

    private static string Kids(PublicKeySet set) =>
        List([.. set.Keys.Select(key => key.Kid is { } kid ? Shortened.Of(kid) : "a key without kid")]);

    private static string Algs(IEnumerable<PublicKey> keys) =>
        string.Join(' ', JwsAlgorithms.Supported.Where(alg => keys.Any(key => key.Fits(alg))));

    private static string List(List<string> names) =>
        string.Join(' ', names.Take(MaxListed)) + (names.Count > MaxListed ? $" and {names.Count - MaxListed} more" : "");

    // Without its query, which may be meant for this server only.
    private static string Text(string uri) => Shortened.OfUrl(new Uri(uri).GetLeftPart(UriPartial.Path));

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
