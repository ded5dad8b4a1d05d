using Dcr.Clients;
using Dcr.TokenStatus;

namespace Dcr.Storage.Sqlite;

/// <summary>Bits in pages, so that one that is set costs little to write; set in the transaction that stops the client.</summary>
internal sealed class SqliteStatusListStore(SqliteStorage storage) : IStatusListStore
{
    private const int PageBytes = 1024;
    private const int PageBits = PageBytes * 8;

    public Task<long?> AssignAsync(string clientId, CancellationToken cancellationToken) => storage.Main.WriteAsync(
        session =>
        {
            var (status, index) = session.Read(
                row => ((ClientStatus?)row.GetInt32(0), row.IsDBNull(1) ? (long?)null : row.GetInt64(1)),
                "SELECT status, status_index FROM clients WHERE client_id = $1",
                clientId).SingleOrDefault();
            if (status != ClientStatus.Active || index is not null)
            {
                return status == ClientStatus.Active ? index : null;
            }
            var next = session.Read(row => row.GetInt64(0), "UPDATE status_indexes SET next = next + 1 RETURNING next - 1").Single();
            session.Change(
                "INSERT INTO status_lists (list, version) VALUES ($1, 0) ON CONFLICT DO NOTHING", (long)StatusReference.ListOf(next));
            session.Change("UPDATE clients SET status_index = $2 WHERE client_id = $1", clientId, next);
            return next;
        },
        cancellationToken);

    public Task<long?> FindVersionAsync(int list, CancellationToken cancellationToken) => Task.FromResult(storage.Main.Read(session =>
        session.Read(row => (long?)row.GetInt64(0), "SELECT version FROM status_lists WHERE list = $1", (long)list).SingleOrDefault()));

    public Task<byte[]> ReadAsync(int list, CancellationToken cancellationToken)
    {
        var bits = new byte[StatusReference.ListSize / 8];
        var pages = storage.Main.Read(session => session.Read(
            row =>
                (Page: row.GetInt32(0), Bits: (byte[])row.GetValue(1)), "SELECT page, bits FROM status_pages WHERE list = $1", (long)list));
        pages.ForEach(page => page.Bits.CopyTo(bits, page.Page * PageBytes));
        return Task.FromResult(bits);
    }

    /// <summary>The tokens with this index are permanently dead, and the client has none any more.</summary>
    /// <param name="session">Within the transaction that stops the client.</param>
    /// <param name="clientId">The client.</param>
    /// <param name="index">Null: it had none.</param>
    public static void UseUp(SqliteSession session, string clientId, long? index)
    {
        if (index is not { } used)
        {
            return;
        }
        var (list, place) = ((long)StatusReference.ListOf(used), StatusReference.PlaceOf(used));
        var page = (long)(place / PageBits);
        var bits = session.Read(
            row => (byte[])row.GetValue(0), "SELECT bits FROM status_pages WHERE list = $1 AND page = $2", list, page).SingleOrDefault()
            ?? new byte[PageBytes];
        bits[place % PageBits / 8] |= (byte)(1 << (place % 8));
        session.Change("INSERT OR REPLACE INTO status_pages (list, page, bits) VALUES ($1, $2, $3)", list, page, bits);
        session.Change("UPDATE status_lists SET version = version + 1 WHERE list = $1", list);
        session.Change("UPDATE clients SET status_index = NULL WHERE client_id = $1", clientId);
    }
}
