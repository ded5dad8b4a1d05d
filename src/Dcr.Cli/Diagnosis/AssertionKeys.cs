using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>
/// Rules 4 and 5: the key and the signature, by what the client publishes, else by the one key that is at hand.
/// </summary>
internal sealed class AssertionKeys(ExaminedAssertion assertion, KnownFacts known, ICollection<string> warnings)
{
    private const string NextPublish = "Publish the key, or sign with one that is published: dcr keys jwks KEY_FILE writes what to "
        + "publish.";

    private static readonly string[] s_keyMembers = ["jwk", "jku", "x5u", "x5c"];

    private readonly string? _kid = ExaminedAssertion.Text(assertion.Header!, "kid");
    private readonly string _alg = ExaminedAssertion.Text(assertion.Header!, "alg") ?? "";

    /// <summary>Null: there is no set to look at.</summary>
    private readonly ExaminedKeySet? _published = known.Published is { Absence: null } set ? set : null;

    public IReadOnlyList<Finding> Examine()
    {
        WarnOfHeader(assertion.Header!);
        var (finding, key) = _published is { } set ? Choose(set) : ChooseOwn();
        return [finding, assertion.Signature.Length == 0 ? NoSignature() : key is null ? SignatureWithoutKey() : Signature(key)];
    }

    private void WarnOfHeader(JsonObject header)
    {
        foreach (var name in s_keyMembers.Where(header.ContainsKey))
        {
            warnings.Add($"The header has {name}; it never chooses the key: only kid does, among the keys that are registered.");
        }
        if (_kid is null && _published?.UsableKeys.Count() > 1)
        {
            warnings.Add(
                $"There is no kid, and {_published.Name} has {_published.UsableKeys.Count()} keys: as soon as two of them fit "
                    + $"{Excerpt.Of(_alg)}, none is taken.");
        }
    }

    /// <summary>As the server does: <c>kid</c> picks the key; without it exactly one must fit.</summary>
    private (Finding, ExaminedKey?) Choose(ExaminedKeySet set)
    {
        if (set.Fault is { } fault)
        {
            return (
                Failed(
                    $"{set.Name} is refused whole: {fault}",
                    set.Keys.Any(key => key.IsPrivate)
                        ? "Replace this key at once: whoever has seen it can sign. Publish public keys only: dcr keys jwks NEW_KEY_FILE"
                        : "Correct what is published: dcr keys jwks KEY_FILE writes a set."),
                null);
        }
        foreach (var bad in set.Keys.Where(key => key.Fault is not null && (key.Kid is null || key.Kid != _kid)))
        {
            warnings.Add($"The key {bad.Name} of {set.Name} cannot be used: {bad.Fault}.");
        }
        var named = set.UsableKeys.Where(key => _kid is null || key.Kid == _kid).ToList();
        if (named.Count == 0)
        {
            return (UnknownKid(set), null);
        }
        return named.Where(key => key.Fits(_alg)).ToList() switch
        {
            [var key] => (Passed(set, key), key),
            [] =>
                (
                    Failed(
                        $"alg is {Excerpt.Of(_alg)}, and "
                            + (_kid is null
                                ? $"no key of {set.Name} fits it"
                                : $"the key {named[0].Name} of {set.Name} is for {named[0].Algorithms}"),
                        "Sign with an alg that fits the key."),
                    null),
            var several => (
                Failed(
                    $"there is no kid, and {several.Count} keys of {set.Name} fit {Excerpt.Of(_alg)}: {set.KeyNames}",
                    "Put the kid of the key that signs into the header."),
                null),
        };
    }

    private Finding UnknownKid(ExaminedKeySet set)
    {
        if (set.Keys.FirstOrDefault(key => key.Kid == _kid && key.Fault is not null) is { } bad)
        {
            return Failed(
                $"the key {bad.Name} of {set.Name} cannot be used: {bad.Fault}",
                "Publish a better one: dcr keys new KEY_FILE, then dcr keys jwks KEY_FILE");
        }
        var same = known.OwnKey is { } own ? set.UsableKeys.FirstOrDefault(key => key.Thumbprint == own.Thumbprint) : null;
        return Failed(
            $"the kid {Excerpt.Of(_kid)} is not in {set.Name}; it has {set.KeyNames}",
            same is { Kid: { } kid } ? $"Your key is there, under another name. Sign with that: --kid {Excerpt.Of(kid)}" : NextPublish);
    }

    private Finding Passed(ExaminedKeySet set, ExaminedKey key)
    {
        if (known.OwnKey is { } own && set.UsableKeys.All(each => each.Thumbprint != own.Thumbprint))
        {
            warnings.Add($"Your key (thumbprint {own.Thumbprint}) is not in {set.Name}.");
        }
        return Finding.Passed(
            AssertionRule.Key,
            (_kid is null ? "the one key that fits" : $"the kid {key.Name}") + $" is in {set.Name}"
                + (set.MaxAge is { } age ? $" (max-age {TimeText.Seconds(age)})" : "") + $", thumbprint {key.Thumbprint}");
    }

    private (Finding, ExaminedKey?) ChooseOwn()
    {
        var absence = known.Published?.Absence;
        if (known.OwnKey is not { } own)
        {
            return (
                Finding.Unknown(
                    AssertionRule.Key,
                    absence ?? "the client's keys are not known here",
                    "Say where they are: --jwks FILE or URL, or --key FILE"),
                null);
        }
        if (!own.Fits(_alg))
        {
            return (
                Failed($"alg is {Excerpt.Of(_alg)}, and your key is for {own.Algorithms}", "Sign with an alg that fits the key."), null);
        }
        if (_kid is not null && _kid != own.Kid)
        {
            var differs = $"kid is {Excerpt.Of(_kid)}, and your key is {own.Name}";
            return (Verifies(own)
                ? Finding.Unknown(
                    AssertionRule.Key,
                    $"{differs}; it did sign, so it must be registered as {Excerpt.Of(_kid)}",
                    $"If that is its name, say so: --kid {Excerpt.Of(_kid)}")
                : Failed(differs, "Was another key meant? Name it with --key, or its published set with --jwks."), own);
        }
        return (Finding.Unknown(
            AssertionRule.Key,
            (_kid is null ? "there is no kid; your key fits" : $"the kid {own.Name} is that of your key")
                + $"; {absence ?? "whether it is registered is not known here"}",
            "Compare it with what is published: --jwks FILE or URL"), own);
    }

    private Finding Signature(ExaminedKey key)
    {
        var name = key == known.OwnKey ? "your key" : $"the published key {key.Name}";
        if (Verifies(key))
        {
            return Finding.Passed(AssertionRule.Signature, $"it is by {name}");
        }
        if (key != known.OwnKey && known.OwnKey is { } own && Verifies(own))
        {
            return SignatureFailed(
                $"it is by your key (thumbprint {own.Thumbprint}), and the published key {key.Name} is another one (thumbprint "
                    + $"{key.Thumbprint})",
                "Publish your key under a kid of its own, or sign with the one that is published.");
        }
        if (_published?.UsableKeys.FirstOrDefault(Verifies) is { } other)
        {
            return SignatureFailed(
                $"it is by the published key {other.Name}, and {(_kid is null ? "the one that is chosen is" : "kid says")} {key.Name}",
                "Name in kid the key that signs.");
        }
        return SignatureFailed(
            $"it does not verify with {name}: {FormFault() ?? "another key made it, or what it signs was changed afterwards"}",
            "Sign with the private half of that key, header and claims exactly as they are sent.");
    }

    // The server does not come to this; who signed is worth knowing all the same.
    private Finding SignatureWithoutKey()
    {
        if (known.OwnKey is { } own && Verifies(own))
        {
            return Finding.Passed(AssertionRule.Signature, "it is by your key");
        }
        return _published?.UsableKeys.FirstOrDefault(Verifies) is { } other
            ? Finding.Passed(AssertionRule.Signature, $"it is by the published key {other.Name}")
            : Finding.Unknown(AssertionRule.Signature, "there is no key to verify it with");
    }

    private static Finding NoSignature() => SignatureFailed("there is none", "Sign the assertion with the client's private key.");

    // RFC 7518 section 3.4.
    private string? FormFault()
    {
        var length = _alg switch { "ES256" => 64, "ES384" => 96, "ES512" => 132, _ => assertion.Signature.Length };
        var der = assertion.Signature is [0x30, ..] ? ": it is in DER, which most libraries write unless they are told otherwise" : "";
        return assertion.Signature.Length == length
            ? null
            : $"it has {assertion.Signature.Length} bytes and {_alg} has {length}{der}";
    }

    private bool Verifies(ExaminedKey key) => key.Verifies(_alg, assertion.SigningInput, assertion.Signature);

    private static Finding Failed(string detail, string next) => Finding.Failed(AssertionRule.Key, detail, next);

    private static Finding SignatureFailed(string detail, string next) => Finding.Failed(AssertionRule.Signature, detail, next);
}
