"""The workshop: what a tool is given to work with.

It knows that there are toolchains, a sandbox and a scratch folder; it makes none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from metier.toolchains import Toolchains


@dataclass(frozen=True, slots=True)
class Workshop:
    """What ``open_tool`` is given.

    Attributes:
        toolchains: Compilers and Node, which may be missing; a tool says so when it needs one.
        sandbox: Makes or finds the sandbox; called only to execute code, never to check it.
        scratch: A folder for files of a run; a tool makes and removes its own below it.
        pool_size: Sandboxed processes kept ready, for tools that keep some.
        versions: Toolchain to use by tool or part (``{"svelte": "svelte@4"}``); what is not named
            is the tool's own choice.
    """

    toolchains: Toolchains
    sandbox: Callable[[], Any]
    scratch: Path
    pool_size: int = 2
    versions: Mapping[str, str] = field(default_factory=dict)
