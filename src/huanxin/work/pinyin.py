"""A process of its own that tells the pinyin of names: its dictionaries take 50 MB, which no server has to keep.

Reads a JSON list of names, writes for each its pinyin and its initials.
"""

from __future__ import annotations

import json
import sys

from pypinyin import Style, lazy_pinyin


def main() -> None:
    """Answer one list."""
    names = json.load(sys.stdin)
    told = [["".join(lazy_pinyin(one)), "".join(lazy_pinyin(one, style=Style.FIRST_LETTER))] for one in names]
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
