"""A home with one specialist to watch, labelled items that are new to it, and a general model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import made_up
import workshop
from metier.assembly import Metier
from metier.assembly.workbench import today

NAME = "tickets"
KIN = ["aunt", "brother", "cousin", "daughter", "nephew"]


def made(home: Path) -> Metier:
    """A home in which a linear specialist was made on made-up rows."""
    metier = workshop.opened(home)
    data = workshop.tickets(home / "data", train=20, held_out=15)
    recipe = workshop.recipe(metier, data, name=NAME, curve=False)
    ladder = recipe.ladder.model_copy(update={"rungs": ("linear",)})
    metier.make(recipe.model_copy(update={"ladder": ladder}), folder=home)
    return metier


def unlike(per_label: int, *, seed: int = 12) -> list[dict[str, str]]:
    """Rows that resemble no training row, since they say so much more."""
    return [
        {
            "text": f"good evening, {row['text']} says my {KIN[number % 5]} from the north",
            "label": row["label"],
            "date": today(),
        }
        for number, row in enumerate(made_up.rows(per_label, seed=seed, noise=0.0))
    ]


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    """The rows as JSON Lines."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def with_general(metier: Metier, url: str, model: str = "general-x") -> Metier:
    """The same home, with a general model configured."""
    return Metier.open(replace(metier.settings, general_url=url, general_model=model))


def knowing(rows: list[dict[str, str]]) -> Callable[[dict[str, object]], tuple[int, str]]:
    """A general model that knows these rows, and says ``delivery`` to all others."""
    truth = {row["text"]: row["label"] for row in rows}

    def reply(body: dict[str, object]) -> tuple[int, str]:
        messages: list[dict[str, str]] = body["messages"]  # type: ignore[assignment]
        return 200, truth.get(messages[-1]["content"], "delivery")

    return reply
