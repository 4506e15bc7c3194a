"""Asking: a file of examples as a recipe, for people who have not written one.

It knows the defaults that a person gets without saying anything; it opens no file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from metier.errors import InputError
from metier.recipe import (
    GENERAL,
    PICTURE_RUNGS,
    PICTURES,
    DataPart,
    LadderPart,
    Recipe,
    SpecialistPart,
    SplitPart,
    checked_domain,
)


@dataclass(frozen=True, slots=True)
class Columns:
    """Column names where they are not to be recognised.

    Attributes:
        text: Of the texts.
        label: Of the labels.
        group: Of the groups: rows of one group never straddle a split.
    """

    text: str | None = None
    label: str | None = None
    group: str | None = None


def recipe_for(  # noqa: PLR0913  one argument per flag of 'metier make'
    data: Path,
    *,
    name: str,
    domain: str = GENERAL,
    eval_file: Path | None = None,
    columns: Columns = Columns(),
    budget: float | None = None,
    seed: int = 0,
    drop_leaks: bool = False,
    curve: bool = True,
) -> Recipe:
    """A recipe for a file of examples.

    Args:
        data: Labelled rows: a file or a folder; its rows' own split is kept.
        name: What to call the specialist.
        domain: What it is for, in a word or two.
        eval_file: Sealed rows in a file of their own.
        columns: Named columns.
        budget: Wall seconds for everything.
        seed: Of every choice that chance makes.
        drop_leaks: Take leaked rows out of the training rows.
        curve: Whether to draw the label-efficiency curve.

    Raises:
        InputError: A name, domain, budget or seed that no recipe can hold.
    """
    parts = [_part(data, "train" if eval_file else "both")]
    if eval_file is not None:
        parts.append(_part(eval_file, "eval"))
    try:
        ladder = LadderPart(budget_seconds=budget, seed=seed, curve=curve)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"{first['loc'][0]} {first['input']!r} is not possible: {first['msg']}.",
            code="bad_recipe",
            remedy="A budget is a number of seconds above 0; a seed is a whole number from 0.",
        ) from error
    return Recipe(
        specialist=SpecialistPart(name=name, domain=checked_domain(domain)),
        data=tuple(parts),
        split=SplitPart(
            text=columns.text, label=columns.label, group=columns.group, drop_leaks=drop_leaks
        ),
        ladder=ladder,
    )


def _part(path: Path, role: str) -> DataPart:
    kind = "dir" if path.is_dir() else "file"
    return DataPart.model_validate({"kind": kind, "path": str(path), "role": role})


def for_pictures(recipe: Recipe, *, base: str | None = None) -> Recipe:
    """The same recipe for pictures: their own ladder, and a vision encoder if one is named."""
    document = recipe.model_dump()
    document["specialist"]["task"] = PICTURES
    document["ladder"]["rungs"] = PICTURE_RUNGS
    return Recipe.model_validate({**document, "base": {"ref": base}})
