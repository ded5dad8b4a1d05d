using System.Buffers.Text;
using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using Dcr.Jose;
using Dcr.Protocol;
using Dcr.SigningKeys;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Dcr.TokenStatus;

/// <summary>A Status List Token, ready to be sent.</summary>
internal sealed record PublishedStatusList(byte[] Token, string EntityTag);

/// <summary>
/// Makes Status List Tokens (draft-ietf-oauth-status-list-21 section 5.1), and keeps each until one of its bits changes or it grows old:
/// then a request costs one small read, however many clients there are. One is made at a time.
/// </summary>
internal sealed class StatusListTokens(
    IStatusListStore store, ServerKeys keys, IssuerUrls urls, IOptions<TokenStatusOptions> options, TimeProvider time)
    : IDisposable
{
    private const string Type = "statuslist+jwt";

    private static readonly JsonWebTokenHandler s_handler = new() { SetDefaultTimesOnTokenCreation = false };

    private readonly ConcurrentDictionary<int, Kept> _kept = new();
    private readonly SemaphoreSlim _making = new(1);

    /// <summary>Null when no client has an index in that list.</summary>
    public async Task<PublishedStatusList?> FindAsync(int list, CancellationToken cancellationToken)
    {
        if (await store.FindVersionAsync(list, cancellationToken) is not { } version)
        {
            return null;
        }
        if (Current(list, version) is { } kept)
        {
            return kept;
        }
        await _making.WaitAsync(cancellationToken);
        try
        {
            // Before its bits are read: what is set meanwhile has a higher version, and is read next time.
            version = await store.FindVersionAsync(list, cancellationToken) ?? version;
            return Current(list, version) ?? await MakeAsync(list, version, cancellationToken);
        }
        finally
        {
            _making.Release();
        }
    }

    public void Dispose() => _making.Dispose();

    private PublishedStatusList? Current(int list, long version) =>
        _kept.TryGetValue(list, out var kept) && kept.Version == version && IsFresh(kept) ? kept.List : null;

    // By the monotonic clock; and its times must be those of the wall clock as it is now, which may have been set since.
    private bool IsFresh(Kept kept)
    {
        var age = time.GetElapsedTime(kept.Timestamp);
        return age < options.Value.Ttl && (time.GetUtcNow() - kept.MadeAt - age).Duration() < JwtTimes.ClockSkew;
    }

    private async Task<PublishedStatusList> MakeAsync(int list, long version, CancellationToken cancellationToken)
    {
        var bits = await store.ReadAsync(list, cancellationToken);
        var key = await keys.CurrentAsync(cancellationToken);
        var now = time.GetUtcNow();
        var token = s_handler.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = Type,
            IssuedAt = now.UtcDateTime,
            Expires = (now + options.Value.Expiry).UtcDateTime,
            Claims = new Dictionary<string, object>
            {
                ["sub"] = StatusReference.Uri(urls, list),
                ["ttl"] = (long)options.Value.Ttl.TotalSeconds,
                ["status_list"] = new Dictionary<string, object> { ["bits"] = 1, ["lst"] = Compress(bits) },
            },
            SigningCredentials = key.Credentials,
        });
        var published = new PublishedStatusList(
            Encoding.ASCII.GetBytes(token),
            EntityTag.Of(
                [
                    version.ToString(System.Globalization.CultureInfo.InvariantCulture),
                    key.Kid,
                    now.UtcTicks.ToString(System.Globalization.CultureInfo.InvariantCulture),
                ]));
        _kept[list] = new Kept(published, version, now, time.GetTimestamp());
        return published;
    }

    // Section 4.1: DEFLATE in the ZLIB format.
    private static string Compress(byte[] bits)
    {
        using var buffer = new MemoryStream();
        using (var zlib = new ZLibStream(buffer, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            zlib.Write(bits);
        }
        return Base64Url.EncodeToString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }

    private sealed record Kept(PublishedStatusList List, long Version, DateTimeOffset MadeAt, long Timestamp);
}
