using System.Text.Json;
using Dcr.Clients;

namespace Dcr.Registration;

/// <summary>Client metadata from several sources: what one leaves out, the one below it may give.</summary>
internal static class MetadataLayers
{
    public static ClientMetadata Over(this ClientMetadata above, ClientMetadata below)
    {
        // Keys are one thing with two names: whoever gives the one must not find the other beside it.
        var hasKeys = above.Jwks is not null || above.JwksUri is not null;
        return new ClientMetadata
        {
            RedirectUris = above.RedirectUris ?? below.RedirectUris,
            TokenEndpointAuthMethod = above.TokenEndpointAuthMethod ?? below.TokenEndpointAuthMethod,
            TokenEndpointAuthSigningAlg = above.TokenEndpointAuthSigningAlg ?? below.TokenEndpointAuthSigningAlg,
            GrantTypes = above.GrantTypes ?? below.GrantTypes,
            ResponseTypes = above.ResponseTypes ?? below.ResponseTypes,
            ClientName = above.ClientName ?? below.ClientName,
            ClientUri = above.ClientUri ?? below.ClientUri,
            LogoUri = above.LogoUri ?? below.LogoUri,
            Scope = above.Scope ?? below.Scope,
            Contacts = above.Contacts ?? below.Contacts,
            TosUri = above.TosUri ?? below.TosUri,
            PolicyUri = above.PolicyUri ?? below.PolicyUri,
            JwksUri = hasKeys ? above.JwksUri : below.JwksUri,
            Jwks = hasKeys ? above.Jwks : below.Jwks,
            SoftwareId = above.SoftwareId ?? below.SoftwareId,
            SoftwareVersion = above.SoftwareVersion ?? below.SoftwareVersion,
            DpopBoundAccessTokens = above.DpopBoundAccessTokens ?? below.DpopBoundAccessTokens,
            Resources = above.Resources ?? below.Resources,
            SoftwareStatement = above.SoftwareStatement ?? below.SoftwareStatement,
            Others = Over(above.Others, below.Others),
        };
    }

    private static Dictionary<string, JsonElement>? Over(Dictionary<string, JsonElement>? above, Dictionary<string, JsonElement>? below)
    {
        if (above is null || below is null)
        {
            return above ?? below;
        }
        var all = new Dictionary<string, JsonElement>(below);
        foreach (var (name, value) in above.Where(member => member.Value.ValueKind != JsonValueKind.Null))
        {
            all[name] = value;
        }
        return all;
    }
}
