using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Dcr.Proofs;

/// <summary>What a used assertion is remembered by: 32 bytes, whatever the client chose as <c>jti</c>.</summary>
public static class UsedJti
{
    /// <summary>SHA-256 of the length of the client id, the client id and the <c>jti</c>: no two pairs read the same.</summary>
    public static byte[] Hash(string clientId, string jti)
    {
        var client = Encoding.UTF8.GetBytes(clientId);
        var input = new byte[sizeof(int) + client.Length + Encoding.UTF8.GetByteCount(jti)];
        BinaryPrimitives.WriteInt32BigEndian(input, client.Length);
        client.CopyTo(input.AsSpan(sizeof(int)));
        Encoding.UTF8.GetBytes(jti, input.AsSpan(sizeof(int) + client.Length));
        return SHA256.HashData(input);
    }
}
