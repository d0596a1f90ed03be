"""`manage.py huanxin_survey`: how many rows have a time of binding that is in doubt. To be known before going live."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from huanxin_partner.commands.survey import lines_of
from huanxin_partner.django.running import ties
from huanxin_partner.rows import RowTies


class Command(BaseCommand):
    """Looks at the rows, and changes nothing."""

    help = "Count the rows whose time of binding is in doubt: they are refused, and not cut."

    def handle(self, *_: Any, **__: Any) -> None:
        store = ties()
        if not isinstance(store, RowTies):
            raise CommandError("the ties are no DjangoTies, so that their times can't be looked at")
        for words in lines_of(store.survey()):
            self.stdout.write(words.en)
