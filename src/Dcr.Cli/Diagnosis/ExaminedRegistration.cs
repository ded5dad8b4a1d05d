using System.Net;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>What the server says of a client to the client itself (RFC 7592 section 2.1).</summary>
internal sealed record ExaminedRegistration
{
    public bool IsActive { get; init; }

    /// <summary>Suspended or expired.</summary>
    public bool IsStopped { get; init; }

    /// <summary>Why it could not be read. Null: it was.</summary>
    public string? Absence { get; init; }

    /// <summary>The one algorithm it is registered for. Null: any.</summary>
    public string? Alg { get; init; }

    /// <summary>Its keys: those registered, or those at its <c>jwks_uri</c>.</summary>
    public ExaminedKeySet? Keys { get; init; }

    /// <summary>Null: the profile has no registration of this client.</summary>
    public static async Task<ExaminedRegistration?> ReadAsync(
        Connection connection, string? clientId, TimeProvider time, CancellationToken cancellationToken)
    {
        if ((await connection.RegistrationStore.LoadAsync(cancellationToken))?.ClientId is not { } registered || registered != clientId)
        {
            return null;
        }
        try
        {
            var metadata = (await (await connection.RegistrationAsync(cancellationToken)).ReadAsync(cancellationToken)).Metadata;
            return new ExaminedRegistration
            {
                IsActive = true,
                Alg = metadata.TokenEndpointAuthSigningAlg,
                Keys = metadata switch
                {
                    { JwksUri: { } uri } => await ExaminedKeySet.FetchAsync(uri, connection.Http, time, cancellationToken),
                    { Jwks: { } jwks } => ExaminedKeySet.Parse("the registered jwks", jwks.ToJson()),
                    _ => null,
                },
            };
        }
        catch (DcrException refusal) when (refusal.StatusCode == HttpStatusCode.Forbidden)
        {
            return new ExaminedRegistration { IsStopped = true };
        }
        catch (DcrException refusal)
        {
            return new ExaminedRegistration
            {
                Absence = refusal.StatusCode == HttpStatusCode.Unauthorized
                    ? "the server does not take its registration access token: it may have been deleted or revoked"
                    : $"its registration cannot be read: {Excerpt.Of(refusal.Message)}",
            };
        }
        catch (Exception exception) when (
            exception is HttpRequestException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new ExaminedRegistration { Absence = $"its registration cannot be read: {Excerpt.Of(exception.Message)}" };
        }
    }
}
