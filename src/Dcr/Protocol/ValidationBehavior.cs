using FluentValidation;
using FluentValidation.Results;
using MediatR;

namespace Dcr.Protocol;

/// <summary>
/// Runs the validators of a request before its handler. A rule says which error it is by its error code; the answer
/// has the code of the first rule that failed and names every fault.
/// </summary>
internal sealed class ValidationBehavior<TRequest, TResponse>(IEnumerable<IValidator<TRequest>> validators)
    : IPipelineBehavior<TRequest, TResponse>
    where TResponse : IRefusable<TResponse>
{
    public Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        var failures = validators.SelectMany(validator => validator.Validate(request).Errors).ToList();
        return failures.Count == 0 ? next() : Task.FromResult(TResponse.Refuse(ValidationFaults.ToError(failures)));
    }
}

/// <summary>The answer to what a validator found: the code of the first fault, and every fault named.</summary>
internal static class ValidationFaults
{
    public static OAuthError ToError(IReadOnlyList<ValidationFailure> failures) => new()
    {
        Status = 400,
        Code = failures[0].ErrorCode,
        Description = string.Join(' ', failures.Select(failure => failure.ErrorMessage).Distinct()),
    };
}
