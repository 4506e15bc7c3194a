"""An examiner that fetches nothing: rows come from the home, the mirror and local files alone.

It knows which recipes name nothing but local files; it examines nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from metier.assembly.workbench import Workbench
from metier.errors import MetierError, UnavailableError
from metier.fleet import Installed
from metier.messages import Example

if TYPE_CHECKING:
    from pathlib import Path

    from metier.evals.items import Eval
    from metier.examine import Examiner
    from metier.making import Places


def without_fetching(examiner: Examiner, workbench: Workbench, home: Path) -> Examiner:
    """The same examiner, which asks no repository for an eval's or a training set's rows."""
    from metier.making.remaking import sealed_again, trained_on

    def places(installed: Installed) -> Places:
        recipe = workbench.classifier_recipe(installed.name)
        local = all(part.kind != "git" for part in recipe.data)
        return workbench.places(home, confined=not local)

    def rebuild(installed: Installed) -> Eval:
        try:
            sealed = sealed_again(installed, workbench.classifier_recipe, places(installed))
        except MetierError as error:
            raise UnavailableError(
                f"The eval of {installed.name!r} is not kept here, and nothing is fetched in the "
                "background.",
                code="eval_not_here",
                remedy=f"Run: metier watch {installed.name}",
            ) from error
        workbench.keep_eval(sealed)
        return sealed

    def training(installed: Installed) -> Sequence[Example] | None:
        return trained_on(installed, workbench.classifier_recipe, places(installed))

    return replace(examiner, rebuild=rebuild, training=training)
