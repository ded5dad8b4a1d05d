using Xunit;

namespace Dcr.ProtocolTests.Support;

/// <summary>Tests over HTTP against one store; skipped, with the reason, where that store is not available.</summary>
public abstract class ServerTests
{
    protected ServerTests(DcrServer server)
    {
        Assert.SkipWhen(server.SkipReason is not null, server.SkipReason ?? "");
        Server = server;
    }

    protected DcrServer Server { get; }

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;
}
