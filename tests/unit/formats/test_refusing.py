"""How a file is opened and refused: one sentence, one code for each format."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.errors import InputError, NotFoundError
from metier.formats.refusing import opened, refuse


def test_a_refusal_names_the_file_and_the_format(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"'a\.gguf' is not a valid gguf file: it lies\."
    ) as caught:
        refuse("gguf", tmp_path / "a.gguf", "it lies")
    assert caught.value.code == "bad_gguf"
    assert caught.value.remedy


def test_what_cannot_be_opened_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    with opened(tmp_path / "a") as file:
        assert file.read() == b"x"
    for path in (tmp_path, tmp_path / "b"):
        with pytest.raises(NotFoundError):
            opened(path)
