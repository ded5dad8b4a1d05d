using MediatR;

namespace Dcr.Protocol;

/// <summary>Who a request acts for: judged again right before the handler, on what the store holds then.</summary>
internal interface ICaller
{
    /// <summary>Reads the caller again and keeps it as it is now.</summary>
    /// <returns>Why the caller may not act any more. Null: it may.</returns>
    ValueTask<OAuthError?> JudgeAsync(CancellationToken cancellationToken);
}

/// <summary>A command or query that acts for somebody.</summary>
internal interface IActsFor
{
    ICaller Caller { get; }
}

/// <summary>
/// The one place where a caller is judged for its effect (decision 0009). A request can be held open for long before its body is
/// complete, so what was found when it arrived says little: the caller is read again here. The handler may take long too, behind a
/// slow key host, so the store makes the effect only on <see cref="Grounds"/> that still hold. A handler that is told that they do not
/// answers <see cref="OAuthError.GroundsChanged"/>, and everything is judged anew: usually the caller is refused then, and
/// sometimes the request is judged by the policy that is in force now.
/// </summary>
internal sealed class JudgementBehavior<TRequest, TResponse> : IPipelineBehavior<TRequest, TResponse>
    where TResponse : IRefusable<TResponse>
{
    private const int MaxAttempts = 3;

    public async Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        if (request is not IActsFor { Caller: var caller })
        {
            return await next();
        }
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await caller.JudgeAsync(cancellationToken) is { } fault)
            {
                return TResponse.Refuse(fault);
            }
            var response = await next();
            if (!ReferenceEquals(response.Error, OAuthError.GroundsChanged))
            {
                return response;
            }
        }
        return TResponse.Refuse(
            OAuthError.Conflict("What the request rests on is being changed by others without pause; nothing was done. Try again."));
    }
}
