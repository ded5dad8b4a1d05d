using System.CommandLine;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>The server and the client that a command works with.</summary>
internal sealed class Connection : IDisposable
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);

    // Somebody is waiting in front of the screen.
    private static readonly DcrClientOptions s_options = new() { MaxAttempts = 3, RetryDelay = TimeSpan.FromMilliseconds(200) };

    // As long as nobody wonders.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly CommandRun _run;
    private readonly Lazy<HttpClient> _http;
    private ClientKey? _key;
    private ClientRegistration? _registration;

    private Connection(CommandRun run, string profileName, Profile profile, string options)
    {
        _run = run;
        DoctorCommand = "dcr doctor" + options;
        ProfileName = profileName;
        Profile = profile;
        _http = new Lazy<HttpClient>(CreateHttp);
    }

    public string ProfileName { get; }

    /// <summary>What is known of server and client: from options, else from the environment, else from the profile of this name.</summary>
    public Profile Profile { get; }

    /// <summary>What says why the server refuses this client, to be run as it is.</summary>
    public string DoctorCommand { get; }

    /// <summary>The issuer of the server.</summary>
    public string Server => Profile.Server ?? throw Missing("Which server?", "--server URL");

    public HttpClient Http => _http.Value;

    /// <summary>
    /// What a command that watches its requests puts before the network, in place of what <c>--verbose</c> does. To be set
    /// before the first request. Null: nothing.
    /// </summary>
    public Func<HttpMessageHandler, HttpMessageHandler>? Through { get; set; }

    public DcrClient Dcr
    {
        get
        {
            try
            {
                return field ??= new DcrClient(Http, Server, s_options with { Time = _run.Time });
            }
            catch (ArgumentException)
            {
                throw CommandFailure.Usage($"{Server} is no issuer: an https URL (http for this machine only) without query and fragment.");
            }
        }
    }

    public FileRegistrationStore RegistrationStore => _run.Profiles.RegistrationOf(ProfileName);

    /// <summary>The server and client of the command's options and profile. Nothing is sent.</summary>
    /// <param name="run">The command.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <param name="defaultProfile">The profile where the user names none; it need not be there.</param>
    public static async Task<Connection> OpenAsync(CommandRun run, CancellationToken cancellationToken, string defaultProfile = "default")
    {
        var named = run.Get(CommonOptions.Profile) ?? run.Variables.Profile;
        var name = named ?? defaultProfile;
        var kept = named is null
            ? await run.Profiles.FindAsync(name, cancellationToken) ?? new Profile()
            : await FindAsync(run, name, cancellationToken);
        return new Connection(run, name, (kept with { Server = run.Variables.Server ?? kept.Server }).With(run), OptionsOf(run, name));
    }

    /// <summary>For a client that is to be registered: the profile need not be there.</summary>
    /// <param name="via">Whose server it is where neither options nor environment nor profile name one. Null: not known.</param>
    public static async Task<Connection> OpenNewAsync(CommandRun run, Profile? via, CancellationToken cancellationToken)
    {
        var name = run.Get(CommonOptions.Profile) ?? run.Variables.Profile ?? "default";
        var kept = await run.Profiles.FindAsync(name, cancellationToken) ?? new Profile();
        return new Connection(
            run,
            name,
            (
                kept with
                {
                    Server = run.Variables.Server ?? kept.Server ?? via?.Server,
                    ConnectTo = kept.ConnectTo ?? via?.ConnectTo,
                }).With(run),
            OptionsOf(run, name));
    }

    /// <summary>The server and client of a profile that another option than <c>--profile</c> names. Nothing is sent.</summary>
    public static async Task<Connection> OpenAsync(CommandRun run, string profileName, CancellationToken cancellationToken) =>
        new(run, profileName, await FindAsync(run, profileName, cancellationToken), OptionOf(CommonOptions.Profile, profileName));

    /// <summary>The id of the client, without asking the server. Null: not known.</summary>
    public async Task<string?> FindClientIdAsync(CancellationToken cancellationToken) =>
        Profile.ClientId ?? (await RegistrationStore.LoadAsync(cancellationToken))?.ClientId;

    /// <summary>The client and its key.</summary>
    public async Task<ClientCredentials> CredentialsAsync(CancellationToken cancellationToken)
    {
        _run.Doctor = DoctorCommand;
        return new ClientCredentials(
            await FindClientIdAsync(cancellationToken) ?? throw Missing("Which client?", "--client-id ID"),
            await KeyAsync(cancellationToken));
    }

    /// <summary>The private key, from its file.</summary>
    public async Task<ClientKey> KeyAsync(CancellationToken cancellationToken) =>
        _key ??= await KeyFile.ReadAsync(
            Profile.KeyFile ?? throw Missing("Which key?", "--key FILE"), _run, Profile.Alg, Profile.Kid, cancellationToken);

    /// <summary>The registration of the profile's client, with <c>--dpop</c> proved by its key.</summary>
    public async Task<ClientRegistration> RegistrationAsync(CancellationToken cancellationToken) =>
        _registration ??= Dcr.RegistrationIn(RegistrationStore, _run.Get(CommonOptions.Dpop) ? await KeyAsync(cancellationToken) : null);

    public void Dispose()
    {
        _key?.Dispose();
        if (_http.IsValueCreated)
        {
            _http.Value.Dispose();
        }
    }

    private CommandFailure Missing(string question, string option) => CommandFailure.Usage(
        $"{question} There is no {option.Split(' ')[0]}, and the profile {ProfileName} does not say.",
        $"Add {option}, or remember it: dcr profile set {ProfileName} {option}");

    // What the user typed of server, client and key; the profile also where it is another one than dcr doctor takes by itself.
    private static string OptionsOf(CommandRun run, string profileName) => string.Concat(
        profileName == "default" && run.Get(CommonOptions.Profile) is null ? "" : OptionOf(CommonOptions.Profile, profileName),
        OptionOf(CommonOptions.Server, run.Get(CommonOptions.Server)),
        OptionOf(CommonOptions.ConnectTo, run.Get(CommonOptions.ConnectTo)),
        OptionOf(CommonOptions.ClientId, run.Get(CommonOptions.ClientId)),
        OptionOf(CommonOptions.Key, run.Get(CommonOptions.Key)),
        OptionOf(CommonOptions.Kid, run.Get(CommonOptions.Kid)),
        OptionOf(CommonOptions.Alg, run.Get(CommonOptions.Alg)?.ToString()),
        OptionOf(CommonOptions.KeyPasswordFile, run.Get(CommonOptions.KeyPasswordFile)));

    private static string OptionOf(Option option, string? value) => value switch
    {
        null => "",
        ['-', '-', ..] => $" {option.Name}={ShellWord.Of(value)}",
        _ when option == CommonOptions.Profile => $" -p {ShellWord.Of(value)}",
        _ => $" {option.Name} {ShellWord.Of(value)}",
    };

    private static async Task<Profile> FindAsync(CommandRun run, string name, CancellationToken cancellationToken) =>
        await run.Profiles.FindAsync(name, cancellationToken)
            ?? throw CommandFailure.Usage(
                $"There is no profile {name}.", $"Make it: dcr profile set {name} --server URL --client-id ID --key FILE");

    /// <summary>What requests go through: no redirects, and shown on the way where the user wants that.</summary>
    /// <param name="tries">How often a request is sent at most.</param>
    public HttpMessageHandler CreateHandler(int tries)
    {
        var sockets = new SocketsHttpHandler { AllowAutoRedirect = false };
        HttpMessageHandler network = Profile.ConnectTo is { } address ? ConnectTo.Create(Server, address, sockets) : sockets;
        network = new WaitingNotes(network, _run.Terminal.Note, tries, s_patience, _run.Time);
        return Through?.Invoke(network) ?? (_run.IsVerbose ? new NarratedRequests(_run.Terminal.Error, network) : network);
    }

    public static void Configure(HttpClient http)
    {
        http.Timeout = s_timeout;
        http.DefaultRequestHeaders.UserAgent.ParseAdd("dcr-cli");
    }

    private HttpClient CreateHttp()
    {
        var http = new HttpClient(CreateHandler(s_options.MaxAttempts));
        Configure(http);
        return http;
    }
}
