namespace Dcr.Protocol;

/// <summary>The meter of every measurement of the server, for whoever exports it.</summary>
public static class DcrMeter
{
    public const string Name = "Dcr";
}
