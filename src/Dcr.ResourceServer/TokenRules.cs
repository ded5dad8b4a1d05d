using System.Text.Json;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Dcr.ResourceServer;

/// <summary>
/// What ASP.NET Core's JwtBearer is told, and what is checked beyond it: the way a token is sent, its proof, the status of its client.
/// </summary>
internal sealed class TokenRules(IOptions<DcrResourceServerOptions> options, DpopProofs proofs, StatusLists statuses, TimeProvider time)
    : IConfigureNamedOptions<JwtBearerOptions>, IPostConfigureOptions<JwtBearerOptions>
{
    private const string Dpop = "DPoP";
    private static readonly object s_began = new();
    private static readonly object s_sentAsDpop = new();
    private static readonly object s_proofFault = new();

    public void Configure(string? name, JwtBearerOptions jwt)
    {
        if (name == JwtBearerDefaults.AuthenticationScheme)
        {
            Configure(jwt);
        }
    }

    public void Configure(JwtBearerOptions jwt)
    {
        jwt.Authority = options.Value.Issuer;
        jwt.RequireHttpsMetadata = options.Value.Issuer.StartsWith("https", StringComparison.Ordinal);
        jwt.MapInboundClaims = false;
        jwt.BackchannelTimeout = TimeSpan.FromSeconds(5);
        jwt.TokenValidationParameters = new TokenValidationParameters
        {
            ValidTypes = ["at+jwt"],
            ValidIssuer = options.Value.Issuer,
            ValidAudience = options.Value.Audience,
            ValidAlgorithms = DpopProofs.Algorithms,
            RequireExpirationTime = true,
            ClockSkew = TimeSpan.FromSeconds(10),
            NameClaimType = "client_id",
        };
        jwt.Events = new JwtBearerEvents { OnMessageReceived = ReadAsync, OnTokenValidated = CheckAsync, OnChallenge = ChallengeAsync };
    }

    /// <summary>After JwtBearer has made what fetches; a keeper of keys that the API's developer chose stays.</summary>
    public void PostConfigure(string? name, JwtBearerOptions jwt)
    {
        if (name == JwtBearerDefaults.AuthenticationScheme && jwt.ConfigurationManager is ConfigurationManager<OpenIdConnectConfiguration>)
        {
            var documents = new HttpDocumentRetriever(jwt.Backchannel) { RequireHttps = jwt.RequireHttpsMetadata };
            jwt.ConfigurationManager = new IssuerKeys(jwt.MetadataAddress, documents, jwt.BackchannelTimeout, time);
        }
    }

    // RFC 9449 section 7.1: a bound token comes under a scheme of its own.
    private Task ReadAsync(MessageReceivedContext context)
    {
        context.HttpContext.Items[s_began] = time.GetTimestamp();
        if (context.Request.Headers.Authorization is [{ } header] && header.StartsWith(Dpop + " ", StringComparison.OrdinalIgnoreCase))
        {
            context.Token = header[(Dpop.Length + 1)..].Trim();
            context.HttpContext.Items[s_sentAsDpop] = true;
        }
        return Task.CompletedTask;
    }

    private async Task CheckAsync(TokenValidatedContext context)
    {
        if (context.SecurityToken is not JsonWebToken token)
        {
            context.Fail("The token is no JWT.");
            return;
        }
        var boundTo = token.TryGetPayloadValue<JsonElement>("cnf", out var cnf) && cnf.TryGetProperty("jkt", out var thumbprint)
            ? thumbprint.GetString()
            : null;
        if (await ProofFaultAsync(context.HttpContext, token, boundTo) is { } fault)
        {
            context.HttpContext.Items[s_proofFault] = true;
            context.Fail(fault);
        }
        else if (await statuses.FaultAsync(token, context.Options, PatienceOf(context), context.HttpContext.RequestAborted) is { } dead)
        {
            context.Fail(dead);
        }
    }

    /// <summary>A request waits for the server as long as one time-out, for keys and status list together.</summary>
    private TimeSpan PatienceOf(TokenValidatedContext context)
    {
        var longest = context.Options.BackchannelTimeout;
        // Null where the API's developer has put another handler of the event in place of this one.
        var spent = context.HttpContext.Items[s_began] is long began ? time.GetElapsedTime(began) : TimeSpan.Zero;
        return spent < longest ? longest - spent : TimeSpan.Zero;
    }

    private async Task<string?> ProofFaultAsync(HttpContext context, JsonWebToken token, string? boundTo)
    {
        var sentAsDpop = context.Items.ContainsKey(s_sentAsDpop);
        if (boundTo is null)
        {
            return sentAsDpop || options.Value.RequireDpop ? "The token is bound to no key." : null;
        }
        return sentAsDpop
            ? await proofs.FaultAsync(context.Request, token.EncodedToken, boundTo)
            : "The token is bound to a key and must come with a proof, as DPoP.";
    }

    private static Task ChallengeAsync(JwtBearerChallengeContext context)
    {
        if (!context.HttpContext.Items.ContainsKey(s_sentAsDpop) && !context.HttpContext.Items.ContainsKey(s_proofFault))
        {
            return Task.CompletedTask;
        }
        context.HandleResponse();
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        var error = context.HttpContext.Items.ContainsKey(s_proofFault) ? "invalid_dpop_proof" : "invalid_token";
        context.Response.Headers.WWWAuthenticate = $"{Dpop} error=\"{error}\", algs=\"{string.Join(' ', DpopProofs.Algorithms)}\"";
        return Task.CompletedTask;
    }
}
