"""Static vectors are means of table rows, fast, and never fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

import tiny_bert
from metier.conversion.preparation import prepare_base
from metier.engines.static import StaticEncoder
from metier.errors import CorruptError, NotFoundError


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    return prepare_base(tiny_bert.make_folder(folder / "up"), folder / "out", name="tiny").folder


def test_company_and_order_change_nothing(base: Path) -> None:
    encoder = StaticEncoder(base)
    texts = [text for text in tiny_bert.TEXTS if text]
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    np.testing.assert_array_equal(encoder.encode(texts), alone)
    np.testing.assert_allclose(np.linalg.norm(alone, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(
        encoder.encode(["late card my"]), encoder.encode(["my card late"]), atol=1e-6
    )


def test_a_vector_is_the_mean_and_the_maximum_of_its_rows(base: Path) -> None:
    parts = load_file(base / "static.safetensors")
    rows = parts["table"] * parts["scales"][:, None]
    picked = rows[[tiny_bert.VOCABULARY.index(word) for word in ("my", "card", "my")]]
    halves = [picked.mean(axis=0), picked.max(axis=0)]
    expected = np.concatenate([half / np.linalg.norm(half) for half in halves]) / np.sqrt(2)
    np.testing.assert_allclose(StaticEncoder(base).encode(["my card my"])[0], expected, atol=1e-6)


def test_a_text_without_a_token_is_zero(base: Path) -> None:
    vectors = StaticEncoder(base).encode(["", "card", "\x00"])
    assert not vectors[0].any()
    assert vectors[1].any()
    assert not vectors[2].any()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(), max_size=60), max_size=6))
def test_every_string_has_a_vector(base: Path, texts: list[str]) -> None:
    vectors = StaticEncoder(base).encode(texts)
    assert vectors.shape == (len(texts), StaticEncoder(base).dimension)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()


def test_description(base: Path) -> None:
    encoder = StaticEncoder(base)
    assert encoder.name.startswith("tiny/static")
    assert encoder.digest.startswith("sha256:")
    names = ("static.safetensors", "tokenizer.json")
    assert encoder.size_bytes == sum((base / name).stat().st_size for name in names)


def test_a_broken_table_says_so(tmp_path: Path) -> None:
    files = prepare_base(tiny_bert.make_folder(tmp_path / "up"), tmp_path / "out")
    files.static.write_bytes(b"x" * 100)
    with pytest.raises(CorruptError, match=r"static\.safetensors"):
        StaticEncoder(files.folder)
    files.static.unlink()
    with pytest.raises(NotFoundError, match=r"static\.safetensors"):
        StaticEncoder(files.folder)
