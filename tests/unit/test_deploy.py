"""What stands in deploy/ names only what the platform tells, and says what to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from huanxin.acts import Platform
from huanxin.web.metrics import Metrics
from huanxin.words.sentences import Sentence
from huanxin.work.room import Room, Turns

DEPLOY = Path(__file__).parents[2] / "deploy"
ALERTS = DEPLOY / "prometheus/alerts.yml"
_NAMED = re.compile(r"\bhuanxin_[a-z_]+")


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DEPLOY / "grafana/huanxin.json").read_text(encoding="utf-8"))["panels"]
    return found


def test_every_figure_that_is_watched_is_one_that_the_platform_tells(platform: Platform, tmp_path: Path) -> None:
    """An alert on a figure that is never told is silent when it is needed."""
    turns = Turns(what=Sentence("uploads"), each=1, every=1)
    metrics = Metrics(platform=platform, room=Room(folder=tmp_path, spare=0, uploads=turns), token=None)
    metrics.requests.labels("GET", "/", "200").inc()
    metrics.seconds.labels("/").observe(0.1)
    told = {sample.name for family in metrics.registry.collect() for sample in family.samples}
    told |= {family.name for family in metrics.registry.collect()}
    watched = [rule["expr"] for rule in rules()] + [one["expr"] for panel in panels() for one in panel["targets"]]
    assert len(watched) > 15
    assert {name for expr in watched for name in _NAMED.findall(expr)} - told == set()


def test_every_alert_says_what_happened_and_where_to_look_first() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert all(len(rule["annotations"][name]) > 10 for name in ("summary", "look")), rule["alert"]


def test_prometheus_itself_takes_the_rules() -> None:
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool is not installed here; the rules are read as YAML, and their figures compared, all the same")
    done = subprocess.run([promtool, "check", "rules", str(ALERTS)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_panels_do_not_lie_on_each_other() -> None:
    places = [tuple(panel["gridPos"][name] for name in ("x", "y")) for panel in panels()]
    assert len(set(places)) == len(places) == len({panel["id"] for panel in panels()})
