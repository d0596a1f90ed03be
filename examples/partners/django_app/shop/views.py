"""Log in with a code sent to your number, see your coins."""

from __future__ import annotations

import logging
import secrets

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from huanxin_partner.django.running import partner
from huanxin_partner.guard import may_enter
from shop.models import Account, LoginCode, LoginSession


@csrf_exempt  # the shop's own phone app posts here
@require_POST
def send_code(request: HttpRequest) -> HttpResponse:
    phone, code = request.POST["phone"], f"{secrets.randbelow(1_000_000):06}"
    LoginCode.objects.update_or_create(phone=phone, defaults={"code": code})
    logging.info("SMS to %s: your code is %s", phone, code)  # an SMS service would send it
    return HttpResponse(status=204)


@csrf_exempt
@require_POST
def log_in(request: HttpRequest) -> HttpResponse:
    phone = request.POST["phone"]
    sent = LoginCode.objects.filter(phone=phone).first()
    if sent is None or not secrets.compare_digest(sent.code, request.POST["code"]):
        return HttpResponse("that is not the code that was sent", status=403)
    sent.delete()
    account = Account.objects.filter(phone=phone).first()
    if account and not may_enter(partner().journal, phone, account.phone_bound_at):
        text = "this number has a new owner; log in with your password and bind another number"
        return HttpResponse(text, status=403)
    if account is None:
        account = Account.objects.create(phone=phone, phone_bound_at=timezone.now(), name="")
    session = LoginSession.objects.create(token=secrets.token_urlsafe(), account=account)
    response = HttpResponse(status=204)
    response.set_cookie("session", session.token, httponly=True)
    return response


@require_GET
def me(request: HttpRequest) -> HttpResponse:
    session = LoginSession.objects.select_related("account").filter(token=request.COOKIES.get("session", "")).first()
    if session is None:
        return HttpResponse("log in first", status=401)
    account = session.account
    return JsonResponse({"account": account.pk, "phone": account.phone, "coins": account.coins})
