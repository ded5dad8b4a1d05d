using System.Text.Json;
using Dcr.Jose;
using Xunit;

namespace Dcr.UnitTests.Jose;

public sealed class ProofTimesTests
{
    [Theory]
    [Requirement("R9449-4.3-02")]
    [InlineData(-70, true)]
    [InlineData(-71, false)]
    [InlineData(10, true)]
    [InlineData(11, false)]
    public void A_proof_is_of_now_for_a_minute_with_ten_seconds_on_both_sides(int seconds, bool isFresh)
    {
        var now = DateTimeOffset.UtcNow;
        Assert.Equal(isFresh, ProofTimes.IsFresh(now.AddSeconds(seconds), now));
        Assert.Equal(isFresh || seconds > 10, ProofTimes.EndOf(now.AddSeconds(seconds)) >= now);
    }

    [Theory]
    [InlineData("1700000000", 1700000000.0)]
    [InlineData("1700000000.25", 1700000000.25)]
    [InlineData("0", 0.0)]
    [InlineData("-1", null)]
    [InlineData("1e300", null)]
    [InlineData("-1e300", null)]
    [InlineData("9223372036854775807", null)]
    [InlineData("1700000000000", null)]
    [InlineData("\"1700000000\"", null)]
    [InlineData("null", null)]
    [InlineData("{}", null)]
    public void A_time_is_a_number_of_seconds(string json, double? seconds)
    {
        using var document = JsonDocument.Parse(json);
        Assert.Equal(seconds is null ? null : DateTimeOffset.UnixEpoch.AddSeconds(seconds.Value), ProofTimes.Read(document.RootElement));
    }
}
