namespace Dcr.Server;

/// <summary>What <c>--help</c> prints; nothing is made for it.</summary>
internal static class Usage
{
    public const string Text =
        """
        Dcr, an OAuth 2.0 dynamic client registration server.

        Usage: Dcr.Server [--urls http://localhost:5080] [--Dcr:SETTING VALUE]...

          --urls URLS                        where to listen, separated by semicolons
          --Dcr:Issuer URL                   the issuer identifier; default: where it listens, on loopback
          --Dcr:SeedFile FILE                clients that are there from the start
          --Dcr:Storage:Provider NAME        Sqlite (default) or MongoDb
          --Dcr:Storage:Sqlite:Path FILE     the database file; default data/dcr.db

        Every setting can also stand in appsettings.json or in an environment variable (Dcr__Issuer). README.md lists them all.

        """;
}
