"""The record of what was cut."""

from __future__ import annotations

from django.db import models


class Cut(models.Model):
    """A number that a renewal took from a row, so that the store can answer the same again, and give it back."""

    number: models.CharField[str, str] = models.CharField(max_length=32)
    cutoff: models.CharField[str, str] = models.CharField(max_length=32)  # of the renewal that cut it; RFC 3339
    source: models.CharField[str, str] = models.CharField(max_length=128)  # where it was taken from: `shop.account.phone`
    tie: models.CharField[str, str] = models.CharField(max_length=64)  # the row's primary key, as text
    bound_at: models.CharField[str, str] = models.CharField(max_length=64, default="")  # of the row, as it was stored
    restored: models.BooleanField[bool, bool] = models.BooleanField(default=False)

    class Meta:
        db_table = "huanxin_cuts"
        constraints = [  # noqa: RUF012  # Django's own form
            models.UniqueConstraint(fields=["number", "cutoff", "source", "tie"], name="huanxin_cuts_once")
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.tie} at {self.cutoff}"
