"""Local models on a screen: short where a list is, whole where one is shown, never empty rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from metier.cli.modelsheets import (
    details_text,
    listed_cells,
    model_document,
    parameters_text,
    sheet_lines,
)
from metier.fleet import Installed
from metier.generating import ModelDetails, ModelListing, ModelSheet
from metier.localmodel import AdapterPart, LocalModelFile
from metier.manifest import CONFIG_TYPE, Descriptor, Manifest
from metier.reference import Digest, Reference

DIGEST = Digest.of(b"")
DETAILS = ModelDetails("gguf", "qwen2", ("qwen2",), 494_000_000, "Q4_K_M", 32_768, 896)
LISTING = ModelListing(
    "team/tiny:1", DIGEST.hex, 1000, "2026-11-12T10:20:30Z", "generate", None, DETAILS
)


def installed(**changes: Any) -> Installed:
    config = Descriptor(mediaType=CONFIG_TYPE, digest=str(DIGEST), size=0)
    manifest = Manifest(config=config, layers=())
    model = LocalModelFile(weights=("w.gguf",), base=str(DIGEST), **changes)
    reference = Reference.parse("team/tiny:1")
    when = "2026-11-12T10:20:30Z"
    return Installed(reference, "base", None, DIGEST, DIGEST, 1000, when, manifest, model=model)


def shown(item: Installed, sheet: ModelSheet) -> str:
    return "\n".join(line.plain for line in sheet_lines(item, sheet))


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, ""), (12, "12"), (139_840, "139.8K"), (494_032_768, "494.0M"), (8_030_261_248, "8.0B")],
)
def test_parameters_for_people(number: int, text: str) -> None:
    assert parameters_text(number) == text


def test_a_few_words_of_details() -> None:
    assert details_text(DETAILS) == "qwen2 494.0M Q4_K_M"
    assert details_text(ModelDetails()) == ""


def test_cells_of_a_list() -> None:
    cells = [str(cell) for cell in listed_cells(installed(), LISTING)]
    assert cells == ["team/tiny:1", "generate", "qwen2 494.0M Q4_K_M", "", "1.00 kB", ""]
    child = replace(LISTING, parent="tiny")
    assert str(listed_cells(installed(), child)[3]) == "from tiny"


def test_a_bare_model_has_no_empty_rows() -> None:
    bare = replace(LISTING, details=ModelDetails())
    text = shown(installed(), ModelSheet(bare))
    assert "template" not in text
    assert "context" not in text
    assert "12 Nov 2026" in text
    assert text.endswith("metier run team/tiny:1")
    assert "metier run" not in shown(installed(), ModelSheet(replace(bare, task="embed")))


def test_everything_that_a_model_has() -> None:
    item = installed(source="hf.co/a/b@c", adapters=(AdapterPart(file="a.gguf"),))
    sheet = ModelSheet(
        replace(LISTING, parent="tiny", capabilities=("completion", "tools")),
        licences=("Apache License\nVersion 2.0",),
        system="x" * 200 + "\x1b[31m",
        template="{{ .Prompt }}",
        parameters={"stop": ["a", "b"], "temperature": 0.5},
        context=4096,
        memory_bytes=5_000_000,
    )
    text = shown(item, sheet)
    for words in (
        "32,768 trained, 4,096 here in 5.00 MB of memory",
        "completion, tools",
        "hf.co/a/b@c",
        "a.gguf",
        "stop 'a' 'b', temperature 0.5",
        "Apache License (and 1 more lines)",
        "x" * 69 + "...",
    ):
        assert words in text
    assert "\x1b" not in text


def test_documents() -> None:
    item = installed()
    assert model_document(replace(item, model=None), None) == {}
    assert model_document(item, None)["adapters"] == []
    whole = model_document(item, ModelSheet(LISTING, template="t", context=5))
    assert (whole["architecture"], whole["context"], whole["weights"]) == ("qwen2", 5, ["w.gguf"])
