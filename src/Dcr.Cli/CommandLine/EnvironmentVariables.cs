namespace Dcr.Cli;

/// <summary>What may be in the environment in place of options, and secrets that may not be among the arguments.</summary>
internal static class EnvironmentVariables
{
    public const string Help = """
          DCR_PROFILE               the profile, when --profile is left out
          DCR_SERVER                the server, when --server is left out
          DCR_KEY_PASSWORD          the password of the key file
          DCR_INITIAL_ACCESS_TOKEN  the right to register, for dcr register
          DCR_CONFIG_DIR            where profiles are kept
        """;

    public static string? Profile => Get("DCR_PROFILE");

    public static string? Server => Get("DCR_SERVER");

    public static string? KeyPassword => Get("DCR_KEY_PASSWORD");

    public static string? InitialAccessToken => Get("DCR_INITIAL_ACCESS_TOKEN");

    public static string? ConfigurationFolder => Get("DCR_CONFIG_DIR");

    private static string? Get(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
