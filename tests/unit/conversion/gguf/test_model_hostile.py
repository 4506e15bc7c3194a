"""Whatever stands in a folder's JSON, a conversion succeeds or says what is wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metier.conversion.gguf.adapter import convert_adapter
from metier.conversion.gguf.model import convert_folder
from metier.errors import MetierError
from metier.formats.gguf import GgufHeader, read_gguf
from tiny_gguf import tiny_model
from tiny_source import tiny_folder, tiny_peft

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 1, 2, 7, 2**31, 2**63, 10**30, 0.5, -0.0, 1e300, float("inf")]),
    st.text(max_size=4),
    st.lists(st.integers(-1, 3), max_size=3),
    st.dictionaries(st.sampled_from(["type", "content", "id", "factor"]), st.text(max_size=3)),
)
FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json")


def places(value: Any, depth: int = 4) -> list[tuple[Any, ...]]:
    """Paths to values inside a JSON value, of long lists and objects only the first few."""
    if depth == 0 or not isinstance(value, dict | list):
        return [()]
    inner = list(value.items() if isinstance(value, dict) else enumerate(value))
    return [
        (),
        *((key, *rest) for key, item in inner[:40] for rest in places(item, depth - 1)),
    ]


def spoiled(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = spoiled(copied[path[0]], path[1:], odd)
    return copied


def refusal(convert: Callable[[], object]) -> str:
    """What a conversion says when it refuses; "" when it succeeds."""
    try:
        convert()
    except MetierError as error:
        return error.message
    return ""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("source"), architecture="llama")


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, GgufHeader]:
    folder = tmp_path_factory.mktemp("adapter")
    return tiny_peft(folder / "a"), read_gguf(tiny_model(folder))


@given(st.data())
@settings(max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
def test_any_value_anywhere(
    source: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(FILES))
    original = json.loads((source / name).read_text("utf-8"))
    path = data.draw(st.sampled_from(places(original)))
    folder = tmp_path_factory.mktemp("spoiled")
    try:
        shutil.copytree(source, folder / "m")
        odd = spoiled(original, path, data.draw(ODD))
        (folder / "m" / name).write_text(json.dumps(odd), "utf-8")
        refused = refusal(lambda: convert_folder(folder / "m", folder / "m.gguf"))
        assert len(refused) < 600
        assert (folder / "m.gguf").exists() is not bool(refused)
        if not refused:
            read_gguf(folder / "m.gguf")
    finally:
        shutil.rmtree(folder)


@given(st.data())
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
def test_any_value_in_an_adapters_settings(
    adapter: tuple[Path, GgufHeader],
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
) -> None:
    source, base = adapter
    original = json.loads((source / "adapter_config.json").read_text("utf-8"))
    original |= {"rank_pattern": {"q_proj": 4}, "alpha_pattern": {"q_proj": 8}}
    path = data.draw(st.sampled_from(places(original)))
    folder = tmp_path_factory.mktemp("spoiled")
    try:
        shutil.copytree(source, folder / "a")
        odd = spoiled(original, path, data.draw(ODD))
        (folder / "a" / "adapter_config.json").write_text(json.dumps(odd), "utf-8")
        refused = refusal(lambda: convert_adapter(folder / "a", base, folder / "a.gguf"))
        assert len(refused) < 600
        assert (folder / "a.gguf").exists() is not bool(refused)
    finally:
        shutil.rmtree(folder)
