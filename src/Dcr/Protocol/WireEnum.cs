using System.Text.Json;

namespace Dcr.Protocol;

/// <summary>Reads and writes an enum by its wire name, as its JSON converter knows it.</summary>
internal static class WireEnum
{
    /// <summary>Null when no member has that wire name.</summary>
    public static T? Parse<T>(string name)
        where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (NameOf(value) == name)
            {
                return value;
            }
        }
        return null;
    }

    public static string NameOf<T>(T value)
        where T : struct, Enum => JsonSerializer.SerializeToElement(value, typeof(T), DcrJson.Default).GetString()!;
}
