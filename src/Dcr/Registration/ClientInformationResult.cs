using Dcr.Protocol;
using Microsoft.AspNetCore.Http;

namespace Dcr.Registration;

/// <summary>Writes client information with the ETag that If-Match takes.</summary>
internal static class ClientInformationResult
{
    public static IResult Created(RegisteredClient registered, HttpResponse response) =>
        Write(registered, response, StatusCodes.Status201Created);

    public static IResult Ok(RegisteredClient registered, HttpResponse response) => Write(registered, response, StatusCodes.Status200OK);

    private static IResult Write(RegisteredClient registered, HttpResponse response, int status)
    {
        response.Headers.ETag = EntityTag.Of(registered.Version);
        return TypedResults.Json(registered.Information, RegistrationJson.Default.ClientInformation, statusCode: status);
    }
}
