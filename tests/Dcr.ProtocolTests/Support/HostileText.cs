using System.Text;
using CsCheck;

namespace Dcr.ProtocolTests.Support;

/// <summary>Texts that have hurt somebody before, and others.</summary>
public static class HostileText
{
    private static readonly string[] s_texts =
    [
        "", " ", ".", "..", "/", "\\", "\0", "a\r\nb: c", "\u001b[31m", "\u202egnp", "\ufeff", "\ud800", "x\udc00y", "\u00ad", "\U0001F3E6",
        "null", "true", "-1", "1e999", "9223372036854775808", "read", "dcr", "dcr.admin", "private_key_jwt", "client_credentials",
        "authorization_code", "code", "ES256", "none", "HS256", "P-256", "$ID", "$KID", "$ISSUER", "fuzz-party", "https://",
        "https://\u00ad/", "https://look\u05beout.net/", "https://xn--te\u0161.example/", "https://xn--0000h/", "https://[::%31]/",
        "https://[::1%25x]/x", "https://192.168.0.257/", "http://127.0.0.1:1/", "https://a.example:99999/", "https://u:p@a.example/",
        "HTTP://$HOST/keys/x/jwks.json", "com.example:/cb", "javascript:alert(1)", "urn:a:b", "//x", "https:x", "file:///etc/passwd",
        "https://a.example/%zz", "2026-13-45T99:99:99Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",
        "https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/",
    ];

    private static readonly string[] s_pieces =
        ["\r\n", "\n", "\0", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "80000000\r\n", " ", ":", "%00", "\u00ff", "Host: y\r\n", "HTTP/9.9"];

    public static Gen<string> Any { get; } = Gen.Frequency(
        (8, Of(s_texts)),
        (3, Gen.String[0, 40]),
        (1, Gen.Int[0, 3000].Select(length => new string('x', length))));

    /// <summary>Bytes, each as a character.</summary>
    public static Gen<string> Bytes { get; } = Gen.Byte.Array[0, 300].Select(Encoding.Latin1.GetString);

    /// <summary>Pieces that mean something to whoever reads HTTP.</summary>
    public static Gen<string> OnTheWire { get; } = Gen.OneOf(Gen.Byte.Select(value => ((char)value).ToString()), Of(s_pieces));

    public static Gen<T> Of<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);
}
