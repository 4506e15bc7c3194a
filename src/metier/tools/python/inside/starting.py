"""Starts one side of a judgement: the program of a sandboxed process.

It is told the side and the packages that this process may import besides the standard library, each
by its own path: a sandbox that cannot mount shows a package without the folder that it lies in.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Sequence
from typing import Any


class Shelf(importlib.abc.MetaPathFinder):
    """Finds packages and modules by name, each at its own path."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = {path.rpartition("/")[2].removesuffix(".py"): path for path in paths}

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        """The specification of a package that stands here; what lies in it is found as ever."""
        del path, target
        place = self._paths.get(name)
        if place is None:
            return None
        if place.endswith(".py"):
            return importlib.util.spec_from_file_location(name, place)
        return importlib.util.spec_from_file_location(
            name, f"{place}/__init__.py", submodule_search_locations=[place]
        )


def main(side: str, paths: Sequence[str]) -> None:
    """Run a side: ``answer``, ``tests`` or ``pytest``."""
    sys.meta_path.insert(0, Shelf(paths))
    if side == "answer":
        importlib.import_module("inside.answering").main()
    else:
        importlib.import_module("inside.testing").main(pytest=side == "pytest")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
