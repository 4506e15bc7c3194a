"""What the façade's methods give back and take by name: values and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Required, TypedDict

from metier.fleet import Fleet
from metier.messages import Report


@dataclass(frozen=True, slots=True)
class InstalledPart:
    """One file of what is installed: path inside it, digest, bytes, and where it lies."""

    filepath: str
    digest: str
    size: int
    path: Path


class How(TypedDict, total=False):
    """How ``Metier.make`` works: who hears of it, who stops it, and where data may come from."""

    report: Report
    cancelled: Callable[[], bool]
    confined: bool


class Asked(TypedDict, total=False):
    """What ``Metier.recipe_for`` is asked beside rows and columns; see ``making.asking``."""

    name: Required[str]
    domain: str
    eval_file: Path | None
    budget: float | None
    seed: int
    drop_leaks: bool
    curve: bool


def parts_of(fleet: Fleet, name: str) -> Sequence[InstalledPart]:
    """The files of a specialist or a base, by path; raises NotFoundError."""
    return [
        InstalledPart(
            part.filepath,
            str(part.digest),
            part.size_bytes,
            fleet.part_path(name, part.filepath),
        )
        for part in fleet.parts(name)
    ]
