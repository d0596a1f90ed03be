"""The shop: an adapter that writes its SMS to a file, and a page that says who one is."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from huanxin_partner.adapters.allauth.accounts import PhoneAccounts


class AccountAdapter(PhoneAccounts, DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """What a project adds: sending the code."""

    def send_verification_code_sms(self, user: Any, phone: str, code: str, **kwargs: Any) -> None:
        (settings.FOLDER / f"sms-{phone}").write_text(code)


def me(request: HttpRequest) -> JsonResponse:
    user = request.user
    return JsonResponse({"id": user.pk, "email": getattr(user, "email", ""), "orders": request.session.get("orders", [])})


urlpatterns = [path("accounts/", include("allauth.urls")), path("me", me)]
urlpatterns += [path("huanxin/events/", include("huanxin_partner.django.urls"))]
