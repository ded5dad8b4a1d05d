using Dcr.Clients;
using Dcr.Protocol;
using MediatR;

namespace Dcr.Registration;

/// <summary>
/// POST /oauth/register?validate_only=true: what would be registered, or why not. Uses nothing up and makes nothing, so
/// a registrant can try its metadata out against the policy it will meet.
/// </summary>
internal sealed record ValidateRegistration(RegistrationRequest Request) : IRequest<Result<ClientMetadata>>, IActsFor
{
    ICaller IActsFor.Caller => Request.Caller;
}

internal sealed class ValidateRegistrationHandler(RegistrationPreparation prepare, IRegistrationStore registrations, TimeProvider time)
    : IRequestHandler<ValidateRegistration, Result<ClientMetadata>>
{
    public async Task<Result<ClientMetadata>> Handle(ValidateRegistration command, CancellationToken cancellationToken)
    {
        var prepared = await prepare.ExecuteAsync(command.Request, useProof: false, mayBeRepeat: false, cancellationToken);
        if (!prepared.IsSuccess)
        {
            return prepared.Error;
        }
        var outcome = await registrations.TryOutAsync(
            RegistrationPreparation.UseOf(
                command.Request, prepared.Value.Approved), RegistrationLimits.Of(command.Request.OnboardingClient), cancellationToken);
        return RegistrationPreparation.Refusal(outcome, command.Request, time.GetUtcNow()) is { } refusal
            ? refusal
            : prepared.Value.Approved.Metadata;
    }
}
