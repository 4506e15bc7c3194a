"""A chat specialist bound to a base: what of a table is evidence about the specialist itself.

A table measures bases with parts. Where an entry holds every part that the specialist has, it *is*
the specialist on that base, and is held against three rivals: the base alone, the base with the
documents and nothing else, and the general model where it was asked. Recorded answers never are
evidence. It knows tables and plain values; it opens no ledger and installs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from metier.card import Evidence
from metier.errors import InputError
from metier.evals.comparing import Role, compare
from metier.evals.findings import cost_of
from metier.evals.tables import FORMAT, Entry, Table

DOCUMENTS = "docs"


@dataclass(frozen=True, slots=True)
class Bound:
    """What a chat specialist is, whatever its base.

    Attributes:
        name: What people call it.
        system: Digest of its prompt, its settings and its packs; the base is told apart by its
            own identity.
        parts: Every part that it has, of ``docs`` and ``tools``; its prompt it always has.
        bases: Name of a base in a table to the digest that says which one it is on any day.
        general: Name of the general model in a table, or "".
    """

    name: str
    system: str
    parts: frozenset[str]
    bases: Mapping[str, str] = field(default_factory=dict)
    general: str = ""

    def is_whole(self, entry: Entry) -> bool:
        """Whether an entry is the specialist itself, and not only some of its parts."""
        return bool(self.parts) and frozenset(entry.parts) - {"prompt"} == self.parts


@dataclass(frozen=True, slots=True)
class Bench:
    """On what a result of a table was measured.

    Attributes:
        base: Identity of the base, or "".
        toolchain: Name to digest of what judged.
    """

    base: str
    toolchain: Mapping[str, str]


def evidence_of(table: Table, bound: Bound) -> list[Evidence]:
    """The specialist on each base against its rivals, of what was measured and not recorded.

    Outcomes are paired by item and clustered as the tasks are.
    """
    found: list[Evidence] = []
    for entry in table.entries:
        if not bound.is_whole(entry) or entry.recorded:
            continue
        for rival, role in _rivals(table, entry, bound):
            try:
                one = compare(
                    entry.result,
                    rival.result,
                    against=role,
                    command=table.command,
                    date=table.date,
                    costs=(cost_of(entry), cost_of(rival)),
                )
            except InputError as error:
                if error.code != "nothing_to_compare":
                    raise
                continue
            named = {"system": bound.system, "system_name": f"{bound.name} on {entry.base}"}
            found.append(one.model_copy(update=named))
    return found


def benches(bodies: Iterable[Mapping[str, Any]]) -> dict[str, Bench]:
    """Digest of a result to what it was measured on, from the bodies of ``result`` rows.

    Rows of older versions, and rows that hold no table, say nothing.
    """
    found: dict[str, Bench] = {}
    for body in bodies:
        proved = body.get("proved")
        if body.get("format") != FORMAT or not isinstance(proved, Mapping):
            continue
        toolchain = {str(name): str(value) for name, value in body["toolchain"].items()}
        for result, base in proved.items():
            found[str(result)] = Bench(str(base), toolchain)
    return found


def proved_on(table: Table, bound: Bound) -> dict[str, str]:
    """Digest of each result of the whole specialist to the identity of its base."""
    return {
        entry.result.digest: bound.bases[entry.base]
        for entry in table.entries
        if bound.is_whole(entry) and not entry.recorded and entry.base in bound.bases
    }


def _rivals(table: Table, entry: Entry, bound: Bound) -> list[tuple[Entry, Role]]:
    """The base alone, the base with documents, the general model; those that were asked."""
    wanted: list[tuple[str, tuple[str, ...], Role]] = [(entry.base, (), "base")]
    if DOCUMENTS in bound.parts and bound.parts != {DOCUMENTS}:
        wanted.append((entry.base, (DOCUMENTS,), "other"))
    if bound.general:
        wanted.append((bound.general, (), "general"))
    return [
        (rival, role)
        for base, parts, role in wanted
        for rival in table.entries
        if (rival.base, rival.parts) == (base, parts) and not rival.recorded
    ]
