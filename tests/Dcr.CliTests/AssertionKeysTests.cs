using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Dcr.Cli;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary>What dcr doctor says of the key and the signature: keys that are right, and one thing that is not.</summary>
[Requirement("P-CLI-DOCTOR")]
public sealed class AssertionKeysTests : IDisposable
{
    private readonly ExaminationScenario _scenario = new();

    public void Dispose() => _scenario.Dispose();

    [Fact]
    public void Rejects_a_kid_that_is_not_published()
    {
        _scenario.Assertion.Header["kid"] = "k2";
        var finding = Failing(AssertionRule.Key);
        Assert.Equal("the kid k2 is not in the set; it has k1 k3", finding.Detail);
        Assert.Equal("Your key is there, under another name. Sign with that: --kid k1", finding.Next);
        Assert.Equal("it is by your key", _scenario.Examine(AssertionRule.Signature).Detail);
    }

    [Fact]
    public void Rejects_two_keys_with_one_kid()
    {
        Publish(TestAssertion.Jwk(_scenario.Assertion.Key, "k1"), TestAssertion.Jwk(_scenario.OtherKey, "k1"));
        Assert.Equal("the set is refused whole: two keys have the kid k1", Failing(AssertionRule.Key).Detail);
    }

    [Fact]
    public void Rejects_a_set_with_a_private_key()
    {
        var jwk = TestAssertion.Jwk(_scenario.OtherKey, "k3");
        jwk["d"] = "c2VjcmV0LW9mLWszLg";
        Publish(TestAssertion.Jwk(_scenario.Assertion.Key, "k1"), jwk);
        var finding = Failing(AssertionRule.Key);
        Assert.Equal("the set is refused whole: the key k3 is published with its private half: it has the member d, which is private", finding.Detail);
        Assert.StartsWith("Replace this key at once", finding.Next, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_a_weak_key()
    {
        using var rsa = RSA.Create(1024);
        Publish(Rsa(rsa, "k1"));
        Assert.Contains("it is an RSA key of 1024 bits; 2048 to 8192 are accepted", Failing(AssertionRule.Key).Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("RS1")]
    [InlineData("RS257")]
    [InlineData("PS")]
    [InlineData("RSA-OAEP")]
    public void Rejects_an_RSA_key_for_an_algorithm_that_nobody_takes(string alg)
    {
        using var rsa = RSA.Create(2048);
        var jwk = Rsa(rsa, "k1");
        jwk["alg"] = alg;
        Publish(jwk);
        Assert.Contains($"its alg is {alg}, and an RSA key goes with PS256 PS384 PS512 RS256 RS384 RS512", Failing(AssertionRule.Key).Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("use", "enc", "its use is enc, not sig")]
    [InlineData("alg", "ES384", "its alg is ES384, and P-256 goes with ES256")]
    [InlineData("crv", "secp256k1", "its crv is secp256k1; P-256, P-384 and P-521 can be used")]
    [InlineData("x", "AQ", "x and y must be base64url of 32 bytes for P-256, with the zeros that they begin with")]
    [InlineData("y", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "x and y are no point on P-256")]
    [InlineData("kty", "OKP", "its kty is OKP; EC and RSA can be used")]
    public void Rejects_a_key_that_cannot_be_used(string member, string value, string why)
    {
        var jwk = TestAssertion.Jwk(_scenario.Assertion.Key, "k1");
        jwk[member] = value;
        Publish(jwk, TestAssertion.Jwk(_scenario.OtherKey, "k3"));
        Assert.Equal($"the key k1 of the set cannot be used: {why}", Failing(AssertionRule.Key).Detail);
    }

    [Fact]
    public void Warns_of_other_keys_that_cannot_be_used()
    {
        var bad = TestAssertion.Jwk(_scenario.OtherKey, "k3");
        bad["x"] = "AQ";
        Publish(TestAssertion.Jwk(_scenario.Assertion.Key, "k1"), bad);
        Assert.Equal(RuleOutcome.Passed, _scenario.Examine(AssertionRule.Key).Outcome);
        Assert.StartsWith("The key k3 of the set cannot be used", Assert.Single(_scenario.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no JSON", "it is not JSON with each member named once")]
    [InlineData("""{"keys":[],"keys":[]}""", "it is not JSON with each member named once")]
    [InlineData("[]", "it is no JWK Set: {\"keys\": [...]}")]
    [InlineData("""{"keys":[]}""", "it has no key")]
    [InlineData("""{"keys":[7,{"kty":7}]}""", "it has no key that can be used: number 1: it is no JSON object; number 2: it is no JWK (RFC 7517 section 4)")]
    public void Rejects_what_is_no_set_of_keys(string json, string why)
    {
        _scenario.Known = _scenario.Known with { Published = ExaminedKeySet.Parse("the set", json) };
        Assert.Equal($"the set is refused whole: {why}", Failing(AssertionRule.Key).Detail);
    }

    [Fact]
    public void Rejects_an_algorithm_that_does_not_fit_the_key()
    {
        using var rsa = RSA.Create(2048);
        Publish(Rsa(rsa, "k1"));
        Assert.Equal("alg is ES256, and the key k1 of the set is for PS256 PS384 PS512 RS256 RS384 RS512", Failing(AssertionRule.Key).Detail);
    }

    [Fact]
    public void Rejects_an_assertion_without_kid_when_two_keys_fit()
    {
        _scenario.Assertion.Header.Remove("kid");
        Assert.Equal("there is no kid, and 2 keys of the set fit ES256: k1 k3", Failing(AssertionRule.Key).Detail);
    }

    [Fact]
    public void Accepts_an_assertion_without_kid_when_one_key_fits_and_warns_that_there_are_more()
    {
        using var rsa = RSA.Create(2048);
        _scenario.Assertion.Header.Remove("kid");
        Publish(TestAssertion.Jwk(_scenario.Assertion.Key, "k1"), Rsa(rsa, "k2"));
        Assert.Equal(RuleOutcome.Passed, _scenario.Examine(AssertionRule.Key).Outcome);
        Assert.StartsWith("There is no kid, and the set has 2 keys", Assert.Single(_scenario.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("jwk")]
    [InlineData("jku")]
    [InlineData("x5u")]
    [InlineData("x5c")]
    public void Warns_of_a_header_that_would_choose_the_key(string member)
    {
        _scenario.Assertion.Header[member] = "x";
        Assert.All(_scenario.Examine(), finding => Assert.Equal(RuleOutcome.Passed, finding.Outcome));
        Assert.StartsWith($"The header has {member}; it never chooses the key", Assert.Single(_scenario.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_a_signature_by_a_key_that_is_published_under_another_kid()
    {
        _scenario.Assertion.Header["kid"] = "k3";
        _scenario.Known = _scenario.Known with { OwnKey = null };
        Assert.Equal("it is by the published key k1, and kid says k3", Failing(AssertionRule.Signature).Detail);
    }

    [Fact]
    public void Rejects_a_signature_by_another_key_than_the_one_published_under_its_kid()
    {
        Publish(TestAssertion.Jwk(_scenario.OtherKey, "k1"));
        var own = _scenario.Known.OwnKey!.Thumbprint;
        var detail = Failing(AssertionRule.Signature).Detail;
        Assert.StartsWith($"it is by your key (thumbprint {own}), and the published key k1 is another one", detail, StringComparison.Ordinal);
        Assert.Contains(_scenario.Warnings, warning => warning == $"Your key (thumbprint {own}) is not in the set.");
    }

    [Fact]
    public void Rejects_an_assertion_that_was_changed_after_it_was_signed()
    {
        var signed = _scenario.Assertion.Write();
        _scenario.Assertion.Claims["jti"] = "another";
        var changed = _scenario.Assertion.Write();
        _scenario.Text = changed[..changed.LastIndexOf('.')] + signed[signed.LastIndexOf('.')..];
        Assert.Equal("it does not verify with the published key k1: another key made it, or what it signs was changed afterwards", Failing(AssertionRule.Signature).Detail);
    }

    [Fact]
    public void Rejects_a_signature_in_DER()
    {
        _scenario.Assertion.SignatureFormat = DSASignatureFormat.Rfc3279DerSequence;
        Assert.Contains("and ES256 has 64: it is in DER, which most libraries write unless they are told otherwise", Failing(AssertionRule.Signature).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Does_not_know_whether_a_key_is_registered_when_only_the_key_is_there()
    {
        _scenario.Known = _scenario.Known with { Published = null };
        Assert.StartsWith("the kid k1 is that of your key", Is(RuleOutcome.Unknown, AssertionRule.Key).Detail, StringComparison.Ordinal);
        Assert.Equal("it is by your key", Is(RuleOutcome.Passed, AssertionRule.Signature).Detail);
    }

    [Fact]
    public void Rejects_a_kid_that_is_not_that_of_the_key_which_is_there_alone()
    {
        _scenario.Known = _scenario.Known with { Published = null };
        _scenario.Assertion.Header["kid"] = "k2";
        Assert.Equal("kid is k2, and your key is k1; it did sign, so it must be registered as k2", Is(RuleOutcome.Unknown, AssertionRule.Key).Detail);
        var own = _scenario.Assertion.Key;
        _scenario.Assertion.Key = _scenario.OtherKey;
        Assert.Equal("kid is k2, and your key is k1", Failing(AssertionRule.Key).Detail);
        Failing(AssertionRule.Signature);
        _scenario.Assertion.Key = own;
    }

    [Fact]
    public void Does_not_know_about_keys_when_there_are_none()
    {
        _scenario.Known = _scenario.Known with { Published = null, OwnKey = null };
        Is(RuleOutcome.Unknown, AssertionRule.Key);
        Is(RuleOutcome.Unknown, AssertionRule.Signature);
    }

    private static JsonObject Rsa(RSA key, string kid)
    {
        var parameters = key.ExportParameters(includePrivateParameters: false);
        return new JsonObject
        {
            ["kty"] = "RSA",
            ["kid"] = kid,
            ["n"] = System.Buffers.Text.Base64Url.EncodeToString(parameters.Modulus),
            ["e"] = System.Buffers.Text.Base64Url.EncodeToString(parameters.Exponent),
        };
    }

    private void Publish(params IReadOnlyList<JsonObject> keys) => _scenario.Known = _scenario.Known with { Published = ExaminationScenario.Publish(keys) };

    private Finding Failing(AssertionRule rule) => Is(RuleOutcome.Failed, rule);

    private Finding Is(RuleOutcome outcome, AssertionRule rule)
    {
        var finding = _scenario.Examine(rule);
        Assert.True(finding.Outcome == outcome, $"{finding}");
        return finding;
    }
}
