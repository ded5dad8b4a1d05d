using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json.Serialization;

namespace Dcr.Protocol;

/// <summary>Reads and writes an enum by its wire name, as its JSON converter knows it.</summary>
internal static class WireEnum
{
    /// <summary>Null when no member has that wire name.</summary>
    public static T? Parse<T>(string name)
        where T : struct, Enum
    {
        foreach (var (value, wireName) in Names<T>.All)
        {
            if (wireName == name)
            {
                return value;
            }
        }
        return null;
    }

    public static string NameOf<T>(T value)
        where T : struct, Enum => Names<T>.All[value];

    private static class Names<T>
        where T : struct, Enum
    {
        public static readonly FrozenDictionary<T, string> All = Enum.GetValues<T>().ToFrozenDictionary(value => value, Of);

        private static string Of(T value) =>
            typeof(T).GetField(value.ToString())?.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? value.ToString();
    }
}
