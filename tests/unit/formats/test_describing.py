"""What headers mean: of real files, and key by key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metier.formats import GgufHeader, GgufTensor, LongArray, describe, read_gguf
from tiny_gguf import tiny_adapter, tiny_embedder, tiny_model


def header(tensors: tuple[tuple[str, tuple[int, ...], str], ...] = (), **keys: Any) -> GgufHeader:
    """A header with these keys; an underscore pair stands for a dot."""
    metadata = {name.replace("__", "."): value for name, value in keys.items()}
    metadata.setdefault("general.architecture", "llama")
    listed = tuple(GgufTensor(name, shape, kind, 0, 0) for name, shape, kind in tensors)
    return GgufHeader(3, metadata, listed, 32, 0)


def test_a_real_model_its_adapter_and_an_embedding_model(tmp_path: Path) -> None:
    model = tiny_model(tmp_path)
    facts = describe(read_gguf(model))
    assert (facts.kind, facts.task, facts.architecture) == ("model", "generate", "qwen2")
    assert facts.vocabulary == 512
    assert facts.context_length == 4096
    assert facts.template is not None
    assert "tools" in facts.template
    assert facts.kv_bytes_per_token == 256
    assert facts.infill.keys() == {"prefix", "suffix", "middle"}
    adapter = describe(read_gguf(tiny_adapter(tmp_path, model, seed=1)))
    assert (adapter.kind, adapter.adapter_type, adapter.adapter_alpha) == ("adapter", "lora", 8.0)
    embedder = describe(read_gguf(tiny_embedder(tmp_path)))
    assert embedder.task == "embed"


def test_the_name_of_a_quantisation() -> None:
    tensors = (("a", (256, 4), "Q4_K"), ("b", (256,), "F32"))
    assert describe(header(tensors)).quantization == "Q4_K"
    assert describe(header(tensors, general__file_type=15)).quantization == "Q4_K_M"
    assert describe(header(tensors, general__file_type=999)).quantization == "Q4_K"
    assert describe(header()).quantization == ""
    assert describe(header(tensors), [header(tensors)]).parameters == 2 * (1024 + 256)


def test_the_cache_of_one_token() -> None:
    keys = {
        "llama__block_count": 4,
        "llama__embedding_length": 64,
        "llama__attention__head_count": 8,
    }
    assert describe(header(**keys)).kv_bytes_per_token == 4 * 8 * (8 + 8) * 2
    grouped = keys | {"llama__attention__head_count_kv": 2}
    assert describe(header(**grouped)).kv_bytes_per_token == 4 * 2 * 16 * 2
    wide = grouped | {"llama__attention__key_length": 10, "llama__attention__value_length": 6}
    assert describe(header(**wide)).kv_bytes_per_token == 4 * 2 * 16 * 2
    layered = keys | {"llama__attention__head_count_kv": (0, 2, 0, 2)}
    assert describe(header(**layered)).kv_bytes_per_token == 4 * 16 * 2
    assert describe(header()).kv_bytes_per_token == 0


@pytest.mark.parametrize(
    ("keys", "task"),
    [
        ({}, "generate"),
        ({"llama__pooling_type": 0}, "generate"),
        ({"llama__pooling_type": 1}, "embed"),
        ({"llama__pooling_type": 4}, "rerank"),
        ({"llama__attention__causal": False}, "embed"),
        ({"general__architecture": "bert"}, "embed"),
        ({"general__architecture": "bert", "bert__pooling_type": 4}, "rerank"),
    ],
)
def test_what_a_model_does(keys: dict[str, Any], task: str) -> None:
    assert describe(header(**keys)).task == task


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ({"general__type": "adapter"}, "adapter"),
        ({"adapter__type": "lora"}, "adapter"),
        ({"general__architecture": "clip"}, "projector"),
        ({"general__type": "mmproj"}, "projector"),
        ({"general__type": "model"}, "model"),
        ({"general__type": "imatrix"}, "other"),
    ],
)
def test_what_a_file_is(keys: dict[str, Any], kind: str) -> None:
    assert describe(header(**keys)).kind == kind


def test_values_of_another_type_are_not_believed() -> None:
    facts = describe(
        header(
            general__architecture=3,
            general__name=4,
            general__file_type="x",
            split__count=-1,
            tokenizer__chat_template=1,
            tokenizer__ggml__add_bos_token="yes",
            adapter__lora__alpha="x",
        )
    )
    assert (facts.architecture, facts.name, facts.template) == ("", "", None)
    assert (facts.add_bos, facts.adapter_alpha, facts.shards) == (None, None, 1)


def test_shards_bases_templates_and_infill_by_key() -> None:
    facts = describe(
        header(
            split__no=1,
            split__count=3,
            split__tensors__count=9,
            general__base_model__count=1,
            general__base_model__0__name="Qwen2 0.5B",
            general__base_model__0__repo_url="https://example.org/team/base",
            tokenizer__chat_template="plain",
            tokenizer__chat_template__tool_use="tools",
            tokenizer__ggml__fim_pre_token_id=1,
            tokenizer__ggml__suffix_token_id=2,
            tokenizer__ggml__tokens=LongArray("string", 9000),
            general__license="mit",
        )
    )
    assert (facts.shard, facts.shards, facts.shard_tensors) == (1, 3, 9)
    assert facts.bases == ("https://example.org/team/base", "Qwen2 0.5B")
    assert facts.templates == {"tool_use": "tools"}
    assert facts.infill == {"prefix": 1, "suffix": 2}
    assert facts.vocabulary == 9000
    assert facts.licence == "mit"
