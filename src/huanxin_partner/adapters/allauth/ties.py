"""The tie store of allauth's phone accounts."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from huanxin_partner.adapters.allauth.models import Phone
from huanxin_partner.django import DjangoTies
from huanxin_partner.rows import Refuse, Tie

_METHODS = "account_authentication_methods"  # in a session: how its user came in, the first way first


class AllauthTies(DjangoTies):
    """Detaches numbers from accounts (DjangoTies), and ends the sessions that came in by them.

    The account, what belongs to it, its e-mail address and its other ways in stay. A session stays if its record shows that
    it came in by e-mail, user name, passkey or another site; one that came in by a code to the phone, by number and
    password, or at sign-up, ends. `refuse` as in rows.RowTies; the keys are those of `models.Phone`.
    """

    def __init__(self, *, refuse: Refuse[str] | None = None) -> None:
        """Raises ImproperlyConfigured if sessions can't be found or ended."""
        if not apps.is_installed("allauth.usersessions"):
            raise ImproperlyConfigured("add allauth.usersessions to INSTALLED_APPS: it knows which sessions an account has")
        if settings.SESSION_ENGINE.endswith("signed_cookies"):
            raise ImproperlyConfigured("SESSION_ENGINE keeps sessions in cookies, which can't be ended: choose another one")
        super().__init__(Phone, number="number", bound_at="bound_at", refuse=refuse, end_sessions=end_phone_sessions)


def end_phone_sessions(using: str, ties: list[Tie]) -> None:
    """End the sessions that rely on these numbers."""
    sessions: Any = apps.get_model("usersessions", "UserSession")
    store = import_module(settings.SESSION_ENGINE).SessionStore
    of_these = sessions.objects.using(using).filter(user__huanxin_phone__in=[tie.key for tie in ties])
    for session in of_these.iterator():
        if not _came_in_otherwise(store(session.session_key).get(_METHODS)):
            session.end()


def _came_in_otherwise(methods: Any) -> bool:
    """Whether a session's record shows another way in than the phone."""
    first = methods[0] if isinstance(methods, list) and methods else {}
    by_name = "email" in first or "username" in first
    return by_name or first.get("method") == "socialaccount" or first.get("type") == "webauthn"
