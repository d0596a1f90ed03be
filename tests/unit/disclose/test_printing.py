"""A certificate on paper: one sheet that says it all in both languages, whose codes can be read by a phone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pypdfium2
import pytest
import zxingcpp
from pypdf import PdfReader

from huanxin.disclose.printing import certificate_pdf
from huanxin.domain.numbers import Carrier, chinese_plan
from huanxin.store.disclose.certificates import Certificate

ISSUER = "https://huanxin.example"
AT = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
MADE = Certificate(
    id="ce_Zx8kQw3nT0yLb5VhPq_a", number=8613800138000, carrier="cmcc", opened_on=date(2026, 10, 1),
    before="another_subscriber", token="eyJ" + "aB3_" * 140, issued_at=AT,
    expires_at=AT + timedelta(days=180), issued_by="test",
)  # fmt: skip
CMCC = chinese_plan().carriers["cmcc"]


def text_of(pdf: bytes) -> str:
    return PdfReader(BytesIO(pdf)).pages[0].extract_text()


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return certificate_pdf(MADE, issuer=ISSUER, carrier=CMCC)


def test_it_is_one_sheet_of_a4_with_its_fonts_inside(pdf: bytes) -> None:
    reader = PdfReader(BytesIO(pdf))
    assert len(reader.pages) == 1
    assert [round(float(side) / 72 * 25.4) for side in reader.pages[0].mediabox[2:]] == [210, 297]
    fonts = reader.pages[0]["/Resources"]["/Font"].values()  # type: ignore[index]
    descriptors = [one.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"] for one in fonts]
    assert all("/FontFile2" in one.get_object() for one in descriptors), "a printer without the font would print boxes"
    assert len(pdf) < 100_000
    assert reader.trailer["/Root"]["/Lang"] == "zh-CN"  # type: ignore[index]


def test_it_says_everything_in_both_languages_and_names_nobody(pdf: bytes) -> None:
    text = text_of(pdf)
    for words in (
        "易主证明", "Certificate of change of hands", "+86 138 0013 8000", "在此之前，该号码属于他人。",
        "号码 +8613800138000 于2026年10月1日为现机主开通。", "opened for its present subscriber on 1 October 2026",
        "中国移动", "2026-11-24 09:00+08:00", "2027-05-23 09:00+08:00", MADE.id, f"{ISSUER}/verify/{MADE.id}",
        "不含任何人的姓名或身份", "SHA-256",
    ):  # fmt: skip
        assert words in text, words


def test_the_codes_lead_to_the_check_page_and_hold_the_signed_text(pdf: bytes) -> None:
    with pypdfium2.PdfDocument(pdf) as document:
        picture = document[0].render(scale=150 / 72).to_pil()
    assert sorted(one.text for one in zxingcpp.read_barcodes(picture)) == sorted([MADE.token, f"{ISSUER}/verify/{MADE.id}"])


def test_the_signed_text_lies_in_the_file(pdf: bytes) -> None:
    assert PdfReader(BytesIO(pdf)).attachments == {"certificate.jwt": [MADE.token.encode()]}


def test_a_first_owner_and_a_carrier_whose_name_the_font_lacks() -> None:
    abroad = Carrier(code="faso", name="ⵜⴰⵎⴰⵣⵉⵖⵜ 靐齉", zone=ZoneInfo("Africa/Ouagadougou"), prefixes=("226",))
    text = text_of(
        certificate_pdf(replace(MADE, number=22670123456, before="nobody_reported"), issuer=ISSUER, carrier=abroad)
    )
    assert "据各运营商上报的记录，该号码没有机主" in text
    assert "faso" in text
    assert "靐" not in text
    assert "+226 70 12 34 56" in text
    assert "2026-11-24 01:00+00:00" in text
