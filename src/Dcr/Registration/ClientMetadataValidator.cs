using System.Text.Json;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;
using FluentValidation;

namespace Dcr.Registration;

/// <summary>
/// RFC 7591 section 2, as far as the metadata alone can tell; what a policy allows and whether keys are good is
/// decided by <see cref="MetadataApproval"/>. A member that is left out is judged as its default. Redirect URIs come
/// first, so that a fault in them gives the answer its code.
/// </summary>
internal sealed class ClientMetadataValidator : AbstractValidator<ClientMetadata>
{
    public const string InvalidMetadata = "invalid_client_metadata";
    public const string InvalidRedirectUri = "invalid_redirect_uri";
    private const int MaxUri = 2048;
    private const string WebUriRule = "must be an absolute http or https URL of RFC 3986, in ASCII.";
    private const string PlainRule = "must have no characters that are not seen or that turn the direction of writing.";
    public const string PrivateKeyJwt = "private_key_jwt";

    public ClientMetadataValidator(JwksOptions jwks, IssuerUrls urls, SecurityProfileRules profile)
    {
        RedirectRules();
        AuthenticationRules(profile);
        FlowRules();
        ResourceRules();
        DisplayRules();
        KeyRules(jwks, urls);
        Refuse(
            m => m.Scope is not null && !ScopeTokens.IsWellFormed(m.Scope),
            "scope: must be space-separated tokens of printable ASCII (RFC 6749 section 3.3).");
    }

    private void RedirectRules()
    {
        RuleForEach(m => m.RedirectUris)
            .Custom((uri, context) =>
            {
                if (RedirectUri.Fault(uri) is { } fault)
                {
                    context.AddFailure(
                        new FluentValidation.Results.ValidationFailure(
                            "redirect_uris", $"redirect_uris: '{Shorten(uri)}' {fault}")
                        { ErrorCode = InvalidRedirectUri });
                }
            });
        Rule(
            m => m.UsesRedirects() && m.RedirectUris is not { Count: > 0 },
            InvalidRedirectUri,
            "redirect_uris: needed for the grant type authorization_code.");
    }

    private void AuthenticationRules(SecurityProfileRules profile)
    {
        Refuse(m => m.TokenEndpointAuthMethod != PrivateKeyJwt, m => m.TokenEndpointAuthMethod is null
            ? "token_endpoint_auth_method: must be private_key_jwt; left out it means client_secret_basic, which is not accepted."
            : "token_endpoint_auth_method: must be private_key_jwt.");
        Refuse(m => m.TokenEndpointAuthSigningAlg is { } alg && !profile.Allows(alg),
            $"token_endpoint_auth_signing_alg: must be one of {profile.AlgorithmNames}.");
    }

    private void FlowRules()
    {
        Refuse(m => m.GrantTypes is { Count: 0 } || m.GrantTypes?.Any(type => !GrantTypes.All.Contains(type)) == true,
            $"grant_types: must be one or more of {string.Join(' ', GrantTypes.All)}.");
        Refuse(m => m.ResponseTypes?.Any(type => type != "code") == true, "response_types: only code can be registered.");
        // RFC 7591 section 2.1.
        Refuse(m => m.ResponseTypes is not null && m.UsesRedirects() != m.ResponseTypes.Contains("code"),
            "grant_types and response_types: authorization_code and code go together.");
        Refuse(m => m.EffectiveGrantTypes().Contains(GrantTypes.RefreshToken) && !m.UsesRedirects(),
            "grant_types: refresh_token needs authorization_code.");
    }

    private void ResourceRules() => RuleForEach(m => m.Resources)
        .Custom((resource, context) =>
        {
            if (Resource.Fault(resource) is { } fault)
            {
                context.AddFailure(
                    new FluentValidation.Results.ValidationFailure(
                        "resources", $"resources: '{Shorten(resource)}' {fault}")
                    { ErrorCode = InvalidMetadata });
            }
        });

    private void DisplayRules()
    {
        WebUri(m => m.ClientUri, "client_uri");
        WebUri(m => m.LogoUri, "logo_uri");
        WebUri(m => m.TosUri, "tos_uri");
        WebUri(m => m.PolicyUri, "policy_uri");
        RuleFor(m => m.Others).Custom((others, context) =>
        {
            foreach (var (name, value) in others ?? [])
            {
                if (HumanReadableMembers.IsTagged(name) && value.ValueKind != JsonValueKind.Null && TaggedFault(name, value) is { } fault)
                {
                    context.AddFailure(new FluentValidation.Results.ValidationFailure(name, fault) { ErrorCode = InvalidMetadata });
                }
            }
        });
        PlainText(m => m.ClientName, "client_name");
        PlainText(m => m.SoftwareId, "software_id");
        PlainText(m => m.SoftwareVersion, "software_version");
        Refuse(m => m.Contacts?.Any(contact => contact is not null && !DisplayText.IsPlain(contact)) == true, $"contacts: {PlainRule}");
        Refuse(m => m.Contacts?.Any(string.IsNullOrWhiteSpace) == true, "contacts: must not hold empty entries.");
    }

    private void KeyRules(JwksOptions jwks, IssuerUrls urls)
    {
        // RFC 7591 section 2: never both; and without either nobody could authenticate.
        Refuse(m => m.Jwks is not null && m.JwksUri is not null, "jwks and jwks_uri: send one, not both.");
        Refuse(m => m.Jwks is null && m.JwksUri is null, "jwks or jwks_uri: one is needed for private_key_jwt.");
        RuleFor(m => m.JwksUri).Custom((uri, context) =>
        {
            // A set that this server hosts is never downloaded, so where downloads may go does not matter.
            if (uri is not null && JwksUri.Fault(uri, jwks, urls) is { } fault)
            {
                context.AddFailure(
                    new FluentValidation.Results.ValidationFailure("jwks_uri", $"jwks_uri: {fault}") { ErrorCode = InvalidMetadata });
            }
        });
    }

    private void PlainText(Func<ClientMetadata, string?> member, string name) =>
        Refuse(m => member(m) is { } text && !DisplayText.IsPlain(text), $"{name}: {PlainRule}");

    private void WebUri(Func<ClientMetadata, string?> member, string name) =>
        Refuse(m => member(m) is { } uri && !IsWebUri(uri), $"{name}: {WebUriRule}");

    private static string? TaggedFault(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            return $"{name}: must be a string.";
        }
        return HumanReadableMembers.IsUri(name) && !IsWebUri(value.GetString()!) ? $"{name}: {WebUriRule}"
            : HumanReadableMembers.IsUri(name) || DisplayText.IsPlain(value.GetString()!) ? null
            : $"{name}: {PlainRule}";
    }

    // Shown to people as links, never fetched (RFC 7591 section 5).
    private static bool IsWebUri(string text) =>
        text.Length <= MaxUri
            && UriText.Fault(text) is null
            && Uri.TryCreate(text, UriKind.Absolute, out var uri)
            && uri.Scheme is "https" or "http"
            && uri.UserInfo.Length == 0
            && uri.Host.Length > 0;

    private static string Shorten(string? text) => text is null ? "null" : text.Length <= 100 ? text : text[..100] + "...";

    private void Refuse(Func<ClientMetadata, bool> faulty, string message) => Rule(faulty, InvalidMetadata, message);

    private void Refuse(Func<ClientMetadata, bool> faulty, Func<ClientMetadata, string> message) =>
        RuleFor(m => m).Must(m => !faulty(m)).WithErrorCode(InvalidMetadata).WithMessage(m => message(m));

    private void Rule(Func<ClientMetadata, bool> faulty, string code, string message) =>
        RuleFor(m => m).Must(m => !faulty(m)).WithErrorCode(code).WithMessage(message);
}
