"""The hooks by which allauth stores and finds phone numbers (allauth's documentation: account, phone)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from huanxin_partner.adapters.allauth.models import Phone

if TYPE_CHECKING:
    from allauth.account.adapter import DefaultAccountAdapter as _Adapter
else:
    _Adapter = object

_PHONE_STAGE = "allauth.account.stages.PhoneVerificationStage"
_OWN_STAGE = "huanxin_partner.adapters.allauth.stages.PhoneStage"  # by name: allauth can't be imported before it is set up


class PhoneAccounts(_Adapter):  # type: ignore[misc]  # allauth has no types
    """Comes before allauth's adapter in a project's own, which only has to send the code:

        class AccountAdapter(PhoneAccounts, DefaultAccountAdapter):
            def send_verification_code_sms(self, user, phone, code, **kwargs): ...

    `bound_at` is when a number was set or first verified. Later logins by code leave it: who receives the code may be the
    next owner, and must not make the former owner's tie look new.
    """

    def set_phone(self, user: Any, phone: str, verified: bool) -> None:
        values = {"number": phone, "verified": verified, "bound_at": timezone.now()}
        Phone.objects.update_or_create(user=user, defaults=values)

    def get_phone(self, user: Any) -> tuple[str, bool] | None:
        found = Phone.objects.filter(user=user, number__isnull=False).first()
        return (str(found.number), found.verified) if found else None

    def get_user_by_phone(self, phone: str) -> Any:
        found = Phone.objects.filter(number=phone).select_related("user").first()
        return found.user if found else None

    def set_phone_verified(self, user: Any, phone: str) -> None:
        """Raises PermissionDenied if the account lost the number while the code was on its way."""
        if Phone.objects.filter(user=user, number=phone).exists():
            Phone.objects.filter(user=user, number=phone, verified=False).update(verified=True, bound_at=timezone.now())
        elif self.request.user.is_authenticated and self.request.user.pk == user.pk:
            self.set_phone(user, phone, True)  # a change of number: allauth sets it once it is verified
        else:
            raise PermissionDenied("the number is not this account's any more")

    def get_login_stages(self) -> list[str]:
        """As the project has them, but an account whose number was detached is let in by its other ways."""
        return [_OWN_STAGE if stage == _PHONE_STAGE else stage for stage in super().get_login_stages()]
