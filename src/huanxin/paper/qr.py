"""QR codes (ISO/IEC 18004) as squares, for a sheet or a page."""

from __future__ import annotations

import segno


def modules(text: str, *, error: str = "m") -> list[list[bool]]:
    """The dark and light squares of a code, row by row, without the quiet zone. `error`: how much may be dirty, l to h."""
    return [[bool(cell) for cell in row] for row in segno.make_qr(text, error=error).matrix]


def svg(text: str, label: str) -> str:
    """A code as an SVG element, dark on white in any colour scheme; `label` is its name for those who don't see it."""
    return str(
        segno.make_qr(text, error="m").svg_inline(
            scale=4, border=4, dark="#000", light="#fff", title=label, omitsize=True, svgclass="qr", lineclass=None
        )
    )
