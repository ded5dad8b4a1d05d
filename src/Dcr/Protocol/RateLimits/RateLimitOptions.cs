using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Dcr.Protocol.RateLimits;

/// <summary>The settings under <c>Dcr:RateLimits</c>. They hold for each node by itself.</summary>
public sealed class RateLimitOptions
{
    public const string Section = "Dcr:RateLimits";

    /// <summary>False: nobody is limited, for measurements and where a proxy in front does it. Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>How many refused proofs an address may send each second, in the long run. 1 to 1,000,000; default 50.</summary>
    public int RefusedPerAddressPerSecond { get; set; } = 50;

    /// <summary>How many it may send at once. 1 to 1,000,000; default 2000.</summary>
    public int RefusedPerAddressBurst { get; set; } = 2000;

    /// <summary>
    /// How many requests a client may make each second, in the long run, after it has proved its key. 1 to 1,000,000; default 200.
    /// </summary>
    public int PerClientPerSecond { get; set; } = 200;

    /// <summary>How many it may make at once. 1 to 1,000,000; default 2000.</summary>
    public int PerClientBurst { get; set; } = 2000;

    /// <summary>
    /// Addresses and networks (<c>10.0.0.0/8</c>) whose X-Forwarded-For or Forwarded header is believed; one setting each, or several
    /// in one, separated by commas. Default none.
    /// </summary>
    public IReadOnlyList<string> TrustedProxies { get; set; } = [];
}

/// <summary>Lets the proxies stand in one setting, as environment variables are written.</summary>
internal sealed class TrustedProxiesInOneSetting(IConfiguration configuration) : IPostConfigureOptions<RateLimitOptions>
{
    private const string Setting = $"{RateLimitOptions.Section}:{nameof(RateLimitOptions.TrustedProxies)}";

    public void PostConfigure(string? name, RateLimitOptions options)
    {
        if (configuration[Setting] is { } text)
        {
            options.TrustedProxies = text.Split([',', ';', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        }
    }
}

internal sealed class RateLimitOptionsValidator : IValidateOptions<RateLimitOptions>
{
    private const int Most = 1_000_000;

    public ValidateOptionsResult Validate(string? name, RateLimitOptions options)
    {
        var faults = NumberFaults(options).Concat(options.TrustedProxies.Where(proxy => ParseNetwork(proxy) is null).Select(proxy =>
            $"{RateLimitOptions.Section}:{nameof(RateLimitOptions.TrustedProxies)} has '{proxy}': it must be an IP address or a network "
                + "such as 10.0.0.0/8.")).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    /// <summary>Null when the text is neither an address nor a network.</summary>
    public static IPNetwork? ParseNetwork(string text)
    {
        if (IPAddress.TryParse(text, out var address))
        {
            address = CallerAddresses.Plain(address);
            return new IPNetwork(address, 8 * address.GetAddressBytes().Length);
        }
        return IPNetwork.TryParse(text, out var network) ? network : null;
    }

    private static IEnumerable<string> NumberFaults(RateLimitOptions options) =>
        new[]
        {
            (nameof(options.RefusedPerAddressPerSecond), options.RefusedPerAddressPerSecond),
            (nameof(options.RefusedPerAddressBurst), options.RefusedPerAddressBurst),
            (nameof(options.PerClientPerSecond), options.PerClientPerSecond),
            (nameof(options.PerClientBurst), options.PerClientBurst),
        }
        .Where(setting => setting.Item2 is < 1 or > Most)
        .Select(setting => $"{RateLimitOptions.Section}:{setting.Item1} is {setting.Item2}: it must be from 1 to {Most}.");
}
