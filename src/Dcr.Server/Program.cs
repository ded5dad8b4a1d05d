using Dcr.Server;

if (args.Any(arg => arg is "--help" or "-h" or "-?" or "/?"))
{
    Console.Write(Usage.Text);
    return;
}
await using var app = ServerApplication.Create(args);
await app.RunAsync();
