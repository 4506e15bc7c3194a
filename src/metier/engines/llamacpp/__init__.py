"""The engine llama.cpp: one base in one sandboxed process, adapters switched for each request.

One side opens the process and talks to it; the modules that run inside know xllamacpp. None of
them knows a name of a model, a dialect of a server or who is in memory. Importing this package
loads neither side: the program inside has no use for ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metier.engines.llamacpp.client import LocalWorker
    from metier.engines.llamacpp.opening import open_worker

__all__ = ["LocalWorker", "open_worker"]


def __getattr__(name: str) -> Any:
    """Load our side when it is first used."""
    if name == "open_worker":
        from metier.engines.llamacpp.opening import open_worker

        return open_worker
    if name == "LocalWorker":
        from metier.engines.llamacpp.client import LocalWorker

        return LocalWorker
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
