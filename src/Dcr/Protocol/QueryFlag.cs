using Microsoft.AspNetCore.Http;

namespace Dcr.Protocol;

/// <summary>A query parameter that is true or false; left out it is false, unless its reader says otherwise.</summary>
internal static class QueryFlag
{
    /// <summary>Refuses anything else, also the bare name: whoever writes it means something, and must not get the opposite.</summary>
    public static Result<bool> Read(IQueryCollection query, string name, bool leftOut = false) => query[name] switch
    {
        { Count: 0 } => leftOut,
        ["true"] => true,
        ["false"] => false,
        _ => OAuthError.InvalidRequest($"{name} must be true or false, and be there once."),
    };
}
