using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary><c>dcr token</c>: an access token for the client of a profile.</summary>
internal static class TokenCommand
{
    private static readonly Option<string?> s_scope = new("--scope")
    {
        Description = "What for, space-separated (default: all that the client is registered for, but dcr and dcr.admin)",
        HelpName = "scope",
    };

    private static readonly Option<string?> s_resource = new("--resource")
    {
        Description = "The API it is for (RFC 8707; default: the server's)",
        HelpName = "uri",
    };

    public static Command Create() => new LeafCommand(
        "token",
        "Get an access token (client credentials grant by private_key_jwt)",
        new Example("dcr token --scope read", "show what kind of token it is, and not the token"),
        new Example(
            "curl -sf http://localhost:5080/admin/v1/clients -H \"Authorization: Bearer $(dcr token -p admin --scope dcr.admin "
                + "--show-secret)\"",
            "use it with another program"),
        new Example(
            "dcr token -p directory --scope dcr --out initial.token", "an initial access token, to hand over to whoever is to register"))
        .WithCredentials()
        .With(s_scope, s_resource, CommonOptions.Dpop, CommonOptions.Out, CommonOptions.ShowSecret)
        .Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        using var connection = await Connection.OpenAsync(run, cancellationToken);
        var dcr = connection.Dcr;
        var client = await connection.CredentialsAsync(cancellationToken);
        var tokens = dcr.AccessTokensFor(client, run.Get(CommonOptions.Dpop) ? client.Key : null);
        var token = await GetAsync(run, tokens, cancellationToken);
        var facts = new JsonObject
        {
            ["client_id"] = client.ClientId,
            ["token_type"] = token.TokenType,
            ["scope"] = token.Scope ?? UnverifiedJwt.Part(token.Value, 1)?["scope"]?.DeepClone(),
            ["aud"] = UnverifiedJwt.Part(token.Value, 1)?["aud"]?.DeepClone(),
            ["expires_at"] = token.ExpiresAt.ToString("O", CultureInfo.InvariantCulture),
        };
        if (run.Get(CommonOptions.Out) is { } path)
        {
            await PrivateFile.WriteAsync(run.PathOf(path), path, token.Value + "\n", replace: true, cancellationToken);
            facts["file"] = path;
        }
        if (run.Get(CommonOptions.ShowSecret))
        {
            run.Terminal.ShowSecret("access_token", token.Value, facts);
        }
        else
        {
            run.Terminal.Show(facts);
        }
    }

    private static async Task<AccessToken> GetAsync(CommandRun run, AccessTokenSource tokens, CancellationToken cancellationToken)
    {
        try
        {
            return await tokens.GetAsync(run.Get(s_scope), run.Get(s_resource), cancellationToken);
        }
        catch (DcrException refusal) when (refusal.Error == "invalid_scope" && run.Get(s_scope) is null)
        {
            throw new CommandFailure(
                ExitCode.Refused,
                "No scope was asked for, and this client has none that is given without asking.",
                "Name one: --scope dcr.admin for an administrator, --scope dcr to register others, --scope introspect for an API")
            {
                Error = refusal.Error,
            };
        }
    }
}
