using System.Text.Json.Nodes;
using Dcr.Cli;
using Dcr.CliTests.Support;
using Xunit;
using static Dcr.CliTests.Support.ExaminationScenario;

namespace Dcr.CliTests;

/// <summary>What dcr doctor says of each rule: an assertion that is right, and one thing that is not.</summary>
[Requirement("P-CLI-DOCTOR")]
public sealed class AssertionExaminationTests : IDisposable
{
    private readonly ExaminationScenario _scenario = new();

    public void Dispose() => _scenario.Dispose();

    [Fact]
    public void Accepts_an_assertion_that_is_right_by_every_rule()
    {
        Assert.All(_scenario.Examine(), finding => Assert.True(finding.Outcome == RuleOutcome.Passed, $"{finding}"));
        Assert.Equal(Enum.GetValues<AssertionRule>(), _scenario.Examine().Select(finding => finding.Rule));
        Assert.Empty(_scenario.Warnings);
    }

    [Theory]
    [InlineData("", "there is nothing")]
    [InlineData("a.b.c.d.e", "it has five parts: it is encrypted (JWE)")]
    [InlineData("opaque", "it has one part; a signed JWT has three: header.claims.signature")]
    [InlineData("a.b", "it has 2 parts; a signed JWT has three: header.claims.signature")]
    [InlineData("-----BEGIN PRIVATE KEY-----", "it is a PEM file and no JWT")]
    [InlineData("{\"alg\":\"ES256\"}", "it is JSON and no signed JWT")]
    [InlineData("W10.e30.AA", "its header is no JSON object")]
    [InlineData("e30.W10.AA", "its payload is no JSON object")]
    [InlineData("e30.e30.AA", "its header has no alg")]
    public void Rejects_what_is_no_signed_JWT(string text, string why)
    {
        _scenario.Text = text;
        Assert.Equal(why, Failing(AssertionRule.Shape).Detail);
    }

    [Fact]
    public void Rejects_a_malformed_assertion_and_examines_the_other_rules_all_the_same()
    {
        _scenario.Assertion.Claims["aud"] = Issuer + "/";
        _scenario.Assertion.Finally = jwt => jwt + "==";
        Assert.Equal("its signature is padded with =; base64url in a JWT has no padding (RFC 7515 section 2)", Failing(AssertionRule.Shape).Detail);
        Assert.Equal(RuleOutcome.Passed, _scenario.Examine(AssertionRule.Signature).Outcome);
        Failing(AssertionRule.Audience);
    }

    [Fact]
    public void Rejects_a_signature_that_is_not_there()
    {
        _scenario.Assertion.Finally = jwt => jwt[..(jwt.LastIndexOf('.') + 1)];
        Assert.Equal("its signature is empty: it is not signed", Failing(AssertionRule.Shape).Detail);
    }

    [Fact]
    public void Rejects_an_assertion_that_was_broken_while_it_was_copied()
    {
        _scenario.Assertion.Finally = jwt => jwt.Insert(jwt.Length - 10, "\n");
        Assert.Equal("there is white space inside its signature: was a line broken while it was copied?", Failing(AssertionRule.Shape).Detail);
    }

    [Fact]
    public void Rejects_an_assertion_that_is_too_long()
    {
        _scenario.Assertion.Claims["more"] = new string('x', 8192);
        Assert.Contains("at most 8192 are accepted", Failing(AssertionRule.Shape).Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"alg":"ES256","crit":["exp"]}""", "{}", "its header has crit, and the server understands no extension")]
    [InlineData("""{"alg":"ES256","b64":false}""", "{}", "its header has b64, and the server takes no unencoded payload (RFC 7797)")]
    [InlineData("""{"alg":"ES256","kid":7}""", "{}", "kid is no string")]
    [InlineData("""{"alg":"ES256"}""", """{"jti":null}""", "jti is null")]
    [InlineData("""{"alg":"ES256"}""", """{"sub":"a","sub":"b"}""", "its payload is not a JSON object with each member named once")]
    [InlineData("""{"alg":"ES256"}""", """{"iss":"\ud800"}""", "iss is no string")]
    public void Rejects_members_that_are_not_as_they_must_be(string header, string claims, string why)
    {
        _scenario.Text = _scenario.Assertion.Sign(header, claims);
        Assert.Equal(why, Failing(AssertionRule.Shape).Detail);
    }

    [Theory]
    [InlineData("alg", "HS256", "alg is HS256: a shared secret; this server knows clients by their public keys only")]
    [InlineData("alg", "none", "alg is none: it is not signed")]
    [InlineData("alg", "RS256", "alg is RS256, which this server does not take")]
    [InlineData("typ", "at+jwt", "typ is at+jwt: this is an access token")]
    [InlineData("typ", "application/dpop+jwt", "typ is application/dpop+jwt: this is a DPoP proof")]
    [InlineData("typ", "mine", "typ is mine")]
    public void Rejects_an_algorithm_or_a_type_that_is_not_taken(string member, string value, string why)
    {
        _scenario.Assertion.Header[member] = value;
        Assert.Equal(why, Failing(AssertionRule.Algorithm).Detail);
    }

    [Fact]
    public void Rejects_another_algorithm_than_the_registered_one()
    {
        _scenario.Known = _scenario.Known with { Registration = new ExaminedRegistration { IsActive = true, Alg = "PS256" } };
        Assert.Equal("alg is ES256, and the client is registered for PS256 (token_endpoint_auth_signing_alg)", Failing(AssertionRule.Algorithm).Detail);
    }

    [Fact]
    public void Rejects_two_names_for_the_client()
    {
        _scenario.Assertion.Claims["sub"] = "Y";
        _scenario.Assertion.Claims["iss"] = "X";
        Assert.Equal("iss is X and sub is Y; both must be the client_id", Failing(AssertionRule.Client).Detail);
    }

    [Fact]
    public void Rejects_another_client_than_the_one_that_is_meant()
    {
        _scenario.Known = _scenario.Known with { ClientId = "warehouse" };
        Assert.Equal("iss and sub are partner, and your client is warehouse", Failing(AssertionRule.Client).Detail);
    }

    [Fact]
    public void Rejects_a_client_that_is_stopped()
    {
        _scenario.Known = _scenario.Known with { Registration = new ExaminedRegistration { IsStopped = true } };
        Assert.Contains("suspended or has expired", Failing(AssertionRule.Client).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Does_not_know_whether_a_client_is_active_when_nobody_says()
    {
        _scenario.Known = _scenario.Known with { Registration = null };
        Assert.Equal(RuleOutcome.Unknown, _scenario.Examine(AssertionRule.Client).Outcome);
    }

    [Fact]
    public void Rejects_a_missing_audience()
    {
        _scenario.Assertion.Claims.Remove("aud");
        Assert.Equal("aud is missing", Failing(AssertionRule.Audience).Detail);
    }

    [Theory]
    [InlineData("https://as.example/", "aud has a slash at the end and the issuer has none: https://as.example")]
    [InlineData("https://AS.example", "aud is https://AS.example and the issuer https://as.example: capitals differ, and they count")]
    [InlineData("http://as.example", "aud is http://as.example and the issuer https://as.example: one is https and the other is not")]
    [InlineData("https://as.example/oauth/register", "aud is https://as.example/oauth/register, a URL of this server; it must be the issuer, https://as.example")]
    [InlineData("https://other.example", "aud is https://other.example, and this server is https://as.example: the assertion is for another server")]
    public void Rejects_an_audience_that_is_not_the_issuer(string audience, string why)
    {
        _scenario.Assertion.Claims["aud"] = audience;
        var finding = Failing(AssertionRule.Audience);
        Assert.Equal(why, finding.Detail);
        Assert.Equal("Put the issuer into aud: https://as.example", finding.Next);
    }

    [Fact]
    public void Rejects_two_audiences()
    {
        _scenario.Assertion.Claims["aud"] = new JsonArray(Issuer, "https://other.example");
        Assert.StartsWith("aud has 2 values, https://as.example https://other.example; it must be one", Failing(AssertionRule.Audience).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Warns_of_URLs_of_the_server_as_audience()
    {
        _scenario.Assertion.Claims["aud"] = Issuer + "/oauth/token";
        var finding = _scenario.Examine(AssertionRule.Audience);
        Assert.Equal(RuleOutcome.Unknown, finding.Outcome);
        Assert.StartsWith("aud is https://as.example/oauth/token, an endpoint of this server; it wants the issuer alone, https://as.example", finding.Detail, StringComparison.Ordinal);
        Assert.Contains(_scenario.Warnings, warning => warning.Contains("exception", StringComparison.Ordinal));

        _scenario.Assertion.Claims["aud"] = new JsonArray(Issuer, Issuer + "/oauth/introspect");
        Assert.Equal(RuleOutcome.Unknown, _scenario.Examine(AssertionRule.Audience).Outcome);
    }

    [Fact]
    public void Accepts_an_array_of_one_audience_with_a_warning()
    {
        _scenario.Assertion.Claims["aud"] = new JsonArray(Issuer);
        Assert.Equal(RuleOutcome.Passed, _scenario.Examine(AssertionRule.Audience).Outcome);
        Assert.Contains(_scenario.Warnings, warning => warning.StartsWith("aud is an array of one", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("exp", "1772366460000", "exp is in milliseconds; times are seconds since 1970")]
    [InlineData("iat", "1772366400000", "iat is in milliseconds; times are seconds since 1970")]
    [InlineData("exp", "\"1772366460\"", "exp is a string; times are numbers, in seconds since 1970")]
    [InlineData("exp", "300", "exp is 300: that is a span and not a time; times are seconds since 1970")]
    [InlineData("nbf", "true", "nbf is not a time; times are numbers, in seconds since 1970")]
    [InlineData("exp", "-1", "exp is negative; times are seconds since 1970")]
    public void Rejects_what_is_no_time(string claim, string value, string why)
    {
        _scenario.Assertion.Claims[claim] = JsonNode.Parse(value);
        Assert.Equal(why, Failing(AssertionRule.Times).Detail);
    }

    [Fact]
    public void Rejects_a_missing_expiry()
    {
        _scenario.Assertion.Claims.Remove("exp");
        Assert.Equal("exp is missing", Failing(AssertionRule.Times).Detail);
    }

    [Theory]
    [InlineData("iat", 47, "iat is 47 s in the future: the clock of whoever signed is 47 s ahead of the server's; up to 10 s are forgiven")]
    [InlineData("exp", -30, "exp has passed: 30 s ago by the server's clock")]
    [InlineData("exp", 3600, "exp is 3600 s ahead by the server's clock; at most 600 s are accepted, unless an administrator has set an exception")]
    public void Rejects_times_that_are_not_now(string claim, int seconds, string why)
    {
        _scenario.Assertion.Claims[claim] = Now.ToUnixTimeSeconds() + seconds;
        Assert.Equal(why, Failing(AssertionRule.Times).Detail);
    }

    [Fact]
    public void Rejects_an_old_assertion_and_says_how_old()
    {
        _scenario.Known = _scenario.Known with { Now = Now.AddSeconds(90) };
        Assert.Equal("exp has passed: 30 s ago by the server's clock; it was made 90 s ago to last 60 s, if the clock of whoever signed is right", Failing(AssertionRule.Times).Detail);
    }

    [Theory]
    [InlineData("exp", 3, "exp is only 3 s ahead by the server's clock: on a slow network the assertion is late.")]
    [InlineData("exp", -4, "exp has passed 4 s ago by the server's clock; up to 10 s are forgiven.")]
    [InlineData("exp", 500, "exp is 500 s ahead; a server under FAPI 2.0 accepts 300 s at most.")]
    [InlineData("iat", 8, "iat is 8 s in the future: the clock of whoever signed is 8 s ahead of the server's; more than 10 s are refused.")]
    public void Accepts_times_at_the_edge_with_a_warning(string claim, int seconds, string warning)
    {
        _scenario.Assertion.Claims[claim] = Now.ToUnixTimeSeconds() + seconds;
        Assert.Equal(RuleOutcome.Passed, _scenario.Examine(AssertionRule.Times).Outcome);
        Assert.Equal([warning], _scenario.Warnings);
    }

    [Theory]
    [InlineData(null, "jti is missing")]
    [InlineData("", "jti is empty")]
    [InlineData("300", "jti has 300 characters; at most 256 are accepted")]
    public void Rejects_a_jti_that_cannot_be_used_once(string? jti, string why)
    {
        _scenario.Assertion.Claims.Remove("jti");
        if (jti is not null)
        {
            _scenario.Assertion.Claims["jti"] = jti.Length == 0 ? "" : new string('x', int.Parse(jti));
        }
        Assert.Equal(why, Failing(AssertionRule.SingleUse).Detail);
    }

    [Fact]
    public void Does_not_know_whether_a_jti_was_used_before()
    {
        _scenario.Known = _scenario.Known with { IsNew = false };
        Assert.Equal(RuleOutcome.Unknown, _scenario.Examine(AssertionRule.SingleUse).Outcome);
    }

    [Fact]
    public void Shows_nothing_that_steers_the_terminal()
    {
        _scenario.Assertion.Header["kid"] = "\u001b[2J\u202e";
        _scenario.Assertion.Claims["aud"] = "\u001b]0;" + new string('x', 1000);
        Assert.Contains("the kid ?[2J? is not in", Failing(AssertionRule.Key).Detail, StringComparison.Ordinal);
        Assert.True(Failing(AssertionRule.Audience).Detail.Length < 400);
    }

    [Fact]
    public void Examines_whatever_it_is_given()
    {
        string[] values = ["null", "true", "7", "-1", "1e400", "1e308", "\"\"", "\"\\ud800\"", "[]", "[null]", "[7]", "[\"\\ud800\"]", "{}", "{\"a\":1}"];
        foreach (var value in values)
        {
            foreach (var member in new[] { "alg", "typ", "kid", "jwk" })
            {
                _scenario.Text = _scenario.Assertion.Sign(With(_scenario.Assertion.Header, member, value), _scenario.Assertion.Claims.ToJsonString());
                Assert.Equal(8, _scenario.Examine().Count);
            }
            foreach (var member in new[] { "iss", "sub", "aud", "exp", "iat", "nbf", "jti" })
            {
                _scenario.Text = _scenario.Assertion.Sign(_scenario.Assertion.Header.ToJsonString(), With(_scenario.Assertion.Claims, member, value));
                Assert.Equal(8, _scenario.Examine().Count);
            }
            foreach (var member in new[] { "kty", "crv", "x", "kid", "alg", "use", "key_ops", "d", "x5c", "other" })
            {
                var set = $$"""{"keys":[{{With(TestAssertion.Jwk(_scenario.OtherKey, "k3"), member, value)}}]}""";
                _scenario.Known = _scenario.Known with { Published = ExaminedKeySet.Parse("the set", set) };
                Assert.Equal(8, _scenario.Examine().Count);
            }
        }
        var jwt = _scenario.Assertion.Write();
        for (var i = 0; i < jwt.Length; i++)
        {
            _scenario.Text = jwt[..i] + jwt[(i + 1)..];
            Assert.Contains(_scenario.Examine(), finding => finding.Outcome == RuleOutcome.Failed);
        }
    }

    private static string With(JsonObject json, string member, string value)
    {
        var changed = json.DeepClone().AsObject();
        changed[member] = "@";
        return changed.ToJsonString().Replace("\"@\"", value, StringComparison.Ordinal);
    }

    private Finding Failing(AssertionRule rule)
    {
        var finding = _scenario.Examine(rule);
        Assert.True(finding.Outcome == RuleOutcome.Failed, $"{finding}");
        return finding;
    }
}
