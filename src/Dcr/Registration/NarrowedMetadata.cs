using Dcr.Clients;
using Dcr.Protocol;

namespace Dcr.Registration;

/// <summary>
/// RFC 7591 section 2: a server may replace what was asked for, and says what it registered. Under a policy with <c>narrow</c>, entries
/// of lists that are unsupported or forbidden are dropped as long as something remains; where nothing would, the list stays as it is
/// and is refused by the rules that follow.
/// </summary>
internal static class NarrowedMetadata
{
    private const string Code = "code";

    public static ClientMetadata Narrowed(this ClientMetadata metadata, RegistrationPolicy policy)
    {
        var grantTypes = NarrowGrantTypes(metadata.GrantTypes, policy.GrantTypes?.Allowed ?? []);
        var usesRedirects = (metadata with { GrantTypes = grantTypes }).UsesRedirects();
        return metadata with
        {
            GrantTypes = grantTypes,
            ResponseTypes = NarrowResponseTypes(metadata.ResponseTypes, usesRedirects),
            RedirectUris = Narrow(
                metadata.RedirectUris, uri => RedirectUri.Fault(uri) is null && HostPattern.Allows(policy.RedirectUriHosts, uri)),
            Scope = NarrowScope(metadata.Scope, policy.Scope?.Allowed ?? []),
            Resources = Narrow(metadata.Resources, resource => policy.Resources?.Allowed.Contains(resource) == true),
            Contacts = Narrow(metadata.Contacts, contact => !string.IsNullOrWhiteSpace(contact) && DisplayText.IsPlain(contact)),
        };
    }

    private static IReadOnlyList<string>? NarrowGrantTypes(IReadOnlyList<string>? types, IReadOnlyList<string> allowed)
    {
        var narrowed = Narrow(types, type => GrantTypes.All.Contains(type) && (allowed.Count == 0 || allowed.Contains(type)));
        // A refresh token comes of an authorization code.
        return narrowed?.Contains(GrantTypes.AuthorizationCode) == true
            ? narrowed
            : Narrow(narrowed, type => type != GrantTypes.RefreshToken);
    }

    // What was meant for a grant type that is not registered goes with it.
    private static IReadOnlyList<string>? NarrowResponseTypes(IReadOnlyList<string>? types, bool usesRedirects) =>
        types?.Contains(Code) == true ? usesRedirects ? [Code] : [] : types;

    private static string? NarrowScope(string? scope, IReadOnlyList<string> allowed) =>
        scope is not null
            && ScopeTokens.IsWellFormed(scope)
            && ScopeTokens.Split(scope).Where(allowed.Contains).ToList() is { Count: > 0 } kept
            ? ScopeTokens.Join(kept)
            : scope;

    private static IReadOnlyList<string>? Narrow(IReadOnlyList<string>? entries, Func<string, bool> mayBe)
    {
        if (entries is null || entries.All(mayBe))
        {
            return entries;
        }
        var kept = entries.Where(mayBe).ToList();
        return kept.Count > 0 ? kept : entries;
    }
}
