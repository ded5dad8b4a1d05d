namespace Dcr.Client;

/// <summary>The JWT by which an active key of a hosted key set proves a change of the set: for one URL and one key.</summary>
internal static class KeyProof
{
    public static ValueTask<string> CreateAsync(
        ISigningKey key, string clientId, string thumbprint, string url, TimeProvider time, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return CompactJws.SignAsync(
            key,
            header => CompactJws.WriteHeader(header, key, "key-proof+jwt"),
            claims =>
            {
                claims.WriteString("iss", clientId);
                claims.WriteString("sub", thumbprint);
                claims.WriteString("aud", url);
                claims.WriteNumber("iat", now.ToUnixTimeSeconds());
                claims.WriteNumber("exp", (now + ClientAssertion.Lifetime).ToUnixTimeSeconds());
                claims.WriteString("jti", CompactJws.NewJti());
            },
            cancellationToken);
    }
}
