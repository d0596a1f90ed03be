"""In which forms the cells of a column are written: `9999-99-99` where all are dates, whatever the dates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from huanxin.numbersets.arrow import pa, pc
from huanxin.numbersets.columns import texts

_LONGEST = 40  # characters of a form


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form, how many cells are written so, the row of one of them, and what stands there."""

    form: str
    count: int
    row: int
    sample: str


def forms_of(column: pa.Array, most: int, good: npt.NDArray[np.bool_]) -> list[Form]:
    """The forms of a column's cells, the most frequent first: of text with 9 for every digit, else the type. Blank cells
    have none. What stands there is taken from a `good` row, where there is one."""
    if pa.types.is_string(column.type):
        made = pc.utf8_slice_codeunits(pc.replace_substring_regex(pc.utf8_trim_whitespace(column), r"\d", "9"), 0, _LONGEST)
    else:
        made = pc.if_else(pc.is_valid(column), str(column.type), "")
    counted = made.value_counts().to_pylist()
    counted.sort(key=lambda one: -one["counts"])
    found = [(one["values"], one["counts"]) for one in counted if one["values"]][:most]
    rows = [_first(pc.equal(made, form).to_numpy(zero_copy_only=False).astype(bool), good) for form, _ in found]
    samples = texts(column, np.array(rows, np.int64))
    return [
        Form(form=form, count=count, row=row, sample=sample.strip())
        for (form, count), row, sample in zip(found, rows, samples, strict=True)
    ]


def _first(written: npt.NDArray[np.bool_], good: npt.NDArray[np.bool_]) -> int:
    both = written & good
    return int(np.argmax(both if both.any() else written))
