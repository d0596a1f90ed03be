"""`/answers/v1/disclosure`: what the shop desk shows, for a carrier's own shop software."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field, ValidationError

from huanxin.acts import Platform
from huanxin.acts.desk import acknowledge as acknowledge_all
from huanxin.acts.desk import consult
from huanxin.disclose.acknowledging import LONGEST_SIGNATURE, MOST, Acknowledgement, Method
from huanxin.disclose.desk import texts_of
from huanxin.domain.disclosure import GRADE_NAMES, REASONS, RULES, VERSION, Told, digest
from huanxin.domain.errors import BadInput, Fault
from huanxin.domain.numbers import parse, written
from huanxin.domain.operators import Operator, Right
from huanxin.web.api.bodies import read_body
from huanxin.web.api.inventory import holder
from huanxin.web.api.schemas import Responses, problems

_LARGEST_BODY = 32 << 20  # bytes
TAG = {"name": "Disclosure", "description": "What a buyer is told of a number, for a carrier's own shop software."}
router = APIRouter(prefix="/answers/v1/disclosure", tags=[TAG["name"]])
_SECURITY: dict[str, Any] = {"security": [{"operator": []}]}


def _clerk(request: Request) -> Operator:
    """For whom the caller's token acts; they have to have the right to disclose."""
    return holder(request, Right.DESK)


Clerk = Annotated[Operator, Depends(_clerk)]


class DisclosureWanted(BaseModel):
    """A number that a buyer is interested in."""

    number: str = Field(description="E.164", examples=["+8613800138000"])


class DisclosureWords(BaseModel):
    """A text in both languages."""

    zh_CN: str
    en: str


class ShownText(BaseModel):
    """The exact words for the buyer, and what names them when they are acknowledged."""

    text: str
    sha256: str = Field(description="hex, of the text in UTF-8")


class ShownTexts(BaseModel):
    """In both languages; either may be shown."""

    zh_CN: ShownText
    en: ShownText


class Disclosed(BaseModel):
    """What a buyer is told before choosing a number. Of a number that is not for sale, `why` says why."""

    number: str = Field(examples=["+8613800138000"])
    carrier: str | None = Field(description="who would sell it; null if the caller's carrier may not", examples=["cmcc"])
    grade: Literal["A", "B", "C", "blocked"]
    grade_name: DisclosureWords
    rule: DisclosureWords = Field(description="the grade's rule in words")
    for_sale: bool
    why: str | None = Field(
        description="no_number, other_carrier, in_service, ported_out, freezing, not_released, withheld (not on offer now; "
        "why is not told here) or acknowledged"
    )
    reason: DisclosureWords | None = Field(description="`why` in words")
    recycled: bool | None = Field(description="whether somebody held it before, as far as carriers reported")
    closed_on: str | None = Field(description="the day on which the tenure before ended", examples=["2026-06-01"])
    evaluable_since: str | None = Field(
        description="what was before that day can't be told: the carrier gave the state of its numbers then; null: all that"
        " was reported"
    )
    frozen_days: int | None = Field(description="days since then")
    sellable_from: str | None = Field(description="the first day on which a frozen number may be sold")
    asked: int = Field(description="partners that were asked to cut what was tied to it")
    confirmed: int = Field(description="how many confirmed")
    open: int = Field(description="how many did not; never which, and never why")
    text_version: str
    texts: ShownTexts | None = Field(description="only of a number that is for sale")


class BuyerAcknowledges(BaseModel):
    """One buyer's acknowledgement."""

    number: str = Field(description="E.164", examples=["+8613800138000"])
    shown: str = Field(description="`sha256` of the text that the buyer saw", pattern=r"^[0-9a-f]{64}$")
    method: Literal["signature", "reference"] = Field(
        description="signature: drawn on a screen; reference: in the shop's own system"
    )
    evidence: str = Field(
        max_length=LONGEST_SIGNATURE,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="signature: the path of an SVG with absolute moves and lines in whole pixels, like "
        "`M10 20L12 24L15 30L18 20L20 24`; reference: the record in the shop's system, such as the number of the contract",
    )


class GivenMany(BaseModel):
    """Acknowledgements, all of which are recorded, or none."""

    acknowledgements: list[BuyerAcknowledges] = Field(min_length=1, max_length=MOST)


class Recorded(BaseModel):
    """What was recorded."""

    disclosures: list[str] = Field(description="the id of each, in the order sent", examples=[["di_8bFh1sT0aZ"]])
    new: int = Field(description="how many were not on record before")


async def _given(request: Request) -> GivenMany:
    try:
        return GivenMany.model_validate_json(await read_body(request, _LARGEST_BODY))
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_context=False)) from error


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["acknowledgements"],
                    "properties": {
                        "acknowledgements": {
                            "type": "array", "minItems": 1, "maxItems": MOST, "items": BuyerAcknowledges.model_json_schema(),
                        }
                    },
                }
            }
        },
    }
}  # fmt: skip
_RECORDED: Responses = {
    200: {"description": "All of them were on record; nothing changed.", "model": Recorded},
    **problems(400, 401, 403, 422, 429),
}


@router.post(
    "", summary="What a buyer is told about a number", response_model=Disclosed, responses=problems(400, 401, 403, 422, 429),
    openapi_extra=_SECURITY,
)  # fmt: skip
def disclose(request: Request, asked: DisclosureWanted, clerk: Clerk) -> Response:
    """The grade with its rule, how long the number was frozen, how many partners were asked and how many confirmed, and the
    exact words to show to the buyer. The caller is a person with the role `desk`, by a token of `huanxin operator token`."""
    platform: Platform = request.app.state.context.platform
    try:
        number = parse(asked.number)
    except ValueError as error:
        raise BadInput(f"the number can't be read: {error}", [Fault(line=0, reason=str(error))]) from error
    return JSONResponse(_shown(consult(platform, [number], by=clerk)[0]))


def _shown(told: Told) -> dict[str, Any]:
    texts = {lang: {"text": text, "sha256": digest(text)} for lang, text in texts_of(told).items()}
    return {
        "number": written(told.number), "carrier": told.carrier, "grade": told.grade.value,
        "grade_name": GRADE_NAMES[told.grade], "rule": RULES[told.grade], "for_sale": told.for_sale, "why": told.why,
        "reason": REASONS[told.why] if told.why else None, "recycled": told.recycled,
        "evaluable_since": told.evaluable_since and told.evaluable_since.isoformat(),
        "closed_on": told.closed_on and told.closed_on.isoformat(), "frozen_days": told.frozen_days,
        "sellable_from": told.sellable_from and told.sellable_from.isoformat(), "asked": told.asked,
        "confirmed": told.confirmed, "open": told.open, "text_version": VERSION, "texts": texts or None,
    }  # fmt: skip


@router.post(
    "/acknowledgements", status_code=201, summary="Record that buyers acknowledged what they were told",
    response_description="They were recorded.", response_model=Recorded, responses=_RECORDED,
    openapi_extra=_SECURITY | _BODY,
)  # fmt: skip
def acknowledge(request: Request, clerk: Clerk, given: Annotated[GivenMany, Depends(_given)]) -> Response:
    """Up to 10,000 at a time, all or none: `errors` names each line (from 1) that can't be taken. The same acknowledgement
    again changes nothing. None is taken for a number that is not for sale, for one that a buyer acknowledged before, or
    for words that are not those of now. Send them before the report that opens the numbers."""
    platform: Platform = request.app.state.context.platform
    faults, wanted = [], []
    for line, one in enumerate(given.acknowledgements, start=1):
        try:
            wanted.append(Acknowledgement(number=parse(one.number), shown=one.shown, method=Method(one.method),
                                          evidence=one.evidence))  # fmt: skip
        except ValueError as error:
            faults.append(Fault(line=line, reason=str(error)))
    if faults:
        raise BadInput(f"{len(faults):,} numbers can't be read, so no acknowledgement was taken", faults)
    done = acknowledge_all(platform, wanted, by=clerk)
    return JSONResponse({"disclosures": done.ids, "new": done.new}, status_code=201 if done.new else 200)
