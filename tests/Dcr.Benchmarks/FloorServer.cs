using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Dcr.Benchmarks;

/// <summary>The least that a token endpoint can do: read a form, verify one ES256 signature, make another, answer.</summary>
internal static class FloorServer
{
    public static async Task RunAsync(string address)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var message = new byte[500];
        var signature = key.SignData(message, HashAlgorithmName.SHA256);
        var builder = WebApplication.CreateSlimBuilder(["--urls", address]);
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.MapGet("/health/ready", () => "ready");
        app.MapPost("/oauth/token", async (HttpRequest request) =>
        {
            var form = await request.ReadFormAsync();
            return key.VerifyData(message, signature, HashAlgorithmName.SHA256) && form.ContainsKey("client_assertion")
                ? Results.Bytes(key.SignData(message, HashAlgorithmName.SHA256))
                : Results.BadRequest();
        });
        await app.RunAsync();
    }
}
