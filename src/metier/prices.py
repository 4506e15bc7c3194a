"""Prices of general models: a table that the user writes.

It reads one TOML file, ``prices.toml`` in the home folder: ``["model name"]`` with ``in`` and
``out``, money per million tokens. There is no built-in table, because such a table is soon wrong.
"""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

from metier.errors import InputError


def price_of(path: Path, model: str) -> tuple[float | None, float | None]:
    """Price per million prompt and answer tokens, ``None`` each where it is not known.

    Raises:
        InputError: The file cannot be read or is not valid TOML, or a price is not a number of 0
            or more (code ``bad_prices``).
    """
    if not path.is_file():
        return None, None
    try:
        entry = tomllib.loads(path.read_text("utf-8")).get(model)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}.", code="bad_prices") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", code="bad_prices") from error
    if entry is None:
        return None, None
    table = entry if isinstance(entry, dict) else {"in": entry}
    return _number(path, model, table.get("in")), _number(path, model, table.get("out"))


def _number(path: Path, model: str, price: object) -> float | None:
    if price is None:
        return None
    if isinstance(price, bool) or not isinstance(price, int | float) or not 0 <= price < math.inf:
        raise InputError(
            f"{path}: the price of {model!r} is {price!r}, which is not a price.",
            code="bad_prices",
            remedy=f'Write ["{model}"] with in = 0.15 and out = 0.60, per million tokens.',
        )
    return float(price)
