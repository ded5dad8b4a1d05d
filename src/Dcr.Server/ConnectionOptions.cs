using Microsoft.Extensions.Options;

namespace Dcr.Server;

/// <summary>The settings under <c>Dcr:Connections</c>.</summary>
public sealed class ConnectionOptions
{
    public const string Section = "Dcr:Connections";

    /// <summary>
    /// How many connections may be open at once, 1 to 1,000,000. It only lowers what the limit of open files leaves. Null: 10,000.
    /// </summary>
    public int? Max { get; set; }

    /// <summary>
    /// For how long the server goes on after it was told to stop, no longer ready, before it stops to listen. 0 to 5 minutes; default
    /// 1 second.
    /// </summary>
    public TimeSpan DrainDelay { get; set; } = TimeSpan.FromSeconds(1);
}

internal sealed class ConnectionOptionsValidator : IValidateOptions<ConnectionOptions>
{
    private const int Most = 1_000_000;

    public ValidateOptionsResult Validate(string? name, ConnectionOptions options)
    {
        var faults = new List<string>();
        if (options.Max is < 1 or > Most)
        {
            faults.Add($"{ConnectionOptions.Section}:Max is {options.Max}: it must be from 1 to {Most}.");
        }
        if (options.DrainDelay < TimeSpan.Zero || options.DrainDelay > TimeSpan.FromMinutes(5))
        {
            faults.Add($"{ConnectionOptions.Section}:DrainDelay is {options.DrainDelay}: it must be from 00:00:00 to 00:05:00.");
        }
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
