using System.Collections.Concurrent;

namespace Dcr.Client;

/// <summary>The nonce that each server last sent (RFC 9449 section 8): to be in the proofs for it until it sends another.</summary>
internal sealed class DpopNonces
{
    public const string Header = "DPoP-Nonce";
    public const string Wanted = "use_dpop_nonce";

    private readonly ConcurrentDictionary<string, string> _byOrigin = new();

    public string? For(Uri uri) => _byOrigin.GetValueOrDefault(Origin(uri));

    /// <returns>True: the answer has a nonce other than <paramref name="used"/>.</returns>
    public bool Keep(Uri uri, HttpResponseMessage response, string? used)
    {
        // RFC 9449 section 8.2: also on successful answers.
        if (!response.Headers.TryGetValues(Header, out var values) || values.ToArray() is not [var nonce])
        {
            return false;
        }
        _byOrigin[Origin(uri)] = nonce;
        return nonce != used;
    }

    private static string Origin(Uri uri) => uri.GetLeftPart(UriPartial.Authority);
}
