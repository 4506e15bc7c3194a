"""The bases that a person names for a hop, and what of a recipe each changes.

``REF`` is a base with all its views: the recipe's own rungs and every rung over the base are
climbed. ``REF@static`` and ``REF@encoder`` keep to one view. It knows recipes of classifiers and
opens nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from metier.errors import InputError
from metier.recipe import PICTURE_RUNGS, RUNGS, Recipe
from metier.reference import Reference

VIEWS = ("static", "encoder")
"""``static``: the table of the base's word pieces; ``encoder``: the whole base."""
OVER_BASE = frozenset(("static", "encoder", "encoder-int8", "ensemble"))
"""Rungs that need the base."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A base that was named, and the view that it is to be used in ("" for all of them)."""

    base: str
    view: str = ""

    @property
    def key(self) -> str:
        """As people write it."""
        return f"{self.base}@{self.view}" if self.view else self.base

    @classmethod
    def parse(cls, text: str) -> Wanted:
        """``REF`` or ``REF@VIEW``; raises InputError (``bad_view``, ``bad_name``)."""
        base, at, view = text.rpartition("@")
        if not at:
            base, view = text, ""
        if at and view not in VIEWS:
            raise InputError(
                f"{view[:60]!r} is no view of a base.",
                code="bad_view",
                remedy=f"Write {base[:80]}@static, {base[:80]}@encoder, or {base[:80]} for both.",
            )
        return cls(Reference.parse(base).familiar, view)


def on_base(recipe: Recipe, wanted: Wanted) -> Recipe:
    """The recipe on another base, in the views that are wanted.

    The rungs that need no base stay as the recipe has them. Where the rungs change, so does the
    recipe's id; on another base with the same rungs it is the same recipe.

    Raises:
        InputError: The recipe's task has no such view (``bad_view``).
    """
    base = recipe.base.model_copy(update={"ref": wanted.base})
    known = PICTURE_RUNGS if recipe.of_pictures else RUNGS
    if wanted.view and wanted.view not in known:
        raise InputError(
            f"A classifier of pictures has no {wanted.view} view of a base.",
            code="bad_view",
            remedy=f"Write {wanted.base}, or {wanted.base}@encoder.",
        )
    kept = {rung for rung in recipe.ladder.rungs if rung not in OVER_BASE}
    over = {
        "": {"static", "encoder", "ensemble"},
        "static": {"static"},
        "encoder": {"encoder", "ensemble"} & {"encoder", *recipe.ladder.rungs},
    }[wanted.view]
    rungs = tuple(rung for rung in known if rung in kept | over)
    if set(rungs) == set(recipe.ladder.rungs):
        rungs = recipe.ladder.rungs
    ladder = recipe.ladder.model_copy(update={"rungs": rungs})
    return recipe.model_copy(update={"base": base, "ladder": ladder})


def views_of(rungs: Sequence[str]) -> str:
    """The view that a recipe's rungs keep to: ``static``, ``encoder``, or "" for both or none."""
    static, encoder = "static" in rungs, "encoder" in rungs or "ensemble" in rungs
    if static == encoder:
        return ""
    return "static" if static else "encoder"
