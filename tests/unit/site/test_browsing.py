"""Run in this page as values: sizes, what is said of each file, scripts and their version."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.answer.browsing import RunFile, RunPlan
from metier.server.facade import Here, PageOptions
from metier.server.runplans import Running
from metier.site import Site, browsing

HOSTILE = '<script>alert(1)</script>\u202e"x"'
OPTIONS = PageOptions(Here("http://127.0.0.1:1"))


def plan(*files: tuple[str, int], exact: bool = True) -> RunPlan:
    made = tuple(RunFile(name, f"sha256:{name}", size, Path(name)) for name, size in files)
    return RunPlan("words", "sha256:0", {}, made, encoder=not exact, exact=exact)


def test_sizes_are_added_up_and_told() -> None:
    values = browsing.page_values(Running("a", plan(("linear.safetensors", 648_056)), {}))
    assert values["total"] == "648\u202fkB" or "648" in values["total"]
    assert values["runs"]
    assert not values["large"]


def test_the_runtime_is_told_with_the_rest(tmp_path) -> None:
    program = tmp_path / "ort.wasm"
    program.write_bytes(bytes(3_000_000))
    module = tmp_path / "ort.mjs"
    module.write_bytes(b"x")
    running = Running("a", plan(("encoder-fp32.onnx", 90_000_000)), {"w": program, "m": module})
    values = browsing.page_values(running)
    assert values["large"]
    assert [name for name, _, _ in values["files"]] == ["encoder-fp32.onnx", "ort.wasm"]
    assert all(about for _, about, _ in values["files"])


@pytest.mark.parametrize("exact", [True, False])
def test_rounded_scores_are_said_where_they_occur(exact) -> None:
    page = Site().run(Running("a", plan(("x", 1), exact=exact), {}), OPTIONS)
    assert ("8-bit integers" in page) is not exact


def test_a_problem_is_said_with_its_remedy_and_nothing_is_loaded() -> None:
    page = Site().run(Running("a", None, {}, "It is missing.", "Run this."), OPTIONS)
    assert "It is missing." in page
    assert "Run this." in page
    assert "<script type" not in page


def test_a_hostile_name_stays_text() -> None:
    page = Site().run(Running(HOSTILE, plan((HOSTILE, 1)), {}, None, None), OPTIONS)
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_the_version_is_that_of_the_scripts(monkeypatch) -> None:
    site = Site()
    assert site.running_module("page.js")
    assert site.running_module("../site.js") is None
    before = site.running_version()
    assert len(before) == 12
    monkeypatch.setattr(browsing, "modules", lambda: {"page.js": b"other"})
    browsing.version.cache_clear()
    assert browsing.version() != before
    browsing.version.cache_clear()
