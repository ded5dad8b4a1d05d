using Microsoft.Data.Sqlite;

namespace Dcr.Storage.Sqlite;

/// <summary>One open connection with its statements prepared once and kept. Used by one caller at a time.</summary>
internal sealed class SqliteSession : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, SqliteCommand> _prepared = new(StringComparer.Ordinal);

    /// <param name="connectionString">Where the database is.</param>
    /// <param name="pragmas">What is set once, when the connection opens.</param>
    /// <param name="check">What must be found before anything is set. Null: nothing.</param>
    public SqliteSession(string connectionString, string pragmas, Action<SqliteSession>? check = null)
    {
        _connection = new SqliteConnection(connectionString);
        try
        {
            _connection.Open();
            check?.Invoke(this);
            Run(pragmas);
        }
        catch
        {
            _connection.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Whether the file that is open is no longer the one at its path: it was deleted, moved or replaced, and what is written into it is
    /// lost.
    /// </summary>
    public bool HasMoved => SqliteNative.HasMoved(_connection);

    /// <summary>Those that are kept.</summary>
    public IEnumerable<string> Statements => _prepared.Keys;

    /// <summary>A statement with its parameters <c>$1</c>, <c>$2</c>, ... bound in order; a null binds NULL.</summary>
    public SqliteCommand Prepare(string sql, params ReadOnlySpan<object?> values)
    {
        if (!_prepared.TryGetValue(sql, out var command))
        {
            command = _connection.CreateCommand();
            command.CommandText = sql;
            for (var i = 0; i < values.Length; i++)
            {
                command.Parameters.Add(new SqliteParameter { ParameterName = $"${i + 1}" });
            }
            _prepared.Add(sql, command);
        }
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        }
        return command;
    }

    /// <summary>How many rows the statement changed.</summary>
    public int Change(string sql, params ReadOnlySpan<object?> values) => Prepare(sql, values).ExecuteNonQuery();

    /// <summary>The rows the statement gives.</summary>
    public List<T> Read<T>(Func<SqliteDataReader, T> row, string sql, params ReadOnlySpan<object?> values)
    {
        using var reader = Prepare(sql, values).ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
        {
            rows.Add(row(reader));
        }
        return rows;
    }

    /// <summary>Statements that are run once and not kept.</summary>
    public void Run(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public void Dispose()
    {
        foreach (var command in _prepared.Values)
        {
            command.Dispose();
        }
        _connection.Dispose();
    }
}
