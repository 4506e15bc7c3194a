"""A home folder with a classifier of pictures over a tiny vision encoder: the real maker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tiny_vision
import workshop
from metier.assembly import Metier
from metier.card import Card
from metier.recipe import Recipe

EYE = "tiny-eye"
NAME = "colours"


def recipe(
    metier: Metier, data: Path, *, name: str = NAME, base: str | None = EYE, **more: Any
) -> Recipe:
    """The recipe that a person would get, without a curve."""
    asked = metier.recipe_for(data, name=name, curve=False, **more)
    return metier.picturing.recipe_for(asked, base=base)


def opened(home: Path, *, made: bool = True) -> Metier:
    """A ``Metier`` over a new home with the tiny encoder and, if wanted, ``colours``."""
    metier = workshop.opened(home, base=False)
    metier.import_path(tiny_vision.folder(home.parent / "eye"), name=EYE)
    if made:
        make(metier, tiny_vision.labelled(home.parent / "pictures"))
    return metier


def make(metier: Metier, data: Path, **choices: Any) -> Card:
    """Make a classifier of the pictures in ``data``."""
    return metier.make(recipe(metier, data, **choices), folder=data.parent)
