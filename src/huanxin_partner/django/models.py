"""The record of what was cut."""

from __future__ import annotations

from django.db import models


class Cut(models.Model):
    """A number that a renewal took from a row, so that the store can answer the same again, and give it back."""

    number: models.CharField[str, str] = models.CharField(max_length=32)
    cutoff: models.CharField[str, str] = models.CharField(max_length=32)  # of the renewal that cut it; RFC 3339
    source: models.CharField[str, str] = models.CharField(
        max_length=128
    )  # the model that the number was taken from, `shop.account`
    tie: models.CharField[str, str] = models.CharField(max_length=64)  # its primary key, as text
    restored: models.BooleanField[bool, bool] = models.BooleanField(default=False)

    class Meta:
        db_table = "huanxin_cuts"
        constraints = [  # noqa: RUF012  # Django's own form
            models.UniqueConstraint(fields=["number", "cutoff", "source", "tie"], name="huanxin_cuts_once")
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.tie} at {self.cutoff}"
