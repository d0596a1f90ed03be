"""What a partner's developer works from: the API's description and the page that shows it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from acceptance.browsing import SIZES, browser, fits, open_tab
from clocks import Clock
from huanxin.acts import Platform
from huanxin.settings import Mode, Settings
from huanxin.web.app import create_app
from huanxin.web.context import Context
from serving import served
from ssf_world import opened

__all__ = ["browser"]  # a fixture


@pytest.fixture
def http(platform: Platform, tmp_path: Path) -> Iterator[httpx.Client]:
    app = create_app(platform, Settings(home=tmp_path / "home", mode=Mode.DEVELOPMENT), run_workers=False)
    assert isinstance(app.state.context, Context)
    with served(app) as client:
        yield client


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, found in document["paths"].items():
        for method, operation in found.items():
            yield f"{method} {path}", operation


def test_every_operation_says_what_it_does_what_it_answers_and_how_it_fails(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    assert document["info"]["description"]
    for name, operation in operations(document):
        assert operation["summary"], name
        assert len(operation["description"]) > 40, name
        for status, answer in operation["responses"].items():
            assert answer["description"] != "Successful Response" or status == "200", f"{name} {status}"
            told = answer.get("content", {})
            if status not in ("204", "304"):
                assert told, f"{name} {status}: nothing says what the answer looks like"
            if int(status) >= 400 and "oauth" not in name:
                assert list(told) == ["application/problem+json"], f"{name} {status}"
        if "/partner/" in name and name != "post /partner/v1/accounts":  # open to anyone
            assert operation["security"], name
            assert {"401", "403", "503"} <= operation["responses"].keys(), name


def test_every_part_of_the_api_and_every_scope_says_what_it_is_for(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    assert {tag for _, operation in operations(document) for tag in operation["tags"]} <= described
    granted = document["components"]["securitySchemes"]["oauth"]["flows"]["clientCredentials"]["scopes"]
    wanted = {scope for _, one in operations(document) for way in one.get("security", []) for scope in way.get("oauth", [])}
    assert wanted <= granted.keys()
    assert all(granted.values())


@pytest.mark.parametrize("address", ["/openapi.json", "/sandbox/openapi.json"])
def test_every_reference_in_the_description_leads_somewhere(
    platform: Platform, dsn: str, tmp_path: Path, clock: Clock, address: str
) -> None:
    """A generator of clients stops at one that doesn't: those of the bodies of accounts and folders led nowhere."""
    with opened(platform, dsn, tmp_path, clock) as world:
        text = world.http.get(address).text
        document = json.loads(text)
    references = set(re.findall(r'"\$ref":"#/([^"]+)"', text))
    assert len(references) > 5
    for reference in references:
        found = document
        for part in reference.split("/"):
            found = found[part]
    assert "HTTPValidationError" not in text


@pytest.mark.parametrize("size", SIZES)
def test_the_page_draws_the_description_without_any_other_host(browser: Browser, http: httpx.Client, size: str) -> None:
    page_answer = http.get("/docs")
    assert "default-src 'self'" in page_answer.headers["content-security-policy"]
    assert re.findall(r"<script(?![^>]*\bsrc=)", page_answer.text) == []
    page, complaints = open_tab(browser, size)
    hosts: set[str] = set()
    page.on("request", lambda asked: hosts.add(asked.url.split("/")[2]) if asked.url.startswith("http") else None)
    page.goto(f"{http.base_url}/docs?lang=en")
    page.wait_for_selector("#api .opblock")
    expect(page.locator("#api .opblock")).to_have_count(len(list(operations(http.get("/openapi.json").json()))))
    page.locator("#api .opblock-post .opblock-summary").last.click()
    page.wait_for_selector("#api .opblock.is-open .responses-table")
    assert fits(page)
    page.context.close()
    assert complaints == []
    assert hosts == {f"{http.base_url.host}:{http.base_url.port}"}
