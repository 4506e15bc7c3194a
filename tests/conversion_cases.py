"""Folders that a conversion must get right, one for each rule: the cases of tests and benchmark.

``benchmarks/convert_check.py`` computes with transformers and PEFT what each of them answers; the
figures stand in ``tests/fixtures/conversion.json``, and the tests compare without either package.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tiny_source import (
    Architecture,
    Array,
    adapter_weights,
    save_tensors,
    shape_of,
    tiny_folder,
    tiny_peft,
    weights,
)

FIXTURE = Path(__file__).parent / "fixtures" / "conversion.json"
Make = Callable[[Path], Path]
LENGTHS = (24, 160)


def prompts() -> list[list[int]]:
    """Tokens to continue, a short and a long row."""
    random = np.random.default_rng(17)
    return [random.integers(0, 480, length).tolist() for length in LENGTHS]


def changed(folder: Path, name: str, changes: Mapping[str, Any]) -> None:
    """Set keys of a JSON file in a folder; ``None`` takes a key away."""
    path = folder / name
    content = {**json.loads(path.read_text("utf-8")), **changes}
    kept = {key: value for key, value in content.items() if value is not None}
    path.write_text(json.dumps(kept, indent=2), "utf-8")


def _with_settings(folder: Path, architecture: Architecture, changes: Mapping[str, Any]) -> Path:
    made = tiny_folder(folder, architecture=architecture, seed=3)
    changed(made, "config.json", changes)
    return made


def _tied(folder: Path) -> Path:
    return tiny_folder(folder, architecture="qwen2", seed=4, tied=True)


def _biased(folder: Path) -> Path:
    made = tiny_folder(folder, architecture="llama", seed=5)
    changed(made, "config.json", {"attention_bias": True, "mlp_bias": True})
    shape = shape_of("llama")
    tensors = weights(shape, 5)
    random = np.random.default_rng(5)
    for name in [name for name in tensors if "_proj.weight" in name]:
        bias = random.standard_normal(len(tensors[name])).astype(np.float32) / 3
        if "o_proj" in name or "down_proj" in name:
            bias[0] = 0
        tensors[name.replace(".weight", ".bias")] = bias
    save_tensors(made / "model.safetensors", tensors)
    return made


def _in_shards(folder: Path) -> Path:
    """bfloat16 in two shards with an index, as large models come."""
    made = tiny_folder(folder, architecture="llama", seed=6)
    changed(made, "config.json", {"torch_dtype": "bfloat16"})
    tensors = weights(shape_of("llama"), 6)
    (made / "model.safetensors").unlink()
    names = sorted(tensors)
    index: dict[str, str] = {}
    for number, part in enumerate((names[::2], names[1::2]), 1):
        file = f"model-{number:05}-of-00002.safetensors"
        save_tensors(made / file, {name: tensors[name] for name in part}, "BF16")
        index |= dict.fromkeys(part, file)
    text = json.dumps({"metadata": {}, "weight_map": index})
    (made / "model.safetensors.index.json").write_text(text, "utf-8")
    return made


def _half(folder: Path) -> Path:
    made = tiny_folder(folder, architecture="qwen3", seed=7)
    changed(made, "config.json", {"torch_dtype": "float16"})
    save_tensors(made / "model.safetensors", weights(shape_of("qwen3"), 7), "F16")
    return made


LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}

FOLDERS: dict[str, Make] = {
    "qwen2": partial(tiny_folder, architecture="qwen2"),
    "llama": partial(tiny_folder, architecture="llama"),
    "qwen3": partial(tiny_folder, architecture="qwen3"),
    "qwen2 with tied embeddings": _tied,
    "llama with biases": _biased,
    "llama in bfloat16 and two shards": _in_shards,
    "qwen3 in float16": _half,
    "llama with llama3 scaling": partial(
        _with_settings, architecture="llama", changes={"rope_scaling": LLAMA3}
    ),
    "llama with linear scaling": partial(
        _with_settings,
        architecture="llama",
        changes={"rope_scaling": {"rope_type": "linear", "factor": 4.0}},
    ),
    "qwen2 with yarn": partial(
        _with_settings,
        architecture="qwen2",
        changes={"rope_scaling": YARN, "max_position_embeddings": 256},
    ),
    "qwen3 with transformers 5's rope_parameters": partial(
        _with_settings,
        architecture="qwen3",
        changes={
            "rope_theta": None,
            "rope_parameters": {**YARN, "rope_theta": 500000.0},
            "max_position_embeddings": 256,
        },
    ),
}
"""Name of a case to what makes its folder."""


def _root(folder: Path) -> Path:
    made = tiny_peft(folder, architecture="qwen2", seed=3)
    changed(made, "adapter_config.json", {"use_rslora": True})
    return made


def _patterns(folder: Path) -> Path:
    """A rank and an alpha of its own for some matrices."""
    made = tiny_peft(folder, architecture="llama", seed=4)
    ranks, alphas = {"q_proj": 2}, {"layers.1.mlp.down_proj": 3}
    changed(made, "adapter_config.json", {"rank_pattern": ranks, "alpha_pattern": alphas})
    tensors: dict[str, Array] = {}
    for layer, (first, second) in adapter_weights(shape_of("llama"), 4).items():
        rank = 2 if layer.endswith("q_proj") else 4
        tensors[f"base_model.model.{layer}.lora_A.weight"] = first[:rank]
        tensors[f"base_model.model.{layer}.lora_B.weight"] = second[:, :rank]
    save_tensors(made / "adapter_model.safetensors", tensors)
    return made


ADAPTERS: dict[str, tuple[Architecture, Make]] = {
    "qwen2 A": ("qwen2", partial(tiny_peft, architecture="qwen2", seed=1)),
    "qwen2 B": ("qwen2", partial(tiny_peft, architecture="qwen2", seed=2)),
    "llama A": ("llama", partial(tiny_peft, architecture="llama", seed=1)),
    "llama B": ("llama", partial(tiny_peft, architecture="llama", seed=2)),
    "qwen3 A": ("qwen3", partial(tiny_peft, architecture="qwen3", seed=1)),
    "qwen2 with rsLoRA": ("qwen2", _root),
    "llama with patterns": ("llama", _patterns),
}
"""Name of a case to the family of its base (seed 0) and what makes the adapter's folder."""


def copied(source: Path, target: Path) -> Path:
    """A copy of a folder that a test may spoil."""
    return Path(shutil.copytree(source, target))
