"""Gaps by the base's own tokens."""

from __future__ import annotations

from typing import Any

import pytest

from metier.engines.prompting.filling import fill_middle, gap_of
from metier.errors import InputError

TOKENS = "tokenizer.ggml.tokens"


def test_tokens_that_the_header_names() -> None:
    metadata = {
        TOKENS: ["a", "<P>", "<S>", "<M>"],
        "tokenizer.ggml.fim_pre_token_id": 1,
        "tokenizer.ggml.fim_suf_token_id": 2,
        "tokenizer.ggml.fim_mid_token_id": 3,
    }
    assert fill_middle(metadata, "x", "y") == "<P>x<S>y<M>"
    del metadata[TOKENS]
    assert fill_middle(metadata, "x", "y", lambda number: f"[{number}]") == "[1]x[2]y[3]"
    assert gap_of(metadata) is None


def test_older_names_of_the_keys() -> None:
    metadata = {
        TOKENS: ["<P>", "<S>", "<M>"],
        "tokenizer.ggml.prefix_token_id": 0,
        "tokenizer.ggml.suffix_token_id": 1,
        "tokenizer.ggml.middle_token_id": 2,
    }
    assert fill_middle(metadata, "x", "y") == "<P>x<S>y<M>"


@pytest.mark.parametrize(
    ("tokens", "prompt"),
    [
        (
            ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"],
            "<|fim_prefix|>x<|fim_suffix|>y<|fim_middle|>",
        ),
        (
            ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"],
            "<fim_prefix>x<fim_suffix>y<fim_middle>",
        ),
        (
            ["<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"],
            "<｜fim▁begin｜>x<｜fim▁hole｜>y<｜fim▁end｜>",
        ),
        (["▁<PRE>", "▁<SUF>", "▁<MID>"], "<PRE> x <SUF>y <MID>"),
        (["[PREFIX]", "[SUFFIX]"], "[SUFFIX]y[PREFIX]x"),
    ],
)
def test_well_known_names(tokens: list[str], prompt: str) -> None:
    assert fill_middle({TOKENS: ["a", *tokens]}, "x", "y") == prompt


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {TOKENS: ["a", 3, None]},
        {TOKENS: "text"},
        {TOKENS: ["<|fim_prefix|>", "<|fim_suffix|>"]},
        {
            TOKENS: ["a"],
            "tokenizer.ggml.fim_pre_token_id": -1,
            "tokenizer.ggml.fim_suf_token_id": True,
            "tokenizer.ggml.fim_mid_token_id": 9,
        },
    ],
)
def test_a_base_without_them(metadata: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        fill_middle(metadata, "x", "y")
    assert caught.value.code == "no_capability"
