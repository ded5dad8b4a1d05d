using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>
/// What the token endpoint makes of the client and its key, asked once by the client itself: for somebody who is no administrator. The
/// server tells a client only that one of rules 3 to 5 fails, and not which.
/// </summary>
internal sealed record ServerQuestion
{
    // A client authenticates before its scope is looked at (RFC 6749 section 4.4.2): nobody may have this one, so no token is made.
    private const string NobodysScope = "dcr-doctor-asks";

    private const int MaxBytes = 64 * 1024;

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);

    /// <summary>The client proved itself. Null: the answer does not tell.</summary>
    public bool? Accepted { get; private init; }

    /// <summary>The <c>error</c> of the answer.</summary>
    public string? Error { get; private init; }

    /// <summary>What the server says, or why there is no answer, in words.</summary>
    public required string Detail { get; init; }

    /// <summary>Sends an assertion of the client's own, which is used up by that.</summary>
    public static async Task<ServerQuestion> AskAsync(
        HttpClient http, string tokenEndpoint, string assertion, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(s_timeout);
        using var form = new FormUrlEncodedContent(
        [
            new("grant_type", "client_credentials"),
            new("client_assertion_type", ClientAssertion.Type),
            new("client_assertion", assertion),
            new("scope", NobodysScope),
        ]);
        try
        {
            using var response = await http.PostAsync(new Uri(tokenEndpoint), form, timeout.Token);
            await response.Content.LoadIntoBufferAsync(MaxBytes, timeout.Token);
            return Of(response.StatusCode, Read(await response.Content.ReadAsStringAsync(timeout.Token)));
        }
        catch (Exception exception) when (exception is HttpRequestException or UriFormatException)
        {
            return new ServerQuestion { Detail = $"the token endpoint cannot be reached: {Excerpt.Of(exception.Message)}" };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new ServerQuestion { Detail = $"the token endpoint does not answer within {s_timeout.TotalSeconds} s" };
        }
    }

    /// <summary>The findings from here with what the answer adds to them.</summary>
    public IReadOnlyList<Finding> Overrule(IReadOnlyList<Finding> findings)
    {
        if (Accepted is not { } accepted)
        {
            return findings;
        }
        if (accepted)
        {
            static bool IsShown(Finding seen) => seen is
            {
                Outcome: RuleOutcome.Unknown,
                Rule: AssertionRule.Client or AssertionRule.Key or AssertionRule.Audience,
            };
            return [.. findings.Select(seen => IsShown(seen) ? Finding.Passed(seen.Rule, "the server accepts it") : seen)];
        }
        // What is known to be wrong says more than the server does; and who reads its own registration is a client that works.
        if (findings.Any(seen => seen.Outcome == RuleOutcome.Failed))
        {
            return findings;
        }
        var isClientKnown = findings.Any(seen => seen is { Rule: AssertionRule.Client, Outcome: RuleOutcome.Passed });
        return [.. findings.Select(seen => seen.Rule switch
        {
            AssertionRule.Client when !isClientKnown => Finding.Failed(
                seen.Rule,
                "the server refuses: it does not know this client, or the client is not active, unless it is rule 4",
                "Is the client_id right, and has an administrator let it in?"),
            AssertionRule.Key => Finding.Failed(
                seen.Rule,
                $"the server refuses: {(isClientKnown ? "" : "unless it is rule 3, ")}the key is not one of the client's, is registered "
                    + "under another kid, or is quarantined",
                "Compare kid and thumbprint with what is registered (dcr keys show KEY_FILE), or ask an administrator."),
            _ => seen,
        })];
    }

    /// <summary>As it is shown.</summary>
    public JsonObject ToJson() => new() { ["asked"] = "token_endpoint", ["accepted"] = Accepted, ["error"] = Error, ["detail"] = Detail };

    private static ServerQuestion Of(HttpStatusCode status, JsonObject? answer)
    {
        var error = ExaminedAssertion.Text(answer ?? [], "error");
        var description = ExaminedAssertion.Text(answer ?? [], "error_description");
        return error switch
        {
            "invalid_client" => new() { Accepted = false, Error = error, Detail = Excerpt.Of(description ?? error) },
            "invalid_scope" or "unauthorized_client" =>
                new() { Accepted = true, Error = error, Detail = "the server accepts the client and its key" },
            _ =>
                new()
                {
                    Error = error is null ? null : Excerpt.Of(error),
                    Detail = $"the token endpoint answers {(int)status} {Excerpt.Of(description ?? error ?? "without a reason")}",
                },
        };
    }

    private static JsonObject? Read(string text)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject;
        }
        catch (JsonException)
        {
            // Something in front of the server: its status says enough.
            return null;
        }
    }
}
