using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>
/// The admin API of the server (<c>/admin/v1</c>) for an administrator: JSON as it comes. A refusal is a
/// <see cref="DcrException"/>.
/// </summary>
internal sealed class AdminApi : IDisposable
{
    /// <summary>The profile of commands for administrators where the user names none.</summary>
    public const string DefaultProfile = "admin";

    private readonly HttpClient _http;

    private AdminApi(Connection connection, AccessTokenSource tokens)
    {
        _http = new HttpClient(new AccessTokenHandler(tokens, "dcr.admin") { InnerHandler = connection.CreateHandler(tries: 1) });
        Connection.Configure(_http);
        _http.BaseAddress = new Uri(connection.Server.TrimEnd('/') + "/admin/v1/");
    }

    /// <summary>
    /// As the client of this connection, which needs the scope <c>dcr.admin</c>. Nothing is sent before the first request.
    /// </summary>
    public static async Task<AdminApi> OpenAsync(Connection connection, CancellationToken cancellationToken) =>
        new(connection, connection.Dcr.AccessTokensFor(await connection.CredentialsAsync(cancellationToken)));

    /// <param name="path">Below <c>/admin/v1/</c>; its parts escaped by <see cref="Part"/>.</param>
    public Task<JsonObject> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, path, body: null, ifMatch: null, cancellationToken);

    /// <inheritdoc cref="GetAsync"/>
    /// <param name="body">Null: none.</param>
    public Task<JsonObject> PostAsync(string path, JsonNode? body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, path, body, ifMatch: null, cancellationToken);

    /// <inheritdoc cref="GetAsync"/>
    /// <param name="ifMatch">The ETag of the version to change. Null: whatever version there is.</param>
    public Task<JsonObject> PutAsync(string path, JsonNode body, string? ifMatch, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Put, path, body, ifMatch, cancellationToken);

    /// <inheritdoc cref="GetAsync"/>
    public Task DeleteAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, path, body: null, ifMatch: null, cancellationToken);

    public void Dispose() => _http.Dispose();

    /// <summary>What a user calls something, as one part of a path.</summary>
    public static string Part(string value) => value is "" or "." or ".."
        ? throw CommandFailure.Usage($"'{value}' is no id.")
        : Uri.EscapeDataString(value);

    private async Task<JsonObject> SendAsync(
        HttpMethod method, string path, JsonNode? body, string? ifMatch, CancellationToken cancellationToken)
    {
        // RFC 3986 section 4.2: without the dot, clients:revoke would be a URI of the scheme clients.
        using var request = new HttpRequestMessage(method, "./" + path) { Content = body is null ? null : JsonContent.Create(body) };
        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }
        using var response = await _http.SendAsync(request, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        var json = Parse(text);
        return response.IsSuccessStatusCode
            ? json ?? []
            : throw new DcrException(
                response.StatusCode, (string?)json?["error"], (string?)json?["error_description"], response.Headers.RetryAfter?.Delta);
    }

    private static JsonObject? Parse(string text)
    {
        try
        {
            return text.Length == 0 ? null : JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            // Not the server itself, but something in front of it: its status says enough.
            return null;
        }
    }
}
