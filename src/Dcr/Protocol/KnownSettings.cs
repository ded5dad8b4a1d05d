using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dcr.Protocol;

/// <param name="Section">Such as <c>Dcr:Jwks</c>.</param>
/// <param name="Options">Whose properties are the settings there.</param>
internal sealed record KnownSettings(string Section, Type Options)
{
    public IEnumerable<string> Names => IsOpen ? [] : Options.GetProperties().Select(property => $"{Section}:{property.Name}");

    /// <summary>Those among them that are lists, whose entries are settings <c>:0</c>, <c>:1</c> and so on.</summary>
    public IEnumerable<string> Lists => Options.GetProperties()
        .Where(property => property.PropertyType.IsAssignableTo(typeof(IEnumerable<string>)))
        .Select(property => $"{Section}:{property.Name}");

    /// <summary>Whoever reads the section judges its names.</summary>
    public bool IsOpen { get; init; }

    public static KnownSettings Anything(string section) => new(section, typeof(object)) { IsOpen = true };
}

public static class KnownSettingsExtensions
{
    /// <summary>Options whose properties are the settings of a section under <c>Dcr</c>.</summary>
    public static OptionsBuilder<T> AddSettings<T>(this IServiceCollection services, string section)
        where T : class
    {
        services.AddSingleton(new KnownSettings(section, typeof(T)));
        return services.AddOptions<T>().BindConfiguration(section);
    }
}

/// <summary>
/// Rejects unknown settings under <c>Dcr</c>: a typo in <c>Dcr:SecurityProfile</c> would otherwise
/// start a server that is less strict than was meant.
/// </summary>
internal sealed class UnknownSettings(IConfiguration configuration, IEnumerable<KnownSettings> known) : IValidateOptions<DcrOptions>
{
    public ValidateOptionsResult Validate(string? name, DcrOptions options)
    {
        var names = known.SelectMany(settings => settings.Names).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var lists = known.SelectMany(settings => settings.Lists).ToHashSet(StringComparer.OrdinalIgnoreCase);
        List<string> open = [.. known.Where(settings => settings.IsOpen).Select(settings => settings.Section + ":")];
        var faults = configuration.GetSection(DcrOptions.Section).AsEnumerable()
            .Where(setting => setting.Value is not null && setting.Key != DcrOptions.Section)
            .Where(setting => !names.Contains(setting.Key) && !IsEntry(setting.Key, lists))
            .Where(setting => !open.Any(section => setting.Key.StartsWith(section, StringComparison.OrdinalIgnoreCase)))
            .Select(setting => Fault(setting.Key, names))
            .ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static bool IsEntry(string key, HashSet<string> lists) =>
        key.LastIndexOf(':') is var colon and > 0 && uint.TryParse(key.AsSpan(colon + 1), out _) && lists.Contains(key[..colon]);

    // Its value is not repeated: it may be a secret in the wrong place.
    private static string Fault(string key, IEnumerable<string> names)
    {
        var section = key[..(key.LastIndexOf(':') + 1)];
        var beside = names.Where(
            name =>
                name.StartsWith(section, StringComparison.OrdinalIgnoreCase)
                    && !name[section.Length..].Contains(':', StringComparison.Ordinal))
            .Select(name => name[section.Length..])
            .Order(StringComparer.Ordinal)
            .ToList();
        return beside.Count == 0
            ? $"{key}: unknown setting."
            : $"{key}: unknown setting; {section.TrimEnd(':')} has {string.Join(", ", beside)}.";
    }
}
