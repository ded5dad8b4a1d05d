using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Dcr.Cli;

namespace Dcr.CliTests.Support;

/// <summary>An assertion that passes all eight rules, and all that is known to say so; a test changes one thing.</summary>
internal sealed class ExaminationScenario : IDisposable
{
    public const string Issuer = "https://as.example";

    public static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public ExaminationScenario()
    {
        Assertion = new TestAssertion("partner", Issuer, Now);
        Known = new KnownFacts
        {
            Now = Now,
            Clock = "the server's clock",
            Server = new ExaminedServer { Issuer = Issuer, TokenEndpoint = Issuer + "/oauth/token", Algorithms = ["PS256", "ES256"], Ahead = TimeSpan.Zero },
            ClientId = "partner",
            OwnKey = ExaminedKey.Read(TestAssertion.Jwk(Assertion.Key, "k1"), 1),
            Published = Publish(TestAssertion.Jwk(Assertion.Key, "k1"), TestAssertion.Jwk(OtherKey, "k3")),
            Registration = new ExaminedRegistration { IsActive = true },
            IsNew = true,
        };
    }

    public TestAssertion Assertion { get; }

    /// <summary>Also published, as k3.</summary>
    public ECDsa OtherKey { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public KnownFacts Known { get; set; }

    /// <summary>Of the last examination.</summary>
    public IReadOnlyList<string> Warnings { get; private set; } = [];

    /// <summary>In place of what <see cref="Assertion"/> writes.</summary>
    public string? Text { get; set; }

    public static ExaminedKeySet Publish(params IReadOnlyList<JsonObject> keys) => ExaminedKeySet.Parse("the set", TestAssertion.Jwks(keys).ToJsonString());

    public IReadOnlyList<Finding> Examine()
    {
        var examination = new AssertionExamination(ExaminedAssertion.Read(Text ?? Assertion.Write()), Known);
        var findings = examination.Examine();
        Warnings = examination.Warnings;
        return findings;
    }

    public Finding Examine(AssertionRule rule) => Examine().Single(finding => finding.Rule == rule);

    public void Dispose()
    {
        Assertion.Dispose();
        OtherKey.Dispose();
    }
}
