"""Prices: the user's own table, and what is no price."""

from __future__ import annotations

import pytest

from metier.errors import InputError
from metier.prices import price_of


def table(tmp_path, text: str):
    path = tmp_path / "prices.toml"
    path.write_bytes(text.encode("utf-8"))
    return path


def test_prices_are_per_model(tmp_path) -> None:
    path = table(tmp_path, '["gpt-4.1"]\nin = 2\nout = 8.5\n[small]\nin = 0\n')
    assert price_of(path, "gpt-4.1") == (2.0, 8.5)
    assert price_of(path, "small") == (0.0, None)
    assert price_of(path, "other") == (None, None)


def test_without_a_table_no_price_is_known(tmp_path) -> None:
    assert price_of(tmp_path / "prices.toml", "x") == (None, None)
    assert price_of(tmp_path, "x") == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "[x\n",
        '[x]\nin = "1"\n',
        "[x]\nin = true\n",
        "[x]\nin = -0.1\n",
        "[x]\nin = nan\n",
        "[x]\nin = inf\n",
        "[x]\nout = [1]\n",
        'x = "free"\n',
    ],
)
def test_what_is_no_price_is_refused(tmp_path, text) -> None:
    path = table(tmp_path, text)
    with pytest.raises(InputError) as caught:
        price_of(path, "x")
    assert caught.value.code == "bad_prices"
    assert str(path) in caught.value.message


def test_bytes_that_are_no_text_are_refused(tmp_path) -> None:
    path = tmp_path / "prices.toml"
    path.write_bytes(b"\xff\xfe[x]")
    with pytest.raises(InputError):
        price_of(path, "x")
