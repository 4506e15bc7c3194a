"""A converted adapter answers as PEFT does; the fixture holds what PEFT said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conversion_cases import ADAPTERS, FIXTURE, changed, prompts
from listening import distribution, served
from metier.conversion.gguf.adapter import convert_adapter
from metier.errors import InputError, NotFoundError
from metier.formats.gguf import read_gguf
from tiny_gguf import tiny_model, tiny_peft
from tiny_source import Architecture, Array, adapter_weights, save_tensors, shape_of

FIXED: dict[str, Any] = json.loads(FIXTURE.read_text("utf-8"))


def distance(found: dict[int, float], wanted: list[float]) -> float:
    """Largest difference of a log-probability among tokens of at least a millionth."""
    expected = np.array(wanted)
    values = np.array([found[token] for token in range(len(expected))])
    return float(np.abs(values - expected)[expected > np.log(1e-6)].max())


@pytest.mark.parametrize("architecture", ["qwen2", "llama", "qwen3"])
def test_adapters_answer_as_with_peft(architecture: Architecture, tmp_path: Path) -> None:
    base = tiny_model(tmp_path, architecture=architecture)
    header = read_gguf(base)
    names = [name for name, (family, _) in ADAPTERS.items() if family == architecture]
    made = [
        convert_adapter(
            ADAPTERS[name][1](tmp_path / name), header, tmp_path / f"{name}.gguf", dtype="f32"
        ).path
        for name in names
    ]
    with served(base, made) as server:
        for number, name in enumerate([*names, *names]):
            scales = [float(number % len(names) == place) for place in range(len(names))]
            for row, wanted in zip(prompts(), FIXED["adapters"][name], strict=True):
                assert distance(distribution(server, row, scales), wanted) <= 1e-3, name
        for row, wanted in zip(prompts(), FIXED["folders"][architecture], strict=True):
            found = distribution(server, row, [0.0] * len(names))
            assert distance(found, wanted) <= 1e-3


def test_f16_factors_answer_nearly_so(tmp_path: Path) -> None:
    base = tiny_model(tmp_path, architecture="llama")
    source = ADAPTERS["llama A"][1](tmp_path / "a")
    made = convert_adapter(source, read_gguf(base), tmp_path / "a.gguf")
    assert (made.rank, made.alpha, len(made.modules), made.dtype) == (4, 8.0, 14, "f16")
    with served(base, [made.path]) as server:
        for row, wanted in zip(prompts(), FIXED["adapters"]["llama A"], strict=True):
            assert 1e-5 < distance(distribution(server, row, [1.0]), wanted) <= 0.1


def test_names_of_an_unsaved_adapter_are_known(tmp_path: Path) -> None:
    source = tiny_peft(tmp_path / "a")
    base = read_gguf(tiny_model(tmp_path))
    plain = convert_adapter(source, base, tmp_path / "1.gguf", name="x").path.read_bytes()
    tensors = {
        f"base_model.model.{layer}.lora_{letter}.default.weight": factor
        for layer, factors in adapter_weights(shape_of("qwen2"), 1).items()
        for letter, factor in zip("AB", factors, strict=True)
    }
    save_tensors(source / "adapter_model.safetensors", tensors)
    named = convert_adapter(source, base, tmp_path / "2.gguf", name="x").path.read_bytes()
    assert named == plain


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"peft_type": "IA3"}, "bad_adapter_folder", "IA3"),
        ({"use_dora": True}, "bad_adapter_folder", "DoRA"),
        ({"modules_to_save": ["lm_head"]}, "bad_adapter_folder", "modules_to_save"),
        ({"bias": "all"}, "bad_adapter_folder", "biases"),
        ({"lora_bias": True}, "bad_adapter_folder", "lora_bias"),
        ({"init_lora_weights": "pissa"}, "bad_adapter_folder", "pissa"),
        ({"r": 8}, "bad_adapter_folder", "rank 4"),
        ({"lora_alpha": None}, "bad_adapter_folder", "lora_alpha"),
        ({"lora_alpha": "8"}, "bad_adapter_folder", "lora_alpha"),
        ({"rank_pattern": {".*q": 2}}, "bad_adapter_folder", "pattern"),
        ({"rank_pattern": [2]}, "bad_adapter_folder", "no object"),
    ],
)
def test_settings_that_gguf_cannot_express(
    changes: dict[str, Any], code: str, says: str, tmp_path: Path
) -> None:
    source = tiny_peft(tmp_path / "a")
    changed(source, "adapter_config.json", changes)
    with pytest.raises(InputError, match=says) as caught:
        convert_adapter(source, read_gguf(tiny_model(tmp_path)), tmp_path / "a.gguf")
    assert caught.value.code == code
    assert not (tmp_path / "a.gguf").exists()


LAYER = "base_model.model.model.layers.0.self_attn.q_proj"


@pytest.mark.parametrize(
    ("tensors", "code", "says"),
    [
        ({f"{LAYER}.lora_A.weight": (4, 64)}, "bad_adapter_folder", "without its B"),
        (
            {f"{LAYER}.lora_A.weight": (4, 64), f"{LAYER}.lora_B.weight": (64, 3)},
            "bad_adapter_folder",
            "do not fit each other",
        ),
        (
            {f"{LAYER}.lora_A.weight": (0, 64), f"{LAYER}.lora_B.weight": (64, 0)},
            "bad_adapter_folder",
            "do not fit each other",
        ),
        (
            {f"{LAYER}.lora_A.weight": (4, 32), f"{LAYER}.lora_B.weight": (64, 4)},
            "wrong_base",
            "64 x 32; the base's is 64 x 64",
        ),
        (
            {
                f"{LAYER.replace('.0.', '.7.')}.lora_A.weight": (4, 64),
                f"{LAYER.replace('.0.', '.7.')}.lora_B.weight": (64, 4),
            },
            "wrong_base",
            "blk.7.attn_q.weight",
        ),
        ({"base_model.model.lm_head.weight": (512, 64)}, "bad_adapter_folder", "lm_head.weight"),
        ({f"{LAYER[:-6]}k_norm.lora_A.weight": (4, 64)}, "bad_adapter_folder", "k_norm"),
        ({}, "bad_adapter_folder", "no factors"),
    ],
)
def test_tensors_that_do_not_fit(
    tensors: dict[str, tuple[int, int]], code: str, says: str, tmp_path: Path
) -> None:
    source = tiny_peft(tmp_path / "a")
    filled: dict[str, Array] = {name: np.ones(size, np.float32) for name, size in tensors.items()}
    save_tensors(source / "adapter_model.safetensors", filled)
    with pytest.raises(InputError, match=says) as caught:
        convert_adapter(source, read_gguf(tiny_model(tmp_path)), tmp_path / "a.gguf")
    assert caught.value.code == code


def test_pickles_other_families_and_missing_files(tmp_path: Path) -> None:
    base = read_gguf(tiny_model(tmp_path))
    source = tiny_peft(tmp_path / "a")
    (source / "adapter_model.safetensors").rename(source / "adapter_model.bin")
    with pytest.raises(InputError, match="pickle"):
        convert_adapter(source, base, tmp_path / "a.gguf")
    (source / "adapter_model.bin").unlink()
    with pytest.raises(NotFoundError, match=r"adapter_model\.safetensors"):
        convert_adapter(source, base, tmp_path / "a.gguf")
    with pytest.raises(NotFoundError, match="no folder"):
        convert_adapter(tmp_path / "b", base, tmp_path / "a.gguf")


def test_an_adapter_of_the_output_matrix(tmp_path: Path) -> None:
    source = tiny_peft(tmp_path / "a")
    name = "base_model.model.lm_head.lora_"
    factors = {f"{name}A.weight": np.ones((4, 64)), f"{name}B.weight": np.ones((512, 4))}
    save_tensors(
        source / "adapter_model.safetensors",
        {key: value.astype(np.float32) for key, value in factors.items()},
    )
    untied = read_gguf(tiny_model(tmp_path))
    assert convert_adapter(source, untied, tmp_path / "a.gguf").modules == ("output",)
    tied = read_gguf(tiny_model(tmp_path, tied=True, name="tied"))
    with pytest.raises(InputError, match=r"output\.weight, which the base does not have"):
        convert_adapter(source, tied, tmp_path / "a.gguf")
