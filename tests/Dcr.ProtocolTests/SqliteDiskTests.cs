using System.Diagnostics;
using System.Net;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>The files of the SQLite store are lost, or find no room: readiness says so while requests are answered 503.</summary>
public sealed class SqliteDiskTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    [Requirement("P-FILE", "P-READY")]
    public async Task A_database_deleted_under_the_server_is_answered_503_and_not_made_anew()
    {
        await using var server = new SqliteServer();
        await server.InitializeAsync();
        var client = await server.OnboardAsync();
        var path = Path.Combine(server.Directory, "dcr.db");
        File.Delete(path);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.GetAsync("/health/ready")).Status);
        for (var i = 0; i < 20; i++)
        {
            (await server.PostTokenAsync(server.Assertion(client.Key, client.ClientId).Sign())).Refused(HttpStatusCode.ServiceUnavailable, "temporarily_unavailable");
            (await server.GetAsync(client.Path, client.RegistrationAccessToken)).Refused(HttpStatusCode.ServiceUnavailable, "temporarily_unavailable");
        }
        Assert.False(File.Exists(path));
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/health/live")).Status);

        await server.StopAsync();
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(server.StartAsync);
        Assert.Contains("is missing or empty", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-READY", "P-AWAY")]
    public async Task A_full_disk_is_not_ready_while_writes_fail_and_ready_again_when_there_is_room()
    {
        var disk = Directory.CreateTempSubdirectory("dcr-disk-").FullName;
        Assert.SkipUnless(await RunAsync("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk), "no small file system can be mounted here");
        try
        {
            await using var server = new SqliteServer();
            await server.PrepareAsync();
            var address = $"http://127.0.0.1:{Ports.Free()}";
            string[] arguments = [.. server.Arguments(address, address), "--Dcr:Storage:Sqlite:Path", Path.Combine(disk, "dcr.db")];
            await using var node = await ServerProcess.StartAsync(arguments, server.Directory);
            await FillAsync(Path.Combine(disk, "filling"));

            // Each token is a write; so that the log has no room left over from before.
            Answer answer;
            var sent = 0;
            do
            {
                answer = await ProcessRequests.TokenAsync(node, address, server.OnboardingKey, DcrServer.OnboardingClient, "dcr");
                Assert.True(++sent < 5000, "the disk is never full");
            }
            while (answer.Status == HttpStatusCode.OK);
            answer.Refused(HttpStatusCode.ServiceUnavailable, "temporarily_unavailable");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await ProcessRequests.GetAsync(node, "health/ready")).Status);

            File.Delete(Path.Combine(disk, "filling"));
            for (var i = 0; i < 300 && answer.Status != HttpStatusCode.OK; i++)
            {
                await Task.Delay(100, Cancellation);
                answer = await ProcessRequests.GetAsync(node, "health/ready");
            }
            answer.Succeeded();
            (await ProcessRequests.TokenAsync(node, address, server.OnboardingKey, DcrServer.OnboardingClient, "dcr")).Succeeded();
        }
        finally
        {
            await RunAsync("umount", "-l", disk);
            Directory.Delete(disk);
        }
    }

    private static async Task FillAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            for (var piece = new byte[4096]; ;)
            {
                await file.WriteAsync(piece, Cancellation);
                await file.FlushAsync(Cancellation);
            }
        }
        catch (IOException)
        {
            // Full.
        }
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            await process.WaitForExitAsync(CancellationToken.None);
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
