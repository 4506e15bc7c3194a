"""Gathering: the rows of a recipe of either kind, texts or pictures.

It knows which reader a task has, and nothing else.
"""

from __future__ import annotations

from metier.making.picturerows import gather_pictures
from metier.making.rows import Places, Rows, gather
from metier.messages import Report
from metier.recipe import Recipe


def gather_any(recipe: Recipe, places: Places, report: Report) -> Rows:
    """Read, split, seal and scan; see ``rows.gather`` for what it raises."""
    if recipe.of_pictures:
        return gather_pictures(recipe, places, report)
    return gather(recipe, places, report)
