using System.Globalization;
using Dcr.Protocol;

namespace Dcr.TokenStatus;

/// <summary>Where the status of a token is found: the index of its client in one of the lists.</summary>
public static class StatusReference
{
    /// <summary>Indexes in a list: a million clients are one document, of 128 KiB before compression.</summary>
    public const int ListSize = 1 << 20;

    public static int ListOf(long index) => (int)(index / ListSize);

    public static int PlaceOf(long index) => (int)(index % ListSize);

    public static string Uri(IssuerUrls urls, long index) => Uri(urls, ListOf(index));

    public static string Uri(IssuerUrls urls, int list) => urls.StatusList(list.ToString(CultureInfo.InvariantCulture));

    /// <summary>The index of what a token of this server says.</summary>
    public static long IndexOf(IssuerUrls urls, string uri, long place) =>
        long.Parse(uri.AsSpan(urls.StatusList("").Length), NumberStyles.None, CultureInfo.InvariantCulture) * ListSize + place;
}
