using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr.Auditing;

/// <summary>Who did what to whom, and when.</summary>
internal static class AuditingFeature
{
    public static IServiceCollection AddAuditing(this IServiceCollection services)
    {
        services.AddSingleton<AuditRecords>();
        return services;
    }
}

/// <summary>What the stores keep of an act.</summary>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(AuditRecord))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, AuditChange>))]
public sealed partial class AuditingJson : JsonSerializerContext;
