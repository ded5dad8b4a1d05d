using Microsoft.Extensions.Options;

namespace Dcr.Protocol;

/// <summary>
/// The security profile as it is set, by configuration or by the code of a host. Validators of other settings ask for it here:
/// <see cref="DcrOptions"/> themselves are given only when all of them are valid, and every fault is told at once.
/// </summary>
internal sealed class ConfiguredProfile(IEnumerable<IConfigureOptions<DcrOptions>> settings)
{
    public bool IsFapi2 =>
        new OptionsFactory<DcrOptions>(settings, []).Create(Options.DefaultName).SecurityProfile == SecurityProfile.Fapi2;
}
