using Dcr.Server;

await using var app = ServerApplication.Create(args);
await app.RunAsync();
