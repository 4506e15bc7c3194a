from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from metier.generating import Message, ModelDetails, ModelSheet, RunningModel
from metier.server import ollama_listing as listing
from stand_in.models import listing as made

TINY = made("tiny")


def show(sheet: ModelSheet, **how: Any) -> dict[str, Any]:
    return json.loads(listing.sheet(sheet, name="tiny", **how))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, ""),
        (512, "512"),
        (1000, "1K"),
        (1234, "1.23K"),
        (247_500_000, "247.5M"),
        (7_615_616_512, "7.6B"),
        (8_000_000_000, "8B"),
        (999_960_000, "1B"),
        (999_999, "1M"),
        (1_000_000_000_000, "1T"),
    ],
)
def test_parameters_are_written_as_people_do(number: int, text: str) -> None:
    assert listing.human(number) == text


@pytest.mark.parametrize(
    ("name", "tagged"),
    [
        ("tiny", "tiny:latest"),
        ("tiny:2", "tiny:2"),
        ("localhost:5000/team/tiny", "localhost:5000/team/tiny:latest"),
    ],
)
def test_lists_write_every_tag(name: str, tagged: str) -> None:
    assert listing.tagged(name) == tagged


def test_an_entry_has_every_field_that_clients_read() -> None:
    entry = json.loads(listing.tags([TINY]))["models"][0]
    assert entry == {
        "name": "tiny:latest",
        "model": "tiny:latest",
        "modified_at": "2026-11-01T10:00:00Z",
        "size": 1000,
        "digest": TINY.digest,
        "details": {
            "parent_model": "",
            "format": "gguf",
            "family": "llama",
            "families": ["llama"],
            "parameter_size": "247.5M",
            "quantization_level": "F16",
            "context_length": 2048,
            "embedding_length": 64,
        },
        "capabilities": ["completion", "tools", "insert", "vision", "thinking"],
    }
    assert re.fullmatch("[0-9a-f]{64}", entry["digest"])


def test_a_specialist_without_weights_of_its_own_is_listed_too() -> None:
    bare = replace(TINY, details=ModelDetails(format=""), task="chat", parent="base")
    details = listing.details(bare)
    assert (details["family"], details["families"]) == ("chat", ["chat"])
    assert details["parent_model"] == "base"
    assert "context_length" not in details
    assert all(isinstance(value, str | list) for value in details.values())


def test_dates_have_a_zone() -> None:
    assert listing.dated("2026-11-01T10:00:00") == "2026-11-01T10:00:00Z"
    assert listing.dated("2026-11-01T10:00:00+02:00") == "2026-11-01T10:00:00+02:00"
    assert datetime.fromisoformat(listing.dated("nonsense")).tzinfo is not None


def test_the_longest_lived_stands_first_and_for_ever_is_far_away() -> None:
    soon = RunningModel(made("a"), 10, 2048, 1_800_000_000.0)
    later = RunningModel(made("b"), 20, 4096, 1_900_000_000.5, gpu_bytes=5)
    ever = RunningModel(made("c"), 30, 512, None)
    told = json.loads(listing.processes([soon, ever, later]))["models"]
    assert [one["name"] for one in told] == ["c:latest", "b:latest", "a:latest"]
    dates = [datetime.fromisoformat(one["expires_at"]) for one in told]
    assert all(date.tzinfo is not None for date in dates)
    assert dates[0].year == 2318
    assert dates[2] == datetime.fromtimestamp(1_800_000_000, UTC)
    assert told[1]["size"] == 20
    assert (told[1]["size_vram"], told[1]["context_length"]) == (5, 4096)
    assert {"model", "digest", "details"} <= told[0].keys()


def test_a_sheet_tells_everything() -> None:
    told = show(
        ModelSheet(
            TINY,
            licences=("MIT", "More"),
            system="Be brief.",
            template="{{ .System }}",
            template_language="go",
            parameters={"temperature": 0.5, "stop": ["<|end|>", 'a"b'], "num_ctx": 4096},
            messages=(Message("user", "Hi"), Message("assistant", "Hello")),
            modelfile="FROM tiny",
            metadata={"general.architecture": "llama", "llama.block_count": 2},
            projector={"clip.x": 1},
            tensors=(("blk.0", "F16", (2, 3)),),
        )
    )
    assert told["license"] == "MIT\nMore"
    assert told["modelfile"] == "FROM tiny"
    assert told["system"] == "Be brief."
    assert told["messages"] == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
    ]
    assert told["model_info"] == {
        "general.architecture": "llama",
        "general.parameter_count": 247_500_000,
        "llama.block_count": 2,
        "llama.context_length": 2048,
        "llama.embedding_length": 64,
    }
    assert told["projector_info"] == {"clip.x": 1}
    assert told["tensors"] == [{"name": "blk.0", "type": "F16", "shape": [2, 3]}]
    assert told["capabilities"] == list(TINY.capabilities)
    assert told["modified_at"] == "2026-11-01T10:00:00Z"
    assert told["details"]["parameter_size"] == "247.5M"


def test_a_sheet_tells_what_the_model_gets_here() -> None:
    told = show(ModelSheet(TINY, context=512, memory_bytes=7, proofs=("It won.",)))
    assert told["metier"] == {
        "task": "generate",
        "context_length": 512,
        "memory_bytes": 7,
        "proofs": ["It won."],
    }


def test_continue_reads_parameters_by_a_pattern() -> None:
    text = listing.parameters({"temperature": 0.5, "stop": ["<|end|>", 'a"b'], "use_mmap": True})
    rows = [re.fullmatch(r'(\S+)\s+("(?:.*)"|\S+)', line) for line in text.split("\n")]
    assert [(row.group(1), json.loads(row.group(2))) for row in rows if row] == [
        ("temperature", 0.5),
        ("stop", "<|end|>"),
        ("stop", 'a"b'),
        ("use_mmap", True),
    ]


def test_model_info_is_never_null() -> None:
    """Several programs crash on a null, VS Code hides a model without one."""
    bare = replace(TINY, details=ModelDetails(format=""), task="chat", capabilities=("completion",))
    told = show(ModelSheet(bare, context=4096))
    assert told["model_info"]["general.architecture"] == "chat"
    assert told["model_info"]["chat.context_length"] == 4096
    for field in ("parameters", "template", "license", "modelfile", "system"):
        assert told[field] == ""
    assert "tensors" not in told


def test_a_header_with_bytes_and_infinities_is_still_json() -> None:
    info = show(ModelSheet(TINY, metadata={"a": b"x", "b": float("inf"), "c": [1]}))["model_info"]
    assert info["c"] == [1]
    assert isinstance(info["b"], str)


def test_continue_fills_in_only_where_the_template_has_a_suffix() -> None:
    jinja = ModelSheet(TINY, template="{{ messages }}")
    assert show(jinja)["template"] == "{{ messages }}{#- .Suffix -#}"
    go = replace(jinja, template_language="go", template="{{ .Prompt }}")
    assert ".Suffix" in show(go)["template"]
    has = replace(go, template="{{ .Prompt }}{{ .Suffix }}")
    assert show(has)["template"] == has.template
    cannot = replace(jinja, listing=made("plain", "generate", "completion"))
    assert show(cannot)["template"] == "{{ messages }}"


def test_copilot_reads_the_name_under_the_basename() -> None:
    told = show(ModelSheet(TINY), agent="GitHubCopilotChat/0.30")
    assert told["model_info"]["general.basename"] == "tiny"
    assert "general.basename" not in show(ModelSheet(TINY), agent="curl")["model_info"]


def test_a_system_prompt_may_be_shown_in_place_of_the_models() -> None:
    assert show(ModelSheet(TINY, system="a"), system="b")["system"] == "b"
