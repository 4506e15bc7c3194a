"""A home folder with a tiny base and specialists made on it: the real maker, made-up rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import made_up
import tiny_bert
from metier.assembly import Metier
from metier.recipe import BasePart, Recipe
from metier.settings import Settings

BASE = "tiny"
"""The tiny encoder's name; the default base's name is kept for its own files."""


def settings(home: Path, **values: str) -> Settings:
    """Settings that read nothing from the machine."""
    return Settings.read({"METIER_HOME": str(home), "HOME": str(home), **values})


def opened(home: Path, *, base: bool = True, **values: str) -> Metier:
    """A ``Metier`` over a new home, with the tiny base if wanted."""
    metier = Metier.open(settings(home, **values))
    if base:
        upstream = tiny_bert.make_folder(home / "upstream")
        metier.install_base(upstream, name=BASE)
    return metier


def recipe(metier: Metier, data: Path, **choices: Any) -> Recipe:
    """The recipe that a person would get, on the tiny base."""
    asked = metier.recipe_for(data, **choices)
    return asked.model_copy(update={"base": BasePart(ref=BASE)})


def tickets(folder: Path, *, train: int = 40, held_out: int = 15, outside: int = 0) -> Path:
    """Rows with a given split: training rows and other, sealed ones."""
    content = [{**row, "split": "train"} for row in made_up.rows(train)]
    content += [{**row, "split": "test"} for row in made_up.rows(held_out, seed=77)]
    content += [{**row, "split": "train"} for row in made_up.outside(outside)]
    content += [{**row, "split": "test"} for row in made_up.outside(outside // 2, seed=5)]
    folder.mkdir(parents=True, exist_ok=True)
    return made_up.write(folder / "tickets.jsonl", content)
