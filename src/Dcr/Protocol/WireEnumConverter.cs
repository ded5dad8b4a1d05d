using System.Text.Json.Serialization;

namespace Dcr.Protocol;

/// <summary>An enum as its wire names and nothing else: a number is none of them.</summary>
internal sealed class WireEnumConverter<T>() : JsonStringEnumConverter<T>(namingPolicy: null, allowIntegerValues: false)
    where T : struct, Enum;
