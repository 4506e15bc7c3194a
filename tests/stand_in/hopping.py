"""Hops of every task, told how they end; they keep what they were asked for in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from metier.assembly.versions import Version
from metier.errors import NotFoundError
from metier.hop import Challenger, Done, Hopped, Offer, Promotion, Ruling
from metier.messages import Progress, Report

OLD, NEW = "sha256:" + "aa" * 32, "sha256:" + "bb" * 32
HOSTILE = "<script>alert(1)</script>"


class Hops:
    """Satisfies ``metier.server.hops.Hops``."""

    def __init__(self, show: Callable[[str], object]) -> None:
        self._show = show
        self.asked: list[dict[str, Any]] = []
        self.rolled: list[tuple[str, str | None]] = []
        self.done: list[Done] = []
        self.aside: list[dict[str, Any]] = []
        self.previous: dict[str, Any] | None = None
        self.promotes = True

    def hop(
        self,
        name: str,
        *,
        bases: Sequence[str] = (),
        every_new: bool = False,
        fresh: Path | None = None,
        budget: float | None = None,
        report: Report,
        cancelled: Callable[[], bool],
    ) -> Hopped:
        del cancelled
        rows = fresh.read_text("utf-8") if fresh is not None else ""
        self.asked.append(
            {"name": name, "bases": list(bases), "every": every_new, "budget": budget, "rows": rows}
        )
        report(Progress("rung", "Trying.", 0.5, 2.0))
        made = Challenger(bases[0] if bases else "new", system=NEW)
        act, ground = ("hop", "win") if self.promotes else ("kept", "loss")
        ruling = Ruling(made, act, ground, "new: because")  # type: ignore[arg-type]
        promotion = Promotion(made if self.promotes else None, (ruling,), 1)
        return Hopped(name, OLD, "old", promotion, 1.0, 1.0)

    def rollback(self, name: str, *, to: str | None = None) -> Done:
        self._show(name)
        if self.previous is None and to is None:
            raise NotFoundError("There is nothing to go back to.", remedy="metier hop NAME")
        self.rolled.append((name, to))
        return Done("rollback", "2026-11-23T10:00:00Z", OLD, NEW, "It is back.")

    def document(self, name: str) -> Mapping[str, Any]:
        self._show(name)
        return {
            "name": name,
            "champion": name,
            "side": "",
            "base": "all-minilm-l6-v2@static",
            "previous": self.previous,
            "aside": self.aside,
            "history": [one.to_dict() for one in self.done],
            "bases": [
                Offer("small", here=True, note="installed", command="metier hop x").to_dict(),
                Offer(HOSTILE, here=False, note="9 MB", command="metier pull y").to_dict(),
            ],
        }


def ended(name: str, key: str, report: Report) -> Hopped:
    """A hop that promoted."""
    report(Progress("eval", "Asking.", 0.5, 2.0))
    made = Challenger(key, system=NEW)
    ruling = Ruling(made, "hop", "win", f"{key}: because")
    return Hopped(name, OLD, "old", Promotion(made, (ruling,), 1), 1.0, 1.0)


class Moves:
    """Satisfies ``metier.server.hops.Moves``."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def versions(self) -> Mapping[str, Any]:
        return {"kit@2": None, "kit@3": None, "svelte@5": None}

    def offers(self, name: str) -> Sequence[Version]:
        command = f"metier hop {name} --docs"
        return (
            Version("kit@2", "kit@2", held=True, command=f"{command} kit@2"),
            Version("kit@3", "kit@2", held=False, command=f"{command} kit@3"),
        )

    def hop(self, name: str, docs: str, *, report: Report, cancelled: Callable[[], bool]) -> Hopped:
        del cancelled
        self.asked.append((name, docs))
        return ended(name, docs, report)


class Rebases:
    """Satisfies ``metier.server.hops.Rebases``."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.own: str | None = None

    def base(self, name: str) -> str | None:
        del name
        return self.own

    def evals(self, name: str) -> Sequence[str]:
        del name
        return ("svelte", "python")

    def hop(
        self,
        name: str,
        bases: Sequence[str],
        *,
        on: str | None = None,
        budget: float | None = None,
        report: Report,
        cancelled: Callable[[], bool],
    ) -> Hopped:
        del cancelled
        self.asked.append({"name": name, "bases": list(bases), "on": on, "budget": budget})
        return ended(name, bases[0], report)


def put_aside(name: str, side: str) -> dict[str, Any]:
    """What a hop put aside, as a page is told of it."""
    return {
        "name": f"{name}@{side}",
        "side": side,
        "system": OLD,
        "base": "small",
        "rung": HOSTILE,
        "accuracy": 0.784,
        "since": "2026-11-23T10:00:00Z",
    }
