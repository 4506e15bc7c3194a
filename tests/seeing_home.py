"""A home folder with a classifier of pictures over a tiny vision encoder: the real maker.

Beside it, if wanted, a general model on the loopback that sees: it reads the pixels it is sent.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import tiny_vision
import workshop
from metier.assembly import Metier
from metier.card import Card
from metier.recipe import Recipe

EYE = "tiny-eye"
NAME = "colours"
MODEL = "big-eyes"
PRICES = f'["{MODEL}"]\nin = 2.0\nout = 8.0\n'


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


def seen_by(folder: Path, url: str, *, sees: str = "1") -> tuple[Metier, Path]:
    """A ``Metier`` beside a general model at ``url``, and pictures to make something of."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    (home / "prices.toml").write_text(PRICES, "utf-8")
    data = folder / "pictures"
    if not data.exists():
        tiny_vision.labelled(data)
    values = {"URL": url, "MODEL": MODEL, "SEES": sees}
    named = {f"METIER_GENERAL_{name}": value for name, value in values.items()}
    return workshop.opened(home, base=False, **named), data


def half_blind(body: dict[str, Any]) -> tuple[int, str]:
    """A general model that sees red only; with examples it sees all."""
    colour = _shown(body["messages"][-1])
    return 200, colour if len(body["messages"]) > 2 or colour == "red" else "red"


def _shown(message: dict[str, Any]) -> str:
    """The colour of the picture in a message, from its pixels."""
    (part,) = message["content"]
    data = base64.b64decode(part["image_url"]["url"].partition(",")[2])
    middle = np.median(np.asarray(Image.open(io.BytesIO(data))).reshape(-1, 3), axis=0)
    return ("red", "green", "blue")[int(middle.argmax())]
