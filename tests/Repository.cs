namespace Dcr;

/// <summary>The repository that the tests were built from.</summary>
public static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Dcr.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("Not run from within the repository.");
        }
        return folder.FullName;
    }
}
