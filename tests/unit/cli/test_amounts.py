"""Sizes, tokens and days as people type them."""

from __future__ import annotations

import click
import pytest

from metier.cli.amounts import Day, Size, Tokens


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("500MB", 500_000_000), ("1.5GB", 1_500_000_000), ("2GiB", 2 << 30), ("7", 7),
        ("10 kb", 10_000), ("1t", 10**12),
    ],
)  # fmt: skip
def test_sizes(text: str, value: int) -> None:
    assert Size().convert(text, None, None) == value


@pytest.mark.parametrize(("text", "value"), [("32k", 32_000), ("128K", 128_000), ("4096", 4096)])
def test_tokens(text: str, value: int) -> None:
    assert Tokens().convert(text, None, None) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("2026-01-31", "2026-01-31"), ("2026-03", "2026-03-01"), ("2026", "2026-01-01")],
)
def test_days(text: str, value: str) -> None:
    assert Day().convert(text, None, None) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Size(), "big"), (Size(), "-5MB"), (Size(), "1e9"), (Tokens(), "32kb"), (Tokens(), "1g"),
        (Day(), "yesterday"), (Day(), "2026-13"), (Day(), "2026-02-30"), (Day(), ""),
    ],
)  # fmt: skip
def test_what_is_none_of_them_is_the_users_error(kind: click.ParamType, text: str) -> None:
    with pytest.raises(click.BadParameter):
        kind.convert(text, None, None)
