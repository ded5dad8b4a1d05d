using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Dcr.Clients;

/// <summary>Which clients to list. A null member does not restrict.</summary>
public sealed record ClientFilter
{
    public ClientStatus? Status { get; init; }

    /// <summary>
    /// True: only clients that have an exception for their assertions, ended or not, or have needed one of late. False: only the others.
    /// </summary>
    public bool? AssertionException { get; init; }

    public OriginFilter? Origin { get; init; }

    /// <summary>Only clients that have a registration policy.</summary>
    public bool OnboardingOnly { get; init; }
}

/// <summary>A place in the listing of clients: the last one already given.</summary>
public sealed record ClientCursor(DateTimeOffset CreatedAt, string ClientId)
{
    public static ClientCursor Of(Client client) => new(client.CreatedAt, client.ClientId);

    /// <summary>Null if the text is not a cursor that this server gave.</summary>
    public static ClientCursor? Parse(string text)
    {
        if (text.Length > 600 || !Base64Url.IsValid(text))
        {
            return null;
        }
        var decoded = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text));
        var space = decoded.IndexOf(' ', StringComparison.Ordinal);
        return space > 0 && long.TryParse(decoded.AsSpan(0, space), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? new ClientCursor(DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), decoded[(space + 1)..])
            : null;
    }

    public override string ToString() =>
        Base64Url.EncodeToString(
            Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{CreatedAt.ToUnixTimeMilliseconds()} {ClientId}")));
}
