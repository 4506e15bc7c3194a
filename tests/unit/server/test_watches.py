"""The protocol of the watch: that what is handed in fits it."""

from __future__ import annotations

import inspect

from metier.assembly.watching import Watching
from metier.server.watches import Watches


def test_the_watch_takes_what_the_server_gives() -> None:
    asked = [name for name in vars(Watches) if not name.startswith("_")]
    assert len(asked) == 7
    for name in asked:
        wanted = inspect.signature(getattr(Watches, name)).parameters
        given = inspect.signature(getattr(Watching, name)).parameters
        assert list(wanted) == list(given), name
