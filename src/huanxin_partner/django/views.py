"""The receiver as a view."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from httpx import codes

from huanxin_partner import taking
from huanxin_partner.django.running import partner


@csrf_exempt
@require_POST
def take(request: HttpRequest) -> HttpResponse:
    """POST takes an event, and answers what taking.take says. The platform signs, and has no session or CSRF token."""
    desk = partner()
    body = request.read(taking.LONGEST + 1)
    reply = taking.take(body, request.headers.get("Content-Type", ""), desk.verifier, desk.journal)
    if reply.status == codes.ACCEPTED:
        desk.worker.wake()
    if reply.said is None:
        return HttpResponse(status=reply.status, headers=reply.headers)
    return JsonResponse(reply.said, status=reply.status, headers=reply.headers)
