using Dcr.Protocol;
using Microsoft.AspNetCore.Http;

namespace Dcr.Proofs;

/// <summary>The DPoP header of a request (RFC 9449 section 4.1) as sent, and what a proof must be made for.</summary>
/// <param name="Proofs">One for each header field; a request with a proof has exactly one.</param>
/// <param name="Method">For <c>htm</c>.</param>
/// <param name="Url">For <c>htu</c>, without query.</param>
internal sealed record SentProofs(IReadOnlyList<string> Proofs, string Method, string Url)
{
    internal const string Header = "DPoP";

    /// <summary>
    /// Of an update that brings keys: a list of proofs, one by each of them, made as one for <see cref="Header"/> is. That header says who
    /// sends the request, and there is one of it (RFC 9449 section 4.3 item 1); these say who holds the new keys.
    /// </summary>
    internal const string NewKeyHeader = "New-Key-Proof";

    /// <summary>The proof has been used up by this very request, which may ask for it again when it is judged anew.</summary>
    internal bool IsUsed { get; set; }

    public bool IsEmpty => Proofs.Count == 0;

    internal static SentProofs Of(HttpRequest request, IssuerUrls urls) =>
        new([.. request.Headers[Header].OfType<string>()], request.Method, urls.At(request));

    /// <summary>Those of <see cref="NewKeyHeader"/>, each by itself.</summary>
    internal static IReadOnlyList<SentProofs> OfNewKeys(HttpRequest request, IssuerUrls urls) =>
        [.. request.Headers.GetCommaSeparatedValues(NewKeyHeader)
            .Select(proof => new SentProofs([proof], request.Method, urls.At(request)))];
}
