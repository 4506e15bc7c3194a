"""A converted model answers as transformers does; the fixture holds what transformers said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conversion_cases import FIXTURE, FOLDERS, changed, prompts
from listening import distributions
from metier.conversion.gguf.model import convert_folder
from metier.conversion.gguf.writing import DType
from metier.errors import InputError, NotFoundError
from metier.formats.gguf import GgufHeader, read_gguf
from metier.messages import Progress
from tiny_source import END, TEMPLATE, tiny_folder

EXPECTED: dict[str, Any] = json.loads(FIXTURE.read_text("utf-8"))["folders"]


def worst(model: Path, expected: list[list[float]]) -> tuple[float, float]:
    """Largest difference of a log-probability, and the largest divergence in nats."""
    largest, nats = 0.0, 0.0
    for found, wanted in zip(distributions(model, prompts()), np.array(expected), strict=True):
        values = np.array([found[token] for token in range(len(wanted))])
        likely = wanted > np.log(1e-6)
        largest = max(largest, float(np.abs(values - wanted)[likely].max()))
        nats = max(nats, float((np.exp(wanted) * (wanted - values)).sum()))
    return largest, nats


@pytest.mark.parametrize("name", FOLDERS)
def test_f32_answers_as_transformers(name: str, tmp_path: Path) -> None:
    source = FOLDERS[name](tmp_path / "source")
    made = convert_folder(source, tmp_path / "model.gguf", dtype="f32")
    assert worst(made.path, EXPECTED[name])[0] <= 1e-3


@pytest.mark.parametrize("architecture", ["qwen2", "llama", "qwen3"])
@pytest.mark.parametrize(("dtype", "most", "nats"), [("f16", 0.03, 1e-4), ("q8_0", 0.6, 0.01)])
def test_rounded_weights_answer_nearly_so(
    architecture: str, dtype: DType, most: float, nats: float, tmp_path: Path
) -> None:
    source = FOLDERS[architecture](tmp_path / "source")
    made = convert_folder(source, tmp_path / "model.gguf", dtype=dtype)
    found = worst(made.path, EXPECTED[architecture])
    assert 1e-5 < found[0] <= most
    assert found[1] <= nats


def test_the_cases_tell_rope_scalings_apart(tmp_path: Path) -> None:
    source = FOLDERS["llama with llama3 scaling"](tmp_path / "source")
    changed(source, "config.json", {"rope_scaling": None})
    made = convert_folder(source, tmp_path / "model.gguf", dtype="f32")
    assert worst(made.path, EXPECTED["llama with llama3 scaling"])[0] > 0.01


@pytest.fixture(scope="module")
def header(tmp_path_factory: pytest.TempPathFactory) -> GgufHeader:
    folder = tmp_path_factory.mktemp("header")
    source = tiny_folder(folder / "small-one")
    text = "---\nlanguage: en\nlicense: apache-2.0\n---\nlicense: other\n"
    (source / "README.md").write_text(text, "utf-8")
    target = folder / "model.gguf"
    convert_folder(source, target, dtype="q8_0")
    return read_gguf(target, long_arrays=True)


def test_the_header_says_what_people_ask(header: GgufHeader) -> None:
    said = header.metadata
    assert said["general.architecture"] == "qwen2"
    assert said["general.name"] == "small-one"
    assert said["general.license"] == "apache-2.0"
    assert said["qwen2.context_length"] == 4096
    assert said["tokenizer.chat_template"] == TEMPLATE
    tokens = said["tokenizer.ggml.tokens"]
    assert tokens[said["tokenizer.ggml.eos_token_id"]] == END
    assert tokens[said["tokenizer.ggml.eot_token_id"]] == "<|endoftext|>"
    assert tokens[said["tokenizer.ggml.padding_token_id"]] == "<|endoftext|>"
    assert said["tokenizer.ggml.add_bos_token"] is False


def test_matrices_are_rounded_and_vectors_are_not(header: GgufHeader) -> None:
    for tensor in header.tensors:
        assert tensor.type == ("F32" if len(tensor.shape) == 1 else "Q8_0"), tensor.name


def test_the_same_folder_gives_the_same_bytes_and_keeps_its_own(tmp_path: Path) -> None:
    source = tiny_folder(tmp_path / "source")
    before = {path.name: path.read_bytes() for path in source.iterdir()}
    first = convert_folder(source, tmp_path / "1.gguf").path.read_bytes()
    assert convert_folder(source, tmp_path / "2.gguf").path.read_bytes() == first
    assert {path.name: path.read_bytes() for path in source.iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.gguf", "2.gguf", "source"]


def test_progress_goes_from_nothing_to_all(tmp_path: Path) -> None:
    told: list[Progress] = []
    source = tiny_folder(tmp_path / "source")
    convert_folder(source, tmp_path / "m.gguf", report=told.append)
    fractions = [step.fraction or 0.0 for step in told]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert {step.stage for step in told} == {"convert"}


def test_a_template_of_its_own_file_and_several_templates(tmp_path: Path) -> None:
    source = tiny_folder(tmp_path / "source")
    (source / "chat_template.jinja").write_text("{{ alone }}", "utf-8")
    alone = read_gguf(convert_folder(source, tmp_path / "1.gguf").path)
    assert alone.metadata["tokenizer.chat_template"] == "{{ alone }}"
    (source / "chat_template.jinja").unlink()
    several = [{"name": "default", "template": "{{ a }}"}, {"name": "rag", "template": "{{ b }}"}]
    changed(source, "tokenizer_config.json", {"chat_template": several})
    said = read_gguf(convert_folder(source, tmp_path / "2.gguf").path).metadata
    assert said["tokenizer.chat_template"] == "{{ a }}"
    assert said["tokenizer.chat_template.rag"] == "{{ b }}"


def test_a_model_without_template_or_settings(tmp_path: Path) -> None:
    source = tiny_folder(tmp_path / "source", chat_template=None)
    for name in ("tokenizer_config.json", "generation_config.json"):
        (source / name).unlink()
    made = convert_folder(source, tmp_path / "m.gguf")
    said = read_gguf(made.path).metadata
    assert not made.template
    assert "tokenizer.chat_template" not in said
    assert "tokenizer.ggml.eos_token_id" in said  # config.json says it, too


@pytest.mark.parametrize(
    ("file", "changes", "code", "says"),
    [
        (
            "tokenizer_config.json",
            {"auto_map": {"AutoTokenizer": "x.Y"}},
            "remote_code",
            "auto_map",
        ),
        ("tokenizer_config.json", {"chat_template": 5}, "bad_model_folder", "chat_template"),
        ("tokenizer_config.json", {"chat_template": [{"name": "x"}]}, "bad_model_folder", "list"),
        ("config.json", {"num_hidden_layers": 3}, "tensor_missing", "model.layers.2"),
        ("config.json", {"num_hidden_layers": 1}, "bad_model_folder", "is no tensor of"),
        ("config.json", {"intermediate_size": 64}, "bad_model_folder", "128 x 64"),
        ("generation_config.json", {"bos_token_id": 9999}, "bad_model_folder", "9999"),
    ],
)
def test_what_does_not_fit_is_refused(
    file: str, changes: dict[str, Any], code: str, says: str, tmp_path: Path
) -> None:
    source = tiny_folder(tmp_path / "source")
    changed(source, file, changes)
    with pytest.raises(InputError, match=says) as caught:
        convert_folder(source, tmp_path / "m.gguf")
    assert caught.value.code == code
    assert not (tmp_path / "m.gguf").exists()


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    source = tiny_folder(tmp_path / "source")
    (source / name).unlink()
    with pytest.raises(NotFoundError, match=name):
        convert_folder(source, tmp_path / "m.gguf")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no folder"):
        convert_folder(tmp_path / "nowhere", tmp_path / "m.gguf")
