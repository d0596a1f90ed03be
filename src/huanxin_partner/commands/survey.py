"""`huanxin-partner survey`: how many rows have a time of binding that is in doubt. To be known before going live."""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from huanxin_partner import stores
from huanxin_partner.commands.settings import STORE, BadSettings, Settings, add_config, load
from huanxin_partner.rehearsal.words import Words
from huanxin_partner.surveys import Survey

_SHOWN = 10  # forms of times
_CLEAR = Words(
    "{rows} 行有号码，绑定时间都能确定。",
    "{rows} rows have a number, and it is beyond doubt when each was bound.",
)
_DOUBTFUL = Words(
    "{rows} 行有号码，其中 {doubtful} 行的绑定时间无法确定：通知里有这些号码时答 refused（other），不会解除。"
    "请改正下列写法，或在 bound_at_form 里写明整列的写法（如 %Y%m%d、seconds）。",
    "{rows} rows have a number. When {doubtful} of them were bound is in doubt: they are refused (other), and not cut. Mend"
    " what is written so, or say in bound_at_form how the column is written (%Y%m%d, seconds, ...).",
)
_FORM = Words("    {form}：{rows} 行，例如 {example}", "    {form}: {rows} rows, for instance {example}")


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("survey", help="count the rows whose time of binding is in doubt, before going live")
    add_config(command, STORE)
    command.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Look at the table, and change nothing; 1 if a time is in doubt."""
    found = of_table(load(given.config, STORE))
    if given.json:
        print(json.dumps(as_json(found), ensure_ascii=False))
    else:
        for words in lines_of(found):
            print(words.en)
    return 1 if found.doubtful else 0


def of_table(settings: Settings) -> Survey:
    """The survey of the table that the settings name. Raises BadSettings."""
    if "synapse" in settings:
        raise BadSettings("[synapse] has no table to look at: Synapse itself notes when each number was bound")
    try:
        return stores.table_from(settings).survey()
    except (ValueError, sqlite3.Error) as error:
        raise BadSettings(str(error)) from error


def as_json(survey: Survey) -> dict[str, Any]:
    """A survey as programs read it."""
    forms = {form: {"rows": doubt.rows, "example": doubt.example} for form, doubt in survey.doubts.items()}
    return {"rows": survey.rows, "doubtful": survey.doubtful, "forms": forms}


def lines_of(survey: Survey) -> Iterator[Words]:
    """What a survey found, line by line."""
    count = {"rows": f"{survey.rows:,}", "doubtful": f"{survey.doubtful:,}"}
    yield _filled(_DOUBTFUL if survey.doubtful else _CLEAR, **count)
    for form, doubt in list(survey.doubts.items())[:_SHOWN]:
        yield _filled(_FORM, form=form, rows=f"{doubt.rows:,}", example=doubt.example)


def _filled(words: Words, **values: str) -> Words:
    return Words(words.zh.format(**values), words.en.format(**values))
