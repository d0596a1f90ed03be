"""The steps of a login: allauth's own, where an account may have lost its number."""

from __future__ import annotations

from typing import Any

from allauth.account.stages import PhoneVerificationStage

from huanxin_partner.adapters.allauth.models import Phone


class PhoneStage(PhoneVerificationStage):  # type: ignore[misc]  # allauth has no types
    """allauth turns away an account without a number where signing up needs one (`phone*`). A renewal took this one's."""

    def handle(self) -> Any:
        if self.login.user and Phone.objects.filter(user=self.login.user, number__isnull=True).exists():
            return None, True
        return super().handle()
