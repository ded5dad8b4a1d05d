using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace Dcr.Protocol;

/// <summary>One page of a collection.</summary>
/// <param name="Items">The page.</param>
/// <param name="Next">To be sent as <c>cursor</c> for the page after it. Null: this is the last.</param>
public sealed record Page<T>(
    [property: JsonPropertyName("items")] IReadOnlyList<T> Items,
    [property: JsonPropertyName("next"), JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Next);

/// <summary>The <c>limit</c> and <c>cursor</c> of a listing.</summary>
internal static class Paging
{
    public const int DefaultLimit = 50;
    public const int MaxLimit = 200;

    public static Result<int> Limit(IQueryCollection query)
    {
        if (!query.TryGetValue("limit", out var text))
        {
            return DefaultLimit;
        }
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MaxLimit
            ? limit
            : OAuthError.InvalidRequest($"limit must be a number from 1 to {MaxLimit}.");
    }

    /// <summary>The cursor of a listing by id, of 32 hexadecimal digits. Empty: from the start.</summary>
    public static Result<string> IdCursor(IQueryCollection query)
    {
        var cursor = query["cursor"].ToString();
        return cursor.Length == 0 || Guid.TryParseExact(cursor, "N", out _)
            ? cursor
            : OAuthError.InvalidRequest("cursor must be the next of an earlier page.");
    }

    /// <param name="found">One more than <paramref name="limit"/> was asked for, to know whether there is a next page.</param>
    public static Page<TItem> ToPage<T, TItem>(IReadOnlyList<T> found, int limit, Func<T, TItem> item, Func<T, string> cursor) =>
        new([.. found.Take(limit).Select(item)], found.Count > limit ? cursor(found[limit - 1]) : null);
}
