using System.Text.Json;
using FluentValidation;

namespace Dcr.Registration;

/// <summary>
/// RFC 7592 section 2.2: what the body of an update must and must not hold. The rest is judged as for a registration, by
/// <see cref="MetadataApproval"/>.
/// </summary>
internal sealed class UpdateClientValidator : AbstractValidator<UpdateClient>
{
    private static readonly string[] s_forbidden =
        ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at", "client_secret"];

    /// <summary>Members that are looked at; the others are ignored.</summary>
    public static bool IsRead(string name) => RequestedMetadata.IsMember(name) || name == "client_id" || s_forbidden.Contains(name);

    public UpdateClientValidator()
    {
        RuleFor(request => request)
            .Must(
                request =>
                    Member(request, "client_id") is { ValueKind: JsonValueKind.String } id
                        && id.GetString() == request.Caller.Client.ClientId)
            .WithErrorCode(ClientMetadataValidator.InvalidMetadata)
            .WithMessage("client_id: must be in the body and be the client's own (RFC 7592 section 2.2).");

        foreach (var name in s_forbidden)
        {
            RuleFor(request => request)
                .Must(request => Member(request, name) is null)
                .WithErrorCode(ClientMetadataValidator.InvalidMetadata)
                .WithMessage($"{name}: must not be in an update (RFC 7592 section 2.2).");
        }
    }

    private static JsonElement? Member(UpdateClient request, string name) =>
        request.Metadata.Others?.TryGetValue(name, out var value) == true && value.ValueKind != JsonValueKind.Null ? value : null;
}
