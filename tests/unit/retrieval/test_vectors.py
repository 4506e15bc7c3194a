from __future__ import annotations

import numpy as np
import pytest

from letters import Letters
from metier.retrieval.vectors import (
    CODE_CHARACTERS,
    MAX_WINDOWS,
    WINDOW,
    build_vectors,
    read_vectors,
    vector_parts,
    windows,
)


def test_windows_carry_the_trail_and_no_address() -> None:
    texts = windows(("Page", "Part"), "See [this](https://a.example/secret). " * 60)
    assert 1 < len(texts) <= MAX_WINDOWS
    assert all(text.startswith("Page > Part\n") for text in texts)
    assert not any("secret" in text for text in texts)
    assert max(len(text) for text in texts) <= WINDOW + len("Page > Part\n") + 2


def test_of_code_only_the_beginning_is_embedded() -> None:
    (text,) = windows(("Page",), "Like so:\n\n```js\n" + "x" * 400 + "\n```\n\nAfterwards.")
    assert text.count("x") == CODE_CHARACTERS
    assert "Afterwards." in text


@pytest.mark.parametrize("text", ["", " \n ", "```js\n```"])
def test_a_chunk_without_words_is_its_trail(text: str) -> None:
    assert windows(("Page", "Part"), text) == ["Page > Part"]


def test_one_endless_word_ends() -> None:
    assert len(windows(("Page",), "x" * 100_000)) == MAX_WINDOWS


def test_the_best_window_counts() -> None:
    shares: list[float] = []
    chunks = [(("a",), "a" * 600 + ". " + "b" * 600), (("c",), "c")]
    vectors = build_vectors(chunks, Letters(), shares.append)
    assert vectors.starts.tolist() == [0, 2]
    assert shares[-1] == 1.0
    ranked = vectors.search(Letters().encode(["b"])[0])
    assert ranked[0] > 0.99
    assert ranked[1] == 0


def test_the_file_is_the_vectors_again() -> None:
    vectors = build_vectors([(("a",), "b"), (("c",), "d")], Letters(), lambda share: None)
    parts = vector_parts(vectors)
    again = read_vectors(parts.__getitem__, count=2, dimension=26)
    assert np.array_equal(again.matrix.astype(np.float16), vectors.matrix)
    with pytest.raises(ValueError, match="do not fit"):
        read_vectors(parts.__getitem__, count=3, dimension=26)
    with pytest.raises(ValueError, match="do not fit"):
        read_vectors(parts.__getitem__, count=2, dimension=384)
    with pytest.raises(ValueError, match="cannot be read"):
        read_vectors(lambda path: b"no arrays", count=2, dimension=26)
