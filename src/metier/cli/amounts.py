"""Sizes, tokens and days as people type them: ``500MB``, ``32k``, ``2026-01-31``.

It reads words and says what is wrong with them; what the numbers are for it does not know.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import click

_AMOUNT = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s?([kmgt]?)(i?)(b?)", re.IGNORECASE)


class Size(click.ParamType[int]):
    """``500MB``, ``1.5 GB``, ``2GiB`` or bytes, as bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes; a bad value is the user's input error."""
        if isinstance(value, int):
            return value
        found = _AMOUNT.fullmatch(value.strip())
        if found is None:
            self.fail(f"{value[:40]!r} is not a size: write 500MB, 1.5GB or 2GiB.", param, ctx)
        return _amount(found, 1024 if found[3] else 1000)


class Tokens(click.ParamType[int]):
    """``32k``, ``128k`` or a number of tokens."""

    name = "tokens"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Tokens; a bad value is the user's input error."""
        if isinstance(value, int):
            return value
        found = _AMOUNT.fullmatch(value.strip())
        if found is None or found[3] or found[4] or found[2].lower() not in ("", "k", "m"):
            self.fail(f"{value[:40]!r} is not a number of tokens: write 32k.", param, ctx)
        return _amount(found, 1000)


class Day(click.ParamType[str]):
    """A day as ``2026-01-31``; a year or a month is its first day."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The ISO date; a bad value is the user's input error."""
        text = str(value).strip()
        try:
            return date.fromisoformat(text + "-01-01"[3 * text.count("-") :]).isoformat()
        except ValueError:
            self.fail(f"{text[:40]!r} is not a day: write 2026-01-31, 2026-01 or 2026.", param, ctx)


def _amount(found: re.Match[str], step: int) -> int:
    unit = found[2].lower()
    power = " kmgt".index(unit) if unit else 0
    return int(float(found[1]) * float(step**power))
