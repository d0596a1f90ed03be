"""The phone numbers of allauth's accounts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models


class Phone(models.Model):
    """The number of an account. It is NULL once a renewal has detached it, so that the account is known to have had one."""

    user: models.OneToOneField[Any, Any] = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="huanxin_phone"
    )
    number: models.CharField[str | None, str | None] = models.CharField(max_length=32, unique=True, null=True)
    verified: models.BooleanField[bool, bool] = models.BooleanField(default=False)
    bound_at: models.DateTimeField[Any, Any] = models.DateTimeField()

    def __str__(self) -> str:
        return f"the number of account {self.user_id}"  # type: ignore[attr-defined]  # what a log may show
