"""What stands around one entry on its page: files, recipe, family, mistakes.

It asks the façade and reads the recipe's file; it draws nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from metier.errors import MetierError
from metier.finding import Fit, Proof
from metier.overtaking import Timeline
from metier.server import hoporders, native
from metier.server import timelines as over_time
from metier.server.facade import Facade, Installed, Part
from metier.server.timelines import Look

if TYPE_CHECKING:
    from metier.evals.mistakes import Mistakes

_RECIPE = "recipe.toml"
_SHOWN_RECIPE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Around one entry.

    Attributes:
        parts: Its files.
        recipe: The recipe among them, cut; ``None`` if there is none.
        family: What it was made from, itself, and what was made from it (``metier.fleet.Kin``).
        mistakes: What is known of its answers to its sealed items, if it is a classifier.
        fit: Whether it runs here.
        proof: The best proof that it holds here, if any.
        timelines: General models by date against it, an eval each.
        looks: When the watch looked at it, and what that came to.
        watch: Where it stands with the watch.
        hops: What hops did to it, and where it could hop.
    """

    parts: Sequence[Part] = ()
    recipe: str | None = None
    family: Sequence[Any] = ()
    mistakes: Mistakes | None = None
    fit: Fit | None = None
    proof: Proof | None = None
    timelines: Sequence[Timeline] = ()
    looks: Sequence[Look] = ()
    watch: Mapping[str, Any] | None = None
    hops: Mapping[str, Any] | None = None


def around(metier: Facade, item: Installed) -> Surroundings:
    """Everything around ``item``; raises NotFoundError if it went meanwhile."""
    name = item.reference.familiar
    parts = metier.parts(name)
    return Surroundings(
        parts=parts,
        recipe=recipe_text(parts),
        family=metier.lineage(name),
        mistakes=metier.mistakes(name),
        fit=metier.fit(name),
        proof=_proof(metier, name),
        timelines=over_time.shown(metier.timelines, name),
        looks=over_time.looked(metier.timelines, name),
        watch=metier.watching.document(name),
        hops=hoporders.document(metier, name) if item.kind == "specialist" else None,
    )


def _proof(metier: Facade, name: str) -> Proof | None:
    try:
        return metier.entry("here", name).proof
    except MetierError:
        # A catalogue that cannot be read proves nothing; the page stands without it.
        return None


def as_json(metier: Facade, item: Installed) -> dict[str, Any]:
    """An entry's page as JSON: what ``/metier/v1`` tells of it, and what stands around it."""
    found = around(metier, item)
    return {
        **native.detail(item, found.parts),
        "fit": found.fit.to_dict() if found.fit is not None else None,
        "lineage": [asdict(kin) for kin in found.family],
        "timelines": over_time.as_json(found.timelines),
        "looks": [{"moment": when, **asdict(one)} for when, one in found.looks],
        "watch": found.watch,
        "hops": found.hops,
        "answers": _answers(found.mistakes) if found.mistakes is not None else None,
    }


def _answers(known: Mistakes) -> dict[str, Any]:
    """Mistakes as JSON, without the sealed texts."""
    told = asdict(replace(known, examples=()))
    for side in ("best", "worst"):
        for score in told[side]:
            score["interval"] = score["interval"].model_dump()
    return told


def recipe_text(parts: Sequence[Part]) -> str | None:
    """The recipe among a specialist's files, cut; ``None`` if there is none."""
    part = next((part for part in parts if part.filepath == _RECIPE), None)
    if part is None:
        return None
    with part.path.open("rb") as file:
        return file.read(_SHOWN_RECIPE).decode("utf-8", errors="replace")
