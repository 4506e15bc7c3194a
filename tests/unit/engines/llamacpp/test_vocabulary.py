"""The vocabulary is that of the file, and equals the tokenizer that made it."""

from __future__ import annotations

from pathlib import Path

import pytest

import tiny_source
from metier.engines.llamacpp import vocabulary
from metier.engines.llamacpp.vocabulary import Vocabulary
from metier.errors import UnavailableError


@pytest.fixture(scope="module")
def known(base: Path) -> Vocabulary:
    return Vocabulary(base)


@pytest.mark.parametrize(
    "text", ["The quick brown fox", "é😀 \n\t x", "<|im_start|>user", "", "a" * 5000]
)
def test_tokens_are_those_of_the_tokenizer(known: Vocabulary, text: str) -> None:
    expected = tiny_source.tokenizer("qwen2", 512).encode(text, add_special_tokens=False).ids
    assert known.tokens(text) == expected


def test_what_the_header_says(known: Vocabulary) -> None:
    assert known.value("general.architecture") == "qwen2"
    assert known.value("general.nothing") is None
    assert (known.size, known.adds_bos, known.bos_text) == (512, False, "<|endoftext|>")
    assert known.template == tiny_source.TEMPLATE
    assert [known.text(token) for token in known.gap_keys.values()] == [
        "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>",
    ]  # fmt: skip
    assert known.text(None) == ""


def test_a_lone_surrogate_is_a_replacement(known: Vocabulary) -> None:
    assert known.tokens("\ud800") == known.tokens("?")


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    broken = tmp_path / "no.gguf"
    broken.write_bytes(b"GGUF")
    with pytest.raises(UnavailableError) as caught:
        Vocabulary(broken)
    assert caught.value.code == "engine_failed"


def test_a_library_with_another_layout_is_refused(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "_FLAGS", bytes([1, 1, 1, 1, 1]))
    with pytest.raises(UnavailableError) as caught:
        Vocabulary(base)
    assert "another way" in caught.value.message
