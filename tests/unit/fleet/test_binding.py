"""Adapters and bases: what belongs together passes, the rest is refused with its reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from metier.errors import InputError
from metier.fleet import Fleet, doubts, refuse_wrong_pairing
from metier.formats import GgufHeader, GgufTensor, describe, read_gguf
from metier.localmodel import MODEL_FILE, AdapterPart, LocalModelFile, base_digest
from metier.reference import Digest, Reference
from metier.store import Store
from tiny_gguf import tiny_adapter, tiny_model

ADAPTER = {"general.architecture": "llama", "general.type": "adapter", "adapter.type": "lora"}


def header(tensors: dict[str, tuple[int, ...]], **keys: Any) -> GgufHeader:
    listed = tuple(GgufTensor(name, shape, "F32", 0, 0) for name, shape in tensors.items())
    metadata = {"general.architecture": "llama", **keys}
    return GgufHeader(3, metadata, listed, 32, 0)


BASE = header({"q": (64, 32), "token_embd.weight": (64, 500), "experts": (64, 32, 4)})


def pair(tensors: dict[str, tuple[int, ...]], base: GgufHeader = BASE, **keys: Any) -> int:
    adapter = header(tensors, **{**ADAPTER, **keys})
    return refuse_wrong_pairing(adapter, [base], adapter_name="mine", base_name="theirs")


def test_a_real_adapter_fits_its_base_and_no_other(tmp_path: Path) -> None:
    base = tiny_model(tmp_path)
    adapter = read_gguf(tiny_adapter(tmp_path, base, seed=1, rank=4))
    names = {"adapter_name": "mine", "base_name": "theirs"}
    assert refuse_wrong_pairing(adapter, [read_gguf(base)], **names) == 4
    other = read_gguf(tiny_model(tmp_path, architecture="llama"))
    with pytest.raises(InputError, match="it is for qwen2 models, the base is a llama model"):
        refuse_wrong_pairing(adapter, [other], **names)


def test_shapes_decide() -> None:
    assert pair({"q.lora_a": (64, 8), "q.lora_b": (8, 32)}) == 8
    assert pair({"token_embd.weight.lora_a": (8, 500), "token_embd.weight.lora_b": (8, 64)}) == 8
    assert pair({"experts.lora_a": (64, 2, 4), "experts.lora_b": (2, 32, 4)}) == 2
    ranks = {"q.lora_a": (64, 2), "q.lora_b": (2, 32), "experts.lora_a": (64, 3, 4)}
    assert pair({**ranks, "experts.lora_b": (3, 32, 4)}) == 3


@pytest.mark.parametrize(
    ("tensors", "code", "why"),
    [
        (
            {"q.lora_a": (128, 8), "q.lora_b": (8, 32)},
            "wrong_base",
            "the tensor q is 128x32 there and 64x32 in the base",
        ),
        (
            {"q.lora_a": (64, 8), "q.lora_b": (8, 64)},
            "wrong_base",
            "64x64 there and 64x32 in the base",
        ),
        ({"k.lora_a": (64, 8), "k.lora_b": (8, 32)}, "wrong_base", "which the base lacks"),
        (
            {"experts.lora_a": (64, 2, 3), "experts.lora_b": (2, 32, 3)},
            "wrong_base",
            "64x32x4 in the base",
        ),
        ({"q.lora_a": (64, 8), "q.lora_b": (4, 32)}, "bad_gguf", "do not fit each other"),
        (
            {"experts.lora_a": (64, 2, 3), "experts.lora_b": (2, 32, 4)},
            "bad_gguf",
            "do not fit each other",
        ),
        ({"q.lora_a": (64, 8)}, "bad_gguf", "only one half"),
        ({"q.lora_c": (64, 8)}, "bad_gguf", "no half of a LoRA pair"),
        ({"q.lora_a": (64,), "q.lora_b": (8, 32)}, "bad_gguf", "no half of a LoRA pair"),
        ({}, "bad_gguf", "has no tensors"),
    ],
)
def test_a_wrong_pairing_is_refused_with_its_reason(
    tensors: dict[str, tuple[int, ...]], code: str, why: str
) -> None:
    with pytest.raises(InputError, match=why) as caught:
        pair(tensors)
    assert caught.value.code == code
    assert "mine" in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    "keys", [{"general.type": "model", "adapter.type": ""}, {"adapter.type": "x"}]
)
def test_what_is_no_lora_adapter_is_none(keys: dict[str, str]) -> None:
    with pytest.raises(InputError, match="does not say that it is a LoRA adapter"):
        pair({"q.lora_a": (64, 8), "q.lora_b": (8, 32)}, **keys)


def test_tensors_of_other_shards_count() -> None:
    first, second = replace(BASE, tensors=BASE.tensors[1:]), replace(BASE, tensors=BASE.tensors[:1])
    adapter = header({"q.lora_a": (64, 8), "q.lora_b": (8, 32)}, **ADAPTER)
    names = {"adapter_name": "mine", "base_name": "theirs"}
    assert refuse_wrong_pairing(adapter, [first, second], **names) == 8


def test_a_name_that_differs_is_a_doubt_and_no_refusal() -> None:
    said = {
        "general.base_model.count": 1,
        "general.base_model.0.repo_url": "https://example.org/team/Tiny-1B",
    }
    facts = describe(header({}, **ADAPTER, **said))
    assert doubts(facts, [], ["hf.co/other/tiny-1b:Q8@abc"]) == []
    assert doubts(facts, [], ["tiny_1b.gguf"]) == []
    assert doubts(facts, [], []) == []
    (sentence,) = doubts(facts, [], ["something"])
    assert "https://example.org/team/Tiny-1B" in sentence
    bare = describe(header({}, **ADAPTER))
    assert doubts(bare, [], ["something"]) == []
    assert "team/base" in doubts(bare, ["team/base"], ["something"])[0]


def test_an_artifact_from_elsewhere_is_held_to_it_too(tmp_path: Path) -> None:
    """The check is at the door of the fleet, whatever verb brings a model in."""
    fleet = Fleet(Store.open(tmp_path / "home"))
    llama = tiny_model(tmp_path, architecture="llama")
    adapter = tiny_adapter(tmp_path, tiny_model(tmp_path), seed=1)
    model = LocalModelFile(
        weights=("w.gguf",),
        adapters=(AdapterPart(file="a.gguf"),),
        base=str(base_digest([Digest.of(llama.read_bytes())])),
    )
    with pytest.raises(InputError) as caught:
        fleet.install(
            Reference("a"),
            {
                "w.gguf": ("weight", llama),
                "a.gguf": ("weight", adapter),
                MODEL_FILE: ("weight-config", model.to_bytes()),
            },
        )
    assert caught.value.code == "wrong_base"
