using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Dcr.Protocol;

/// <summary>A form body by the rules of RFC 6749 section 3.2: nothing sent twice, an empty value counts as absent.</summary>
internal static class FormBody
{
    private static readonly FormOptions s_limits = new() { ValueCountLimit = 50, KeyLengthLimit = 256, ValueLengthLimit = 32 * 1024 };

    private const string MediaType = "application/x-www-form-urlencoded";

    public static async Task<Result<IReadOnlyDictionary<string, string>>> ReadAsync(
        HttpRequest request, CancellationToken cancellationToken)
    {
        // Parameters are percent-encoded UTF-8 whatever charset is named; some clients name ISO-8859-1 for that.
        if (RequestBody.Fault(request, MediaType, "utf-8", "us-ascii", "iso-8859-1") is { } fault)
        {
            return fault;
        }
        var read = await RequestBody.ReadAsync(request, cancellationToken);
        if (!read.IsSuccess)
        {
            return read.Error;
        }
        request.Body = new MemoryStream(read.Value);
        IFormCollection form;
        try
        {
            form = await new FormFeature(request, s_limits).ReadFormAsync(cancellationToken);
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
