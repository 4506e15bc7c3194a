"""Which kind of recipe a text is: ``specialist.task`` decides; unsaid it is ``classify``."""

from __future__ import annotations

import difflib

from metier.errors import InputError
from metier.recipe.chatting import ChatRecipe
from metier.recipe.classifying import Recipe
from metier.recipe.parsing import document_of, validated
from metier.recipe.searching import SearchRecipe

AnyRecipe = Recipe | ChatRecipe | SearchRecipe
"""A recipe of any task."""

_KINDS: dict[str, type[AnyRecipe]] = {
    "classify": Recipe,
    "classify-image": Recipe,
    "chat": ChatRecipe,
    "search": SearchRecipe,
}


def read_recipe(text: str, *, where: str = "the recipe") -> AnyRecipe:
    """Parse a recipe of any task.

    Raises:
        InputError: It is not TOML, has a task that Metier does not know, or a field is missing,
            unknown or wrong (code ``bad_recipe``); the message names the field.
    """
    document = document_of(text, where=where)
    specialist = document.get("specialist")
    task = specialist.get("task", "classify") if isinstance(specialist, dict) else "classify"
    kind = _KINDS.get(task) if isinstance(task, str) else None
    if kind is None:
        near = difflib.get_close_matches(str(task), _KINDS, n=1, cutoff=0.5)
        guess = f" Did you mean {near[0]!r}?" if near else ""
        raise InputError(
            f"{where} is not a valid recipe: specialist.task is {str(task)[:40]!r}.{guess}",
            code="bad_recipe",
            remedy=f"Tasks are {', '.join(_KINDS)}; see docs/formats/recipe.md.",
        )
    return validated(kind, document, where=where)
