using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Dcr.Protocol;

/// <summary>A form body by the rules of RFC 6749 section 3.2: nothing sent twice, an empty value counts as absent.</summary>
internal static class FormBody
{
    public static async Task<Result<IReadOnlyDictionary<string, string>>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !type.MediaType.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
        {
            return OAuthError.InvalidRequest("The body must be application/x-www-form-urlencoded.", StatusCodes.Status415UnsupportedMediaType);
        }

        IFormCollection form;
        try
        {
            form = await request.ReadFormAsync(cancellationToken);
        }
        catch (InvalidDataException)
        {
            return OAuthError.InvalidRequest("The form has too many parameters, or one that is too long.");
        }

        var parameters = new Dictionary<string, string>(form.Count, StringComparer.Ordinal);
        foreach (var (name, values) in form)
        {
            if (values.Count > 1 && name == "resource")
            {
                return OAuthError.InvalidTarget("A token is for one API: send one resource (RFC 8707 section 2).");
            }
            if (values.Count > 1)
            {
                return OAuthError.InvalidRequest($"The parameter {name} is sent more than once.");
            }
            // FormCollection folds case; the parameters of OAuth do not.
            if (values.ToString() is { Length: > 0 } value)
            {
                parameters[name] = value;
            }
        }
        return Result.Of<IReadOnlyDictionary<string, string>>(parameters);
    }
}
