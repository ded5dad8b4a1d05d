using Dcr.Clients;
using Dcr.Protocol;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>A client that was read or changed, as the answer shows it.</summary>
internal static class AdminClientResult
{
    public static IResult Write(Result<AdminClient> client) => client.IsSuccess
        ? TypedResults.Json(client.Value, AdministrationJson.Default.AdminClient)
        : new OAuthErrorResult(client.Error);

    public static async Task<Result<AdminClient>> ShownAtAsync(this Task<Result<Client>> changing, TimeProvider time)
    {
        var changed = await changing;
        return changed.IsSuccess ? AdminClient.Of(changed.Value, time.GetUtcNow()) : changed.Error;
    }
}
