namespace Dcr.Client;

/// <summary>What a 401 complains of, as RFC 6750 section 3 and RFC 9449 section 9 say it.</summary>
internal static class Challenges
{
    public static bool Have(HttpResponseMessage response, string error) =>
        response.Headers.WwwAuthenticate.Any(challenge =>
            challenge.Parameter is { } parameters && parameters.Split(',').Any(parameter => IsError(parameter, error)));

    private static bool IsError(ReadOnlySpan<char> parameter, string error)
    {
        var equals = parameter.IndexOf('=');
        return equals > 0 && parameter[..equals].Trim() is "error" && parameter[(equals + 1)..].Trim().Trim('"').SequenceEqual(error);
    }
}
