"""The words of the trade: how carriers' files call what they are about (data/trade.toml, and what an installation adds)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from huanxin.numbersets.plain import word
from huanxin.words.sentences import N_, Sentence

_UNCLEAR = {
    "porting": N_(
        "%(word)s alone does not say whether the number came or went; write ported_in (携入) or ported_out (携出)"
    ),
    "suspension": N_("%(word)s ends no tenure: the number is still its owner's; leave such lines out"),
}
"""What is said of words that the trade uses and that mean no event."""

Words = Mapping[str, tuple[str, ...]]
"""The ways in which each of the platform's words is written."""


class BadWords(ValueError):
    """Words that can't be added; the text says why."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Trade:
    """Headings of columns, events and states, each with how it is written; `unclear`: what is written and means none."""

    headings: Words
    events: Words
    states: Words
    unclear: Words

    def aliases(self, names: Iterable[str]) -> dict[str, str]:
        """What some columns may be called, in the form that `plain.word` gives, and which of them it is."""
        return {word(one): name for name in names for one in self.headings.get(name, ())}

    def why_not(self, text: str) -> Sentence | None:
        """Why a word that the trade uses is no event; None for any other."""
        for kind, known in self.unclear.items():
            if word(text) in map(word, known):
                return Sentence(_UNCLEAR[kind], word=text.strip())
        return None

    def extended(self, added: Mapping[str, Mapping[str, Iterable[str]]]) -> Trade:
        """The same with words of an installation's own. Raises BadWords for what is no word of the platform, and for one
        that means something else already."""
        made = {kind: self._with(kind, more) for kind, more in added.items()}
        return replace(self, **made)

    def _with(self, kind: str, added: Mapping[str, Iterable[str]]) -> Words:
        if kind not in ("headings", "events", "states"):
            raise BadWords(f"{kind} are no words that files use; write headings, events or states")
        known: dict[str, tuple[str, ...]] = dict(getattr(self, kind))
        for name, ways in added.items():
            if name not in known:
                raise BadWords(f"{name} is none of the {kind}: {', '.join(known)}")
            for way in ways:
                others = [one for one, said in known.items() if one != name and word(way) in map(word, (one, *said))]
                if kind != "headings" and others:  # a heading may mean another thing in another file
                    raise BadWords(f"{way} means {others[0]} already, and can't mean {name} too")
            known[name] = (*known[name], *ways)
        return known


@cache
def usual() -> Trade:
    """The words that everybody uses."""
    read = tomllib.loads((resources.files("huanxin.domain") / "data" / "trade.toml").read_text(encoding="utf-8"))
    return Trade(**{kind: {name: tuple(ways) for name, ways in words.items()} for kind, words in read.items()})
