using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Dcr.Protocol;

/// <summary>A bearer secret of 256 random bits. Only its hash is stored; comparison takes the same time whatever differs.</summary>
internal static class OpaqueSecret
{
    public static string Create() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>SHA-256, base64url. No salt or stretching: 256 random bits cannot be guessed from their hash.</summary>
    public static string Hash(string secret) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    public static bool Matches(string presented, string? hash) => IsSame(Hash(presented), hash);

    /// <summary>Whether both are the hash of one secret.</summary>
    public static bool IsSame(string hash, string? other) =>
        other is not null && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(hash), Encoding.ASCII.GetBytes(other));
}
