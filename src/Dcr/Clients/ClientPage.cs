using Dcr.Protocol;
using Microsoft.AspNetCore.Http;

namespace Dcr.Clients;

/// <summary>Which page of a listing of clients is asked for.</summary>
internal sealed record ClientPage(ClientCursor? After, int Limit)
{
    public static Result<ClientPage> Read(IQueryCollection query)
    {
        var limit = Paging.Limit(query);
        if (!limit.IsSuccess)
        {
            return limit.Error;
        }
        ClientCursor? after = null;
        return query["cursor"].ToString() is { Length: > 0 } text && (after = ClientCursor.Parse(text)) is null
            ? OAuthError.InvalidRequest("cursor must be the next of an earlier page.")
            : new ClientPage(after, limit.Value);
    }

    /// <param name="found">One more than the limit was asked for, to know whether there is a next page.</param>
    public Page<TItem> ToPage<TItem>(IReadOnlyList<Client> found, Func<Client, TItem> item) =>
        Paging.ToPage(found, Limit, item, client => ClientCursor.Of(client).ToString());
}
