namespace Dcr.Cli;

/// <summary>What may be in the environment in place of options, and secrets that may not be among the arguments.</summary>
internal sealed class EnvironmentVariables(Func<string, string?> variable)
{
    public const string Help = """
          DCR_PROFILE               the profile, when --profile is left out
          DCR_SERVER                the server, when --server is left out
          DCR_KEY_PASSWORD          the password of the key file
          DCR_INITIAL_ACCESS_TOKEN  the right to register, for dcr register
          DCR_CONFIG_DIR            where profiles are kept
        """;

    public string? Profile => Get("DCR_PROFILE");

    public string? Server => Get("DCR_SERVER");

    public string? KeyPassword => Get("DCR_KEY_PASSWORD");

    public string? InitialAccessToken => Get("DCR_INITIAL_ACCESS_TOKEN");

    public string? ConfigurationFolder => Get("DCR_CONFIG_DIR");

    private string? Get(string name) => variable(name) is { Length: > 0 } value ? value : null;
}
