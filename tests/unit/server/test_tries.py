"""The protocol of a search by eval: that what is handed in fits it."""

from __future__ import annotations

import inspect

from metier.assembly.trying import Trial, Trying
from metier.server.tries import Tries


def test_the_search_takes_what_the_server_gives() -> None:
    wanted = inspect.signature(Tries.find_by_eval).parameters
    assert set(wanted) - {"self", "source"} == set(Trial.__annotations__)
    assert set(inspect.signature(Tries.field).parameters) <= set(
        inspect.signature(Trying.field).parameters
    )
