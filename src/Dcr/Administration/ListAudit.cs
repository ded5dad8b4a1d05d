using Dcr.Auditing;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>GET /admin/v1/audit: the audit trail, newest first, by cursor; <c>?subject=</c> restricts it to one client or key.</summary>
internal static class ListAuditRoute
{
    public static async Task<IResult> HandleAsync(HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var limit = Paging.Limit(request.Query);
        if (!limit.IsSuccess)
        {
            return new OAuthErrorResult(limit.Error);
        }
        var cursor = Paging.IdCursor(request.Query);
        if (!cursor.IsSuccess)
        {
            return new OAuthErrorResult(cursor.Error);
        }
        var subject = request.Query["subject"].ToString();
        var page = await mediator.Send(
            new ListAudit(
                subject.Length > 0 ? subject : null, cursor.Value.Length > 0 ? cursor.Value : null, limit.Value), cancellationToken);
        return TypedResults.Json(page, AdministrationJson.Default.PageAuditRecord);
    }
}

internal sealed record ListAudit(string? Subject, string? Before, int Limit) : IRequest<Page<AuditRecord>>;

internal sealed class ListAuditHandler(IAuditStore audit) : IRequestHandler<ListAudit, Page<AuditRecord>>
{
    public async Task<Page<AuditRecord>> Handle(ListAudit request, CancellationToken cancellationToken)
    {
        var found = await audit.ListAsync(request.Subject, request.Before, request.Limit + 1, cancellationToken);
        return Paging.ToPage(found, request.Limit, record => record, record => record.Id);
    }
}
