"""Asks the engine's wheel directly what a GGUF file answers: whole distributions, and tokens.

It goes around Metier's engine, so that a test of a file is a test of the file. Attention and its
cache are in float32, to see the file's own errors only.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xllamacpp


@contextmanager
def served(model: Path, adapters: Sequence[Path] = ()) -> Iterator[Any]:
    """The wheel's own server over a model, its adapters switched off."""
    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(model)
    wanted.n_ctx, wanted.n_parallel, wanted.cpuparams.n_threads = 512, 1, 1
    wanted.warmup, wanted.cache_ram_mib, wanted.verbosity = False, 0, -1
    wanted.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    wanted.cache_type_k = wanted.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    wanted.lora_adapters = [
        xllamacpp.CommonAdapterLoraInfo(str(adapter), 0.0) for adapter in adapters
    ]
    server = xllamacpp.Server(wanted)
    try:
        yield server
    finally:
        del server


def distribution(server: Any, row: Sequence[int], scales: Sequence[float]) -> dict[int, float]:
    """Log-probability of every token after a row of tokens."""
    answer = server.handle_completions(
        {
            "prompt": list(row),
            "n_predict": 1,
            "temperature": 0,
            "n_probs": 1 << 20,
            "cache_prompt": False,
            "lora": [{"id": number, "scale": scale} for number, scale in enumerate(scales)],
        }
    )
    if "choices" in answer:
        chances = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    else:
        chances = answer["completion_probabilities"][0]["top_logprobs"]
    return {chance["id"]: chance["logprob"] for chance in chances}


def distributions(
    model: Path,
    rows: Sequence[Sequence[int]],
    adapters: Sequence[Path] = (),
    scales: Sequence[float] = (),
) -> list[dict[int, float]]:
    """The distribution after each row of tokens, with adapters at their scales."""
    with served(model, adapters) as server:
        return [distribution(server, row, scales) for row in rows]


def tokens(server: Any, text: str, *, add_special: bool = False) -> list[int]:
    """The tokens of a text, special tokens recognised."""
    question = {"content": text, "add_special": add_special, "parse_special": True}
    request = urllib.request.Request(
        f"{server.listening_address}/tokenize",
        json.dumps(question).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: list[int] = json.load(answer)["tokens"]
        return found
