"""How long to wait: what services ask for, and doubling."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from metier.engines.waiting import asked_wait, backoff

NOW = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Mon, 23 Nov 2026 09:00:30 GMT"}, 30.0),
        ({"retry-after": "Mon, 23 Nov 2026 08:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
    ],
)
def test_what_services_ask_for(headers, seconds) -> None:
    assert asked_wait(headers, now=NOW) == seconds


def test_waits_double_up_to_a_limit() -> None:
    assert [backoff(tried, 30.0, 1.0) for tried in (1, 2, 3, 9)] == [1.0, 2.0, 4.0, 30.0]
    assert backoff(3, 30.0, 0.0) == 2.0
