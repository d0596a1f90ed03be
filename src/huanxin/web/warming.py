"""What the first visitors would wait for, done beside the start."""

from __future__ import annotations

import logging
import threading

import psycopg

from huanxin.acts import Platform
from huanxin.figures.tracing import trace
from huanxin.store.plan import batches
from huanxin.web.freed_memory import settle
from huanxin.web.pages.render import environment
from huanxin.words import i18n

log = logging.getLogger("huanxin.web")


def warm(platform: Platform) -> None:
    """Have pages and the ways to the newest facts at hand soon, without keeping the start waiting."""
    threading.Thread(target=make_ready, args=(platform,), name="warming", daemon=True).start()


def make_ready(platform: Platform) -> None:
    """Each page's template in each language, with its figures and dates; the facts about one number, which most queries of
    pages read."""
    for lang in i18n.LANGUAGES:
        pages = environment(lang)
        for name in pages.list_templates():
            pages.get_template(name)
        i18n.stamp(platform.now(), lang)
        i18n.figure(0, lang)
    try:
        with platform.read() as seen:
            number = batches.newest_number(seen.tx)
            if number is not None:
                trace(seen.tx, platform, number)
    except psycopg.Error:  # whoever visits first is told, or the server has ended
        log.info("the database could not be asked before the first visitor came", exc_info=True)
        return
    settle()
