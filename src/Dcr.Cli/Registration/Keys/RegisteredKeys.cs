using System.Net;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>
/// Where a client's public keys are, and how they change there: by value in its registration, or in a set that the server
/// hosts. Keys at a URL of the client's own are its own affair.
/// </summary>
internal abstract class RegisteredKeys
{
    public static async Task<RegisteredKeys> OpenAsync(Connection connection, CancellationToken cancellationToken)
    {
        var registration = await RegisteredClient.OpenAsync(connection, cancellationToken);
        var client = await registration.ReadAsync(cancellationToken);
        if (client.Metadata.JwksUri is not { } uri)
        {
            return new InlineKeys(registration, client);
        }
        try
        {
            await registration.HostedKeys.ReadAsync(cancellationToken);
            return new HostedSetKeys(registration.HostedKeys);
        }
        catch (DcrException refusal) when (refusal.StatusCode == HttpStatusCode.NotFound)
        {
            throw CommandFailure.Usage(
                $"The client's keys are at {uri}, which is not at the server.",
                "Publish the new key there beside the old one (dcr keys jwks old.pem new.pem), sign with the new one at once (dcr profile "
                    + "set NAME --key new.pem), and take the old one out later.");
        }
    }

    /// <summary>Each key: at least <c>kid</c> and <c>state</c>.</summary>
    public abstract Task<JsonArray> ListAsync(CancellationToken cancellationToken);

    /// <summary>Adds a key, if it is not there. It proves itself where the policy asks for that.</summary>
    public abstract Task AddAsync(ISigningKey key, ISigningKey provenBy, CancellationToken cancellationToken);

    /// <summary>Lets an added key be used.</summary>
    public abstract Task ActivateAsync(string kid, ISigningKey provenBy, CancellationToken cancellationToken);

    public abstract Task RetireAsync(string kid, DateTimeOffset until, ISigningKey provenBy, CancellationToken cancellationToken);

    /// <summary>Ends a key at once.</summary>
    public abstract Task WithdrawAsync(string kid, ISigningKey provenBy, CancellationToken cancellationToken);

    /// <summary>Ends a key that another has taken the place of, as gently as it goes.</summary>
    /// <returns>What was done, for people.</returns>
    public abstract Task<string> ReplacedAsync(string kid, ISigningKey by, TimeProvider time, CancellationToken cancellationToken);
}
