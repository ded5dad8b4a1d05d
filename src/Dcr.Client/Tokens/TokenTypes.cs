namespace Dcr.Client;

/// <summary>The <c>token_type</c> of an answer and the scheme of an Authorization header.</summary>
internal static class TokenTypes
{
    public const string Bearer = "Bearer";
    public const string Dpop = "DPoP";
}
