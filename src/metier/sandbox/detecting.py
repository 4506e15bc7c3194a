"""Which sandbox this machine has: found by running something in it, once for each process.

It knows the kinds, their order and the remedies; it refuses to go on without one.
"""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable
from dataclasses import dataclass

from metier.errors import InputError, MetierError, UnavailableError
from metier.sandbox.bubblewrap import open_bubblewrap
from metier.sandbox.confining import Sandbox
from metier.sandbox.landlock import open_landlock
from metier.sandbox.values import Kind, Limits

_KINDS: dict[Kind, Callable[[], Sandbox]] = {
    "bubblewrap": open_bubblewrap,
    "landlock": open_landlock,
}
_TRIAL = Limits(seconds=10.0, cpu_seconds=5, memory_mb=256, processes=8)


@dataclass(frozen=True, slots=True)
class State:
    """Whether a kind of sandbox works here.

    Attributes:
        kind: ``bubblewrap`` or ``landlock``.
        works: Whether a trial run came back as it should.
        why_not: A sentence, empty if it works.
        contains: What it contains.
        does_not_contain: What it does not contain.
    """

    kind: Kind
    works: bool
    why_not: str
    contains: tuple[str, ...] = ()
    does_not_contain: tuple[str, ...] = ()


_lock = threading.Lock()
_found: dict[Kind, Sandbox | MetierError] = {}


def detect(*, only: str | None = None) -> Sandbox:
    """The best sandbox that works here.

    Args:
        only: A kind, if no other will do.

    Raises:
        UnavailableError: ``no_sandbox``: none works; untrusted code is then not run at all.
        InputError: ``bad_sandbox_kind``: ``only`` is no kind.
    """
    if only is not None and only not in _KINDS:
        raise InputError(
            f"{only!r} is no kind of sandbox.",
            code="bad_sandbox_kind",
            remedy=f"Use one of: {', '.join(_KINDS)}.",
        )
    reasons = []
    for kind in _KINDS:
        if only in (None, kind):
            found = _try(kind)
            if isinstance(found, Sandbox):
                return found
            reasons.append(f"{kind}: {found.message}")
    raise UnavailableError(
        "No sandbox works here, so code that nobody has read is not run. " + " ".join(reasons),
        code="no_sandbox",
        remedy=remedy(platform.system()),
        details={"reasons": reasons},
    )


def describe() -> tuple[State, ...]:
    """Every kind: whether it works here, why not, what it contains and what not."""
    states = []
    for kind in _KINDS:
        found = _try(kind)
        if isinstance(found, Sandbox):
            states.append(State(kind, True, "", found.contains, found.does_not_contain))
        else:
            states.append(State(kind, False, found.message))
    return tuple(states)


def remedy(system: str) -> str:
    """What to do on a system (as ``platform.system`` says it) that has no sandbox."""
    if system == "Linux":
        return (
            "Install bubblewrap (apt install bubblewrap, dnf install bubblewrap) and allow user"
            " namespaces, or use a kernel with Landlock (5.13 or later)."
        )
    if system == "Windows":
        return "Use Metier inside WSL 2 and install bubblewrap there: apt install bubblewrap."
    return "Run Metier in a Linux virtual machine; checking without running works here."


def _try(kind: Kind) -> Sandbox | MetierError:
    with _lock:
        if kind not in _found:
            try:
                _found[kind] = _tried(_KINDS[kind]())
            except MetierError as failure:
                _found[kind] = failure
        return _found[kind]


def _tried(sandbox: Sandbox) -> Sandbox:
    """The sandbox, if something really runs in it.

    Raises:
        UnavailableError: ``no_sandbox`` with what the system said.
    """
    finished = sandbox.run(["sh", "-c", "echo in; exit 7"], limits=_TRIAL)
    if (finished.status, finished.stdout) == (7, b"in\n"):
        return sandbox
    said = finished.stderr.decode("utf-8", "replace").strip().splitlines()
    raise UnavailableError(
        f"A trial run ended with status {finished.status}: {said[-1] if said else 'no message'}.",
        code="no_sandbox",
    )
