using Xunit.v3;

namespace Dcr.Storage.Testing;

/// <summary>The requirements of Dcr (ids of its <c>specs/requirements</c>) that a test shows, as the trait <c>requirement</c>.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class RequirementAttribute(params string[] ids) : Attribute, ITraitAttribute
{
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() =>
        [.. ids.Select(id => KeyValuePair.Create("requirement", id))];
}
