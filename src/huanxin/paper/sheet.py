"""A sheet of A4: text in Noto Sans SC, which goes along in the file, lines, the mark, QR codes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path

from huanxin.paper.qr import modules

WIDTH, HEIGHT, MARGIN = 210.0, 297.0, 24.0
"""Of the sheet, in mm."""
INK, MUTED, ACCENT, LINE = "#1b1b19", "#5d5b55", "#0b6b5d", "#c9c6bc"
_FONTS = Path(__file__).parent / "vendor/noto-sans-sc"
_FAMILY = "Noto Sans SC"
_POINT = 0.3528  # mm


class Sheet:
    """One sheet; positions and sizes are mm from its top left corner, sizes of text are points."""

    def __init__(self, *, title: str, lang: str, made_at: datetime) -> None:
        from fpdf import FPDF  # noqa: PLC0415  # heavy, and few processes ever print

        self._pdf = FPDF(format="A4", unit="mm")
        for style, name in (("", "Regular"), ("B", "Bold")):
            self._pdf.add_font(_FAMILY, style=style, fname=_FONTS / f"NotoSansSC-{name}.ttf")
        self._pdf.set_title(title)
        self._pdf.set_lang(lang)
        self._pdf.set_creator("Huanxin 号码焕新")
        self._pdf.set_creation_date(made_at)
        self._pdf.set_auto_page_break(False)
        self._pdf.set_margins(MARGIN, MARGIN, MARGIN)
        self._pdf.c_margin = 0
        self._pdf.add_page()

    def text(
        self, x: float, y: float, text: str, *, size: float, bold: bool = False, color: str = INK,
        width: float = WIDTH - 2 * MARGIN, leading: float = 1.5, align: str = "L",
    ) -> float:  # fmt: skip
        """Write a paragraph into a column; the y of what may come below."""
        pdf = self._pdf
        pdf.set_font(_FAMILY, style="B" if bold else "", size=size)
        pdf.set_text_color(color)
        pdf.set_xy(x, y)
        pdf.multi_cell(width, size * leading * _POINT, text, align=align, padding=0, new_x="LEFT", new_y="NEXT")
        return float(pdf.get_y())

    def rule(
        self, y: float, *, x: float = MARGIN, width: float = WIDTH - 2 * MARGIN, color: str = LINE, weight: float = 0.2
    ) -> None:
        """Draw a line across."""
        self._pdf.set_draw_color(color)
        self._pdf.set_line_width(weight)
        self._pdf.line(MARGIN, y, WIDTH - MARGIN, y)

    def frame(self, inset: float, *, color: str, weight: float) -> None:
        """Draw a line around the sheet."""
        self._pdf.set_draw_color(color)
        self._pdf.set_line_width(weight)
        self._pdf.rect(inset, inset, WIDTH - 2 * inset, HEIGHT - 2 * inset)

    def mark(self, x: float, y: float, size: float) -> None:
        """Draw the mark, as in mark.svg: the number stays, its owners change around it, the gaps are the freeze."""
        unit = size / 32
        for start, color in ((147, INK), (327, ACCENT)):
            turns = (math.radians(start + step * 2) for step in range(79))
            points = [(x + (16 + 9.25 * math.cos(one)) * unit, y + (16 + 9.25 * math.sin(one)) * unit) for one in turns]
            self._pdf.set_draw_color(color)
            self._pdf.set_line_width(3.75 * unit)
            self._pdf.polyline(points)
        self._pdf.set_fill_color(INK)
        self._pdf.circle(x + 16 * unit, y + 16 * unit, 3.5 * unit, style="F")

    def qr(self, x: float, y: float, size: float, text: str, *, error: str = "m") -> None:
        """Draw a code; `size` is that of its dark part, and the caller leaves the white around it that its standard asks for
        (4 squares)."""
        cells = modules(text, error=error)
        unit = size / len(cells)
        self._pdf.set_fill_color("#000000")
        for row, line in enumerate(cells):
            for column, length in _runs(line):
                left, top = x + column * unit, y + row * unit
                self._pdf.rect(left, top, length * unit, unit * 1.02, style="F")  # no hairlines between rows

    def attach(self, name: str, content: bytes, *, what: str) -> None:
        """Put a file into the sheet's file."""
        self._pdf.embed_file(bytes=content, basename=name, desc=what)

    def done(self) -> bytes:
        """The sheet as PDF."""
        return bytes(self._pdf.output())


def _runs(cells: Iterable[bool]) -> list[tuple[int, int]]:
    """The dark runs of a row: (first column, length)."""
    runs: list[tuple[int, int]] = []
    for column, dark in enumerate(cells):
        if dark and runs and sum(runs[-1]) == column:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        elif dark:
            runs.append((column, 1))
    return runs


@cache
def _known() -> frozenset[int]:
    from fontTools.ttLib import TTFont  # noqa: PLC0415  # as above

    with TTFont(_FONTS / "NotoSansSC-Regular.ttf", lazy=True) as font:
        return frozenset(font.getBestCmap())


def writable(text: str) -> bool:
    """Whether the font has every character of a text."""
    return all(ord(character) in _known() for character in text)
