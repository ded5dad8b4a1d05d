namespace Dcr.Protocol;

/// <summary>Whether the store has been prepared; until then every endpoint that needs it answers 503.</summary>
internal sealed class Readiness
{
    public bool IsReady { get; private set; }

    public void SetReady() => IsReady = true;
}
