using System.Text;
using System.Text.Json;
using Dcr.Jose;

namespace Dcr.Protocol;

/// <summary>
/// The limits of what is read of a JSON body: nested at most 16 deep, strings of at most 2 KiB (a JWT, such as a proof, 8 KiB; a software
/// statement 32 KiB; an assertion to diagnose, any length), arrays of at most 100, no control characters. Of a JWK only the members
/// that are known count (RFC 7517 section 4): a chain of certificates may be longer than anything else.
/// </summary>
internal static class JsonLimits
{
    public const int MaxDepth = 16;

    private const int MaxString = 2048;
    private const int MaxArray = 100;
    private const int MaxMembers = 200;

    private static readonly string[] s_jwkMembers = ["kty", "kid", "use", "key_ops", "alg", "crv", "x", "y", "n", "e"];

    /// <summary>The first value that breaks a limit, named by its path; null when all is well. Text is Unicode already.</summary>
    /// <param name="body">A JSON object.</param>
    /// <param name="isRead">Which of its members count. Null: all.</param>
    /// <param name="isJwk">The body itself is a JWK.</param>
    public static string? Fault(JsonElement body, Func<string, bool>? isRead, bool isJwk) =>
        ObjectFault(body, "", 1, isJwk ? s_jwkMembers.Contains : isRead);

    private static string? Fault(JsonElement element, string path, int depth) => element.ValueKind switch
    {
        JsonValueKind.Object or JsonValueKind.Array when depth > MaxDepth => $"{path}: nested deeper than {MaxDepth}.",
        JsonValueKind.Object => ObjectFault(element, path, depth, IsJwk(path) ? s_jwkMembers.Contains : null),
        JsonValueKind.Array => ArrayFault(element, path, depth),
        JsonValueKind.String => TextFault(element.GetString()!, path),
        _ => null,
    };

    private static string? ObjectFault(JsonElement element, string path, int depth, Func<string, bool>? counts)
    {
        var counted = counts is null ? element.GetPropertyCount() : element.EnumerateObject().Count(member => counts(member.Name));
        if (counted > MaxMembers)
        {
            return $"{(path.Length == 0 ? "The body" : path)}: more than {MaxMembers} members.";
        }
        foreach (var member in element.EnumerateObject().Where(member => counts is null || counts(member.Name)))
        {
            if (TextFault(member.Name, MaxString) is { } fault)
            {
                return $"{(path.Length == 0 ? "The body" : path)}: a member name {fault}";
            }
            if (Fault(member.Value, path.Length == 0 ? member.Name : $"{path}.{member.Name}", depth + 1) is { } inner)
            {
                return inner;
            }
        }
        return null;
    }

    private static string? ArrayFault(JsonElement element, string path, int depth)
    {
        if (element.GetArrayLength() > MaxArray)
        {
            return $"{path}: more than {MaxArray} elements.";
        }
        var index = 0;
        foreach (var item in element.EnumerateArray())
        {
            if (Fault(item, $"{path}[{index++}]", depth + 1) is { } fault)
            {
                return fault;
            }
        }
        return null;
    }

    private static string? TextFault(string text, string path)
    {
        var limit = path switch
        {
            // It is here to be judged: what is wrong with it is the answer.
            "client_assertion" => int.MaxValue,
            "software_statement" => SignedJwt.MaxStatementLength,
            "proof" => SignedJwt.MaxLength,
            _ => MaxString,
        };
        return limit < int.MaxValue && TextFault(text, limit) is { } fault ? $"{path} {fault}" : null;
    }

    private static string? TextFault(string text, int limit)
    {
        if (Encoding.UTF8.GetByteCount(text) > limit)
        {
            return $"is longer than {limit} bytes.";
        }
        return text.Any(char.IsControl) ? "has a control character." : null;
    }

    /// <summary>The <c>jwk</c> of a request, or one of the <c>keys</c> of a set.</summary>
    private static bool IsJwk(string path) =>
        path == "jwk"
            || (path.EndsWith(']') && path.AsSpan(0, path.LastIndexOf('[')) is var list && (list is "keys" || list.EndsWith(".keys")));
}
