"""The disclosure on paper says what the screen says, in both languages, for every grade."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pypdfium2
import pytest

from huanxin.disclose.desk import texts_of
from huanxin.disclose.sheet import disclosure_pdf
from huanxin.domain.disclosure import EN, GRADE_NAMES, ZH, Grade, Told, digest
from huanxin.domain.numbers import chinese_plan


@pytest.mark.parametrize("grade", [Grade.A, Grade.B, Grade.C])
def test_the_sheet_has_the_number_the_grade_and_the_very_words(grade: Grade) -> None:
    recycled = grade is not Grade.A
    told = Told(
        number=8613800138000, carrier="cmcc", grade=grade, why=None, recycled=recycled, freeze_days=90,
        closed_on=date(2026, 8, 25) if recycled else None, frozen_days=91 if recycled else None,
        sellable_from=date(2026, 11, 24) if recycled else None, asked=239 if recycled else 0,
        confirmed={Grade.B: 239, Grade.C: 238}.get(grade, 0),
    )  # fmt: skip
    pdf = disclosure_pdf(told, carrier=chinese_plan().carriers["cmcc"], made_at=datetime(2026, 11, 24, 1, tzinfo=UTC))
    document = pypdfium2.PdfDocument(pdf)
    text = "".join(document[0].get_textpage().get_text_range().split())
    assert len(document) == 1
    texts = texts_of(told)
    for part in (GRADE_NAMES[grade][ZH], GRADE_NAMES[grade][EN], texts[ZH], texts[EN], digest(texts[ZH])):
        assert "".join(part.split()) in text
    assert "+8613800138000" in text
    document.close()
