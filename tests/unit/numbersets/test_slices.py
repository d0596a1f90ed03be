"""A container read alone holds what the whole set holds there, whichever form the library chose for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from huanxin.numbersets.sharded import dump, load
from huanxin.numbersets.slices import CONTAINER_BITS, HEAD, slice_of

SPARSE = st.sets(st.integers(0, 65_535), min_size=1, max_size=40).map(BitMap)
RUN = st.tuples(st.integers(0, 60_000), st.integers(1, 5_000)).map(lambda run: BitMap(range(run[0], run[0] + run[1])))
DENSE = st.integers(2, 5).map(lambda step: BitMap(range(0, 65_536, step)))
CONTAINERS = st.dictionaries(st.integers(0, 30), SPARSE | RUN | DENSE, min_size=1, max_size=8)


@given(containers=CONTAINERS, key=st.integers(0, 31))
def test_one_container_is_what_the_whole_set_says(containers: dict[int, BitMap], key: int) -> None:
    whole = BitMap.union(BitMap(), *(part.shift(place << 16) for place, part in containers.items()))
    stored = dump(whole)
    expected = whole & BitMap(range(key << 16, (key + 1) << 16))
    try:
        part = slice_of(stored[:HEAD], len(stored), key)
    except ValueError:
        assert len(containers) < 4, "only small tables leave offsets out"
        return
    found = part.load(stored[part.start : part.start + part.size]) if part else BitMap()
    assert found == expected
    assert all(value >> CONTAINER_BITS == key for value in found)


def test_what_is_no_set_or_has_a_long_table_is_read_whole() -> None:
    with pytest.raises(ValueError, match="portable"):
        slice_of(b"\x00" * 64, 64, 0)
    many = dump(BitMap(range(0, 400 << 16, 1 << 16)))
    with pytest.raises(ValueError, match="longer"):
        slice_of(many[:HEAD], len(many), 3)
    assert len(load(many)) == 400
