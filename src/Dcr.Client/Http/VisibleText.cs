namespace Dcr.Client;

/// <summary>
/// Tokens are made of visible ASCII characters (RFC 6749 appendices A.12 and A.17): they are put into headers and files and shown on
/// terminals, which others would steer.
/// </summary>
internal static class VisibleText
{
    /// <param name="text">From the server.</param>
    /// <param name="member">By which it came; the text itself may be a secret, and is not repeated.</param>
    public static string Check(string text, string member) => text.Length > 0 && text.All(character => character is >= ' ' and <= '~')
        ? text
        : throw new HttpRequestException(
            HttpRequestError.InvalidResponse,
            $"The server's {member} is empty, or has characters that no token has (RFC 6749 appendix A).");
}
