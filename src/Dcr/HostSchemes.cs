using Dcr.AccessTokens;
using Dcr.Registration;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Dcr;

/// <summary>
/// ASP.NET Core takes a scheme as the default where it is the only one. The two of this server are never meant by that, so the one of the
/// host stays its default.
/// </summary>
internal sealed class HostSchemes : IPostConfigureOptions<AuthenticationOptions>
{
    private static readonly string[] s_own = [AccessTokenAuthentication.SchemeName, RegistrationAccessTokenAuthentication.SchemeName];

    public void PostConfigure(string? name, AuthenticationOptions options)
    {
        if (options.DefaultScheme is null && options.Schemes.Where(scheme => !s_own.Contains(scheme.Name)).ToList() is [var only])
        {
            options.DefaultScheme = only.Name;
        }
    }
}
