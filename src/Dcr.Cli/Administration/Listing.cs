using System.CommandLine;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>Listings of the admin API, which come in pages.</summary>
internal static class Listing
{
    // The most that the server gives at once.
    private const int LargestPage = 200;

    private static readonly Option<int> s_limit = new("--limit")
    {
        Description = "How many at most",
        DefaultValueFactory = _ => 50,
        HelpName = "number",
    };

    private static readonly Option<bool> s_all = new("--all") { Description = "As many as there are" };

    public static LeafCommand WithLimit(this LeafCommand command) => command.With(s_limit, s_all);

    /// <summary>Shows as many as the user wants to see, and says when there are more.</summary>
    /// <param name="path">Of the listing.</param>
    /// <param name="query">Restricts it.</param>
    /// <param name="columns">The members that people see, by path.</param>
    /// <param name="forPeople">An item as people read it. Null: as it is.</param>
    public static async Task ShowAsync(
        CommandRun run,
        AdminApi api,
        string path,
        IReadOnlyDictionary<string, string> query,
        IReadOnlyList<string> columns,
        CancellationToken cancellationToken,
        Func<JsonObject, JsonObject>? forPeople = null)
    {
        var limit = run.Get(s_limit);
        if (limit < 1)
        {
            throw CommandFailure.Usage("--limit must be at least 1.");
        }
        var pages = PagesAsync(api, path, query, run.Get(s_all) ? int.MaxValue : limit, cancellationToken);
        if (await run.Terminal.ShowPagesAsync(pages, columns, forPeople) is not null)
        {
            run.Terminal.Note("There are more: --limit NUMBER, or --all.");
        }
    }

    /// <summary>One page.</summary>
    /// <param name="cursor">The <c>next</c> of the page before it. Null: the first.</param>
    public static Task<JsonObject> PageAsync(
        AdminApi api,
        string path,
        IReadOnlyDictionary<string, string> query,
        int limit,
        string? cursor,
        CancellationToken cancellationToken)
    {
        var filters = string.Concat(query.Select(filter => $"&{filter.Key}={Uri.EscapeDataString(filter.Value)}"));
        return api.GetAsync(
            $"{path}?limit={limit}{filters}{(cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}")}", cancellationToken);
    }

    private static async IAsyncEnumerable<JsonObject> PagesAsync(
        AdminApi api,
        string path,
        IReadOnlyDictionary<string, string> query,
        int limit,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? cursor = null;
        do
        {
            var page = await PageAsync(api, path, query, Math.Min(limit, LargestPage), cursor, cancellationToken);
            limit -= page["items"]?.AsArray().Count ?? 0;
            cursor = (string?)page["next"];
            yield return page;
        }
        while (cursor is not null && limit > 0);
    }
}
