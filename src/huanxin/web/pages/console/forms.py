"""What console forms hand in: fields, typed numbers, files of numbers; read once the sign-in has been looked at."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

from huanxin.domain.errors import BadInput, Fault, TooLarge
from huanxin.domain.numbers import NumberingPlan, why_not_ours
from huanxin.numbersets.sharded import NumberSet, shard_of
from huanxin.release.holds import read_numbers
from huanxin.web.api.uploads import announced
from huanxin.web.context import Context
from huanxin.web.pages.console import signing
from huanxin.web.pages.console.signing import Working
from huanxin.web.pages.console.uploading import file_name, multipart
from huanxin.words.sentences import Sentence

_MOST_BYTES = 64 << 20
_MOST_TYPED = 10_000
_FIELDS = 50
_LARGEST = 2**63 - 1  # a bigint
_DIGITS = len(str(_LARGEST))
LONGEST = {"source": 200, "order": 200, "reason": 500, "note": 500, "number": 24, "ticket": 200}
"""Characters that a field may have: what the forms say in `maxlength` holds for whatever is sent, which a test keeps so."""


@dataclass(frozen=True)
class Posted:
    """A form as it was sent."""

    form: FormData

    def __getitem__(self, name: str) -> str:
        """A field as text, without spaces around it; empty if it was not sent."""
        value = self.form.get(name)
        return value.strip() if isinstance(value, str) else ""

    def number(self, name: str) -> int | None:
        """A field that holds an id. Raises BadInput."""
        if not self[name]:
            return None
        if not self[name].isascii() or not self[name].isdigit():
            raise BadInput(Sentence("%(name)s has to be a whole number", name=name))
        if len(self[name]) > _DIGITS or int(self[name]) > _LARGEST:
            raise BadInput(Sentence("%(name)s is too large a number; nothing here has such a one", name=name))
        return int(self[name])

    def check(self) -> None:
        """Raise BadInput for a text that can't be kept, or is longer than its field."""
        for name, value in self.form.multi_items():
            if not isinstance(value, str):
                continue
            if "\0" in value:
                raise BadInput(Sentence("%(name)s has a character that can't be kept (NUL); write it anew", name=name))
            most = LONGEST.get(name)
            if most and len(value.strip()) > most:
                raise BadInput(
                    Sentence("%(name)s may have %(most)s characters; this has %(count)s", name=name, most=f"{most:,}",
                             count=f"{len(value.strip()):,}")
                )  # fmt: skip

    def file(self, name: str) -> UploadFile | None:
        value = self.form.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None


async def posted(request: Request, _: Annotated[Working, Depends(signing.signed_in)]) -> AsyncIterator[Posted]:
    """The form of a request, of whoever is signed in: nobody else makes the server take in a file."""
    context: Context = request.app.state.context
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        form = await request.form(max_fields=_FIELDS)
    elif (announced(request) or _MOST_BYTES + 1) > _MOST_BYTES:
        raise TooLarge(
            Sentence(
                "a list may have %(value)s MB; cut it in two, or import it with the command line", value=_MOST_BYTES >> 20
            )
        )
    else:
        form = await multipart(request, replace(context.limits, most_bytes=_MOST_BYTES), fields=_FIELDS)
    try:
        read = Posted(form)
        read.check()
        yield read
    finally:
        await form.close()


Form = Annotated[Posted, Depends(posted)]


def numbers_given(form: Posted, context: Context) -> NumberSet | None:
    """The numbers that a form names, typed one a line in `numbers` or as a file in `file`; None if it names none. Refused
    whole with every bad line."""
    plan, file = context.platform.plan, form.file("file")
    if file is None:
        return typed_numbers(form["numbers"], plan) if form["numbers"] else None
    if form["numbers"]:
        raise BadInput(Sentence("give the numbers in the field or as a file, not both, so that it is clear which are meant"))
    with kept(file, context) as path:
        return read_numbers(path, plan, context.limits.most_bytes)


@contextmanager
def kept(file: UploadFile, context: Context) -> Iterator[Path]:
    """A file that was sent, under its own name for the length of a block."""
    context.uploads.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=context.uploads, prefix="list-") as folder:
        path = Path(folder) / file_name(file.filename or "")
        with path.open("wb") as out:
            file.file.seek(0)
            while block := file.file.read(1 << 20):
                out.write(block)
        yield path


def typed_numbers(text: str, plan: NumberingPlan) -> NumberSet:
    """Numbers as people type them, one a line. Raises BadInput with every line that is none, or none of a carrier's."""
    found, faults = [], []
    lines = text.splitlines()
    if len(lines) > _MOST_TYPED:
        raise BadInput(Sentence("more than %(most_typed)s lines are a file; send one", most_typed=f"{_MOST_TYPED:,}"))
    for at, line in enumerate(lines, start=1):
        try:
            if line.strip():
                found.append(number := plan.typed(line))
                if plan.owner(shard_of(number)) is None:
                    faults.append(Fault(line=at, reason=why_not_ours(number)))
        except ValueError as error:
            faults.append(Fault(line=at, reason=error.args[0]))
    if faults:
        raise BadInput(Sentence("lines that can't be read: %(count)s; none was taken", count=f"{len(faults):,}"), faults)
    return NumberSet.of(found)
