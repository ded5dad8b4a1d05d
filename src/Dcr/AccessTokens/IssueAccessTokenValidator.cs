using Dcr.Protocol;
using FluentValidation;

namespace Dcr.AccessTokens;

internal sealed class IssueAccessTokenValidator : AbstractValidator<IssueAccessToken>
{
    public IssueAccessTokenValidator()
    {
        RuleFor(request => request.GrantType)
            .NotNull().WithErrorCode("invalid_request").WithMessage("grant_type is missing.")
            .DependentRules(() => RuleFor(request => request.GrantType)
                .Equal(GrantTypes.ClientCredentials)
                    .WithErrorCode("unsupported_grant_type")
                    .WithMessage($"grant_type must be {GrantTypes.ClientCredentials}."));

        RuleFor(request => request.Scope)
            .Must(scope => scope is null || ScopeTokens.IsWellFormed(scope))
            .WithErrorCode("invalid_scope")
            .WithMessage("scope must be space-separated tokens of printable ASCII (RFC 6749 section 3.3).");
    }
}
