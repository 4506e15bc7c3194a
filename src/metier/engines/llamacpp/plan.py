"""What a worker is told when it starts: files, and how to load them.

It knows the plan's shape; it starts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from metier.generating import Task

LISTENER: Final = "engine.sock"
"""The name of the socket that the wrapped server insists on; nobody can call it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to load and how.

    Attributes:
        model: The base's first file.
        projector: The part that sees pictures, or "".
        adapters: Digest and file of each adapter, in the engine's order.
        task: What the worker does.
        context: Tokens of context for one request; 0 for what the model was trained for, at most
            4,096.
        parallel: Requests that are written at once.
        shared: Whether they share one context; else each has its own.
        threads: Threads.
        batch: Tokens processed at once.
        gpu_layers: Layers on a graphics processor; -1 for what fits.
        main_gpu: Which one.
        use_mmap: Whether weights are mapped.
        trial: Whether adapters are tried before anything is answered.
        traps: Names of the guards that are left out; for tests of the trial only.
    """

    model: str
    projector: str = ""
    adapters: tuple[tuple[str, str], ...] = ()
    task: Task = "generate"
    context: int = 0
    parallel: int = 4
    shared: bool = True
    threads: int = 1
    batch: int = 2048
    gpu_layers: int = -1
    main_gpu: int = 0
    use_mmap: bool = True
    trial: bool = True
    traps: tuple[str, ...] = field(default=())

    def plain(self, files: Sequence[str]) -> dict[str, Any]:
        """As JSON, every file by its place in ``files``: the sandbox has other names for them."""
        plain = asdict(self)
        plain["model"] = files.index(self.model)
        plain["projector"] = files.index(self.projector) if self.projector else None
        plain["adapters"] = [[digest, files.index(file)] for digest, file in self.adapters]
        return plain

    @classmethod
    def of(cls, plain: Mapping[str, Any], files: Sequence[str]) -> Plan:
        """From JSON, and the files as they are called here."""
        known = dict(plain)
        known["model"] = files[plain["model"]]
        known["projector"] = "" if plain["projector"] is None else files[plain["projector"]]
        known["adapters"] = tuple((digest, files[place]) for digest, place in plain["adapters"])
        known["traps"] = tuple(plain["traps"])
        return cls(**known)
