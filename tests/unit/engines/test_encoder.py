"""Vectors are right, are a function of the text alone, and any string has one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tiny_bert
from metier.conversion.calibration import SENTENCES
from metier.conversion.preparation import prepare_base
from metier.conversion.upstream import find_packaged_default
from metier.engines.encoder import (
    OnnxEncoder,
    Precision,
    plan_runs,
    read_base,
)
from metier.errors import CorruptError, InputError, NotFoundError

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    return prepare_base(tiny_bert.make_folder(folder / "up"), folder / "out", name="tiny").folder


def tiny_ids(text: str) -> list[int]:
    """Word pieces by hand, for texts of tiny_bert's own words."""
    ids = {token: number for number, token in enumerate(tiny_bert.VOCABULARY)}
    return [ids["[CLS]"], *(ids[word] for word in text.split()), ids["[SEP]"]]


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("prefix", ["", "bert."])
def test_vectors_follow_the_paper(tmp_path: Path, pooling: str, prefix: str) -> None:
    source = tiny_bert.make_folder(tmp_path / "up", pooling=pooling, prefix=prefix)
    encoder = OnnxEncoder(prepare_base(source, tmp_path / "out").folder)
    for text in ["where is my card", "late", "the train is late"]:
        expected = tiny_bert.forward(tiny_bert.make_weights(), tiny_ids(text), pooling)
        np.testing.assert_allclose(encoder.encode([text])[0], expected, atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_int8_is_near_the_paper(tmp_path: Path, pooling: str) -> None:
    source = tiny_bert.make_folder(tmp_path / "up", pooling=pooling)
    encoder = OnnxEncoder(prepare_base(source, tmp_path / "out").folder, "int8")
    for text in ["where is my card", "late", "the train is late"]:
        expected = tiny_bert.forward(tiny_bert.make_weights(), tiny_ids(text), pooling)
        assert encoder.encode([text])[0] @ expected > 0.998


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_vector_does_not_depend_on_its_company(base: Path, precision: Precision) -> None:
    encoder = OnnxEncoder(base, precision)
    alone = np.concatenate([encoder.encode([text]) for text in tiny_bert.TEXTS])
    together = encoder.encode(tiny_bert.TEXTS * 9)
    assert (together * np.tile(alone, (9, 1))).sum(axis=1).min() > 1 - 1e-5


def test_threads_change_nothing(base: Path) -> None:
    texts = tiny_bert.TEXTS * 50
    one, three = OnnxEncoder(base, threads=1), OnnxEncoder(base, threads=3)
    assert np.array_equal(one.encode(texts), three.encode(texts))
    assert (one.name, one.digest) == (three.name, three.digest)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(), max_size=60), max_size=6))
def test_every_string_has_a_unit_vector(base: Path, texts: list[str]) -> None:
    vectors = OnnxEncoder(base).encode(texts)
    assert vectors.shape == (len(texts), tiny_bert.HIDDEN)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("text", ["\ud800", "card \udfff\x00 late", "late " * 200_000, " " * 10**6])
def test_hostile_strings(base: Path, text: str) -> None:
    assert np.isfinite(OnnxEncoder(base).encode([text])).all()


def test_a_lone_surrogate_reads_as_the_replacement_character(base: Path) -> None:
    encoder = OnnxEncoder(base)
    np.testing.assert_array_equal(encoder.encode(["card\ud800s"]), encoder.encode(["card\ufffds"]))


def test_long_texts_are_cut_to_max_tokens(base: Path) -> None:
    encoder = OnnxEncoder(base)
    long, longer = encoder.encode(["late " * 22, "late " * 22 + "card"])
    assert np.array_equal(long, longer)
    assert not np.array_equal(long, encoder.encode(["late " * 21 + "card"])[0])


def test_description(base: Path) -> None:
    encoder = OnnxEncoder(base)
    assert encoder.name == "tiny/fp32/mean/24"
    assert encoder.dimension == tiny_bert.HIDDEN
    names = ("encoder-fp32.onnx", "tokenizer.json", "model.safetensors")
    assert encoder.size_bytes == sum((base / name).stat().st_size for name in names)


def test_wrong_settings(base: Path) -> None:
    with pytest.raises(InputError, match="fp8"):
        OnnxEncoder(base, "fp8")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="0 threads"):
        OnnxEncoder(base, threads=0)


def test_no_base(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"base\.json"):
        OnnxEncoder(tmp_path)
    (tmp_path / "base.json").write_text('{"format": "metier-base/2"}')
    with pytest.raises(CorruptError, match="metier-base/2"):
        read_base(tmp_path)
    (tmp_path / "base.json").write_text("[]")
    with pytest.raises(CorruptError):
        read_base(tmp_path)


def test_a_missing_or_broken_graph_says_which(tmp_path: Path) -> None:
    source = tiny_bert.make_folder(tmp_path / "up")
    files = prepare_base(source, tmp_path / "out")
    files.graphs["fp32"].write_bytes(b"not a graph")
    with pytest.raises(CorruptError, match=r"encoder-fp32\.onnx"):
        OnnxEncoder(files.folder)
    files.graphs["fp32"].unlink()
    with pytest.raises(NotFoundError, match=r"encoder-fp32\.onnx"):
        OnnxEncoder(files.folder)


class CountingEncoder:
    """A real encoder that writes down what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.inside = OnnxEncoder(folder)
        self.asked: list[str] = []
        self.name, self.digest = self.inside.name, self.inside.digest
        self.dimension, self.size_bytes = self.inside.dimension, self.inside.size_bytes

    def encode(self, texts: list[str]) -> np.ndarray:
        self.asked += texts
        return self.inside.encode(texts)


@given(st.lists(st.integers(1, 50), max_size=80), st.integers(1, 120), st.integers(0, 20))
def test_runs_hold_each_text_once_within_budget_and_padding(
    lengths: list[int], budget: int, padding: int
) -> None:
    runs = plan_runs(lengths, budget=budget, padding=padding)
    assert sorted(row for run in runs for row in run) == list(range(len(lengths)))
    longest = [max(lengths[row] for row in run) for run in runs]
    assert longest == sorted(longest, reverse=True)
    for run, length in zip(runs, longest, strict=True):
        assert len(run) == 1 or len(run) * length <= budget
        assert sum(length - lengths[row] for row in run) <= padding


@pytest.fixture(scope="module")
def default_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        source = find_packaged_default()
    except NotFoundError:
        pytest.skip("the default encoder is not installed")
    return prepare_base(source, tmp_path_factory.mktemp("default")).folder


@pytest.mark.slow
def test_the_default_encoder_gives_its_authors_vectors(default_base: Path) -> None:
    texts = json.loads((FIXTURES / "minilm_reference.json").read_text())["texts"]
    reference = np.load(FIXTURES / "minilm_reference.npy")
    exact = OnnxEncoder(default_base).encode(texts)
    np.testing.assert_allclose(exact, reference, atol=1e-4)
    cosines = (OnnxEncoder(default_base, "int8").encode(texts) * reference).sum(axis=1)
    assert cosines.min() > 0.99
    assert np.median(cosines) > 0.998


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_the_default_encoder_ignores_company(default_base: Path, precision: Precision) -> None:
    encoder = OnnxEncoder(default_base, precision)
    lines = SENTENCES.read_text(encoding="utf-8").splitlines()
    alone = np.concatenate([encoder.encode([line]) for line in lines])
    together = encoder.encode(lines * 2)[: len(lines)]
    assert (alone * together).sum(axis=1).min() > 1 - 1e-5
