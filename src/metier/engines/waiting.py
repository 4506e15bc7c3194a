"""How long to wait before a service is asked again.

It knows the headers by which a service asks for time, and doubling; it waits for nothing itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def asked_wait(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds that ``retry-after-ms`` or ``Retry-After`` (seconds or a date) asks for.

    ``None`` if there is no such header or it says nothing usable (RFC 9110, 10.2.3).
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000.0
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None or not text:
        return seconds
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())


def backoff(tried: int, longest: float, chance: float) -> float:
    """Seconds after so many calls: doubling from one second, half of it left to chance.

    Args:
        tried: Calls so far, from 1.
        longest: Upper limit.
        chance: From 0 to 1, so that many callers do not come back together.
    """
    return float(min(longest, 2.0 ** (tried - 1) * (0.5 + chance / 2.0)))


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0.0 else None
