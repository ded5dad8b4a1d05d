using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>The server as an assertion must fit it: by its metadata (RFC 8414) and its clock, where it was asked.</summary>
internal sealed record ExaminedServer
{
    private const int MaxBytes = 1024 * 1024;

    // The Date header has whole seconds.
    private static readonly TimeSpan s_resolution = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    /// <summary>As the server writes it; where it was not reached, as the user does.</summary>
    public required string Issuer { get; init; }

    /// <summary>Null: not known.</summary>
    public string? TokenEndpoint { get; init; }

    /// <summary>What assertions may be signed with. Null: not known.</summary>
    public IReadOnlyList<string>? Algorithms { get; init; }

    /// <summary>
    /// How far the server's clock is ahead of the one here; zero if they agree within what can be measured. Null: not known.
    /// </summary>
    public TimeSpan? Ahead { get; init; }

    /// <summary>Why nothing is known but the issuer. Null: the server has answered, or was not asked.</summary>
    public string? Absence { get; init; }

    /// <summary>Asks for the metadata, once.</summary>
    /// <param name="issuer">As the user writes it: an absolute URL.</param>
    public static async Task<ExaminedServer> AskAsync(
        HttpClient http, string issuer, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(s_timeout);
        var unknown = new ExaminedServer { Issuer = issuer };
        try
        {
            var sent = time.GetUtcNow();
            using var response = await http.GetAsync(MetadataUri(issuer), HttpCompletionOption.ResponseHeadersRead, timeout.Token);
            var answered = time.GetUtcNow();
            if (response.StatusCode != HttpStatusCode.OK)
            {
                return unknown with { Absence = $"{issuer} answers {(int)response.StatusCode} where its metadata should be" };
            }
            await response.Content.LoadIntoBufferAsync(MaxBytes, timeout.Token);
            var metadata = JsonSerializer.Deserialize<AuthorizationServerMetadata>(
                await response.Content.ReadAsByteArrayAsync(timeout.Token));
            return metadata is { Issuer: not null, TokenEndpoint: not null }
                ? Of(metadata, DateOf(response) - (sent + (answered - sent) / 2))
                : unknown with { Absence = $"what {issuer} answers is no server metadata (RFC 8414)" };
        }
        catch (HttpRequestException exception)
        {
            return unknown with { Absence = $"{issuer} cannot be reached: {exception.Message}" };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return unknown with { Absence = $"{issuer} does not answer within {s_timeout.TotalSeconds} s" };
        }
        catch (JsonException)
        {
            return unknown with { Absence = $"what {issuer} answers is no server metadata (RFC 8414)" };
        }
    }

    /// <summary>As it is shown.</summary>
    public JsonObject ToJson() => new()
    {
        ["issuer"] = Issuer,
        ["reached"] = TokenEndpoint is not null,
        ["token_endpoint"] = TokenEndpoint,
        ["token_endpoint_auth_signing_alg_values_supported"] = Algorithms is null
            ? null
            : new JsonArray([.. Algorithms.Select(alg => JsonValue.Create(alg))]),
        ["absence"] = Absence,
    };

    private static ExaminedServer Of(AuthorizationServerMetadata metadata, TimeSpan? ahead) => new()
    {
        Issuer = metadata.Issuer,
        TokenEndpoint = metadata.TokenEndpoint.OriginalString,
        Algorithms = metadata.TokenEndpointAuthSigningAlgValuesSupported,
        Ahead = ahead?.Duration() <= s_resolution ? TimeSpan.Zero : ahead,
    };

    /// <summary>RFC 8414 section 3.1: between host and path.</summary>
    private static Uri MetadataUri(string issuer)
    {
        var uri = new Uri(issuer);
        return new Uri($"{uri.GetLeftPart(UriPartial.Authority)}/.well-known/oauth-authorization-server{uri.AbsolutePath.TrimEnd('/')}");
    }

    // The middle of the second that it names; a cache on the way says how old it is.
    private static DateTimeOffset? DateOf(HttpResponseMessage response) =>
        response.Headers.Date + TimeSpan.FromSeconds(0.5) + (response.Headers.Age ?? TimeSpan.Zero);
}
