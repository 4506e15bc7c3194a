"""The rungs of pictures: colours and gradients, a frozen vision encoder, and both mixed.

It knows their views and what their answers cost; trying, choosing and fitting are the same as for
texts. There is one precision, the graph's own: a vision encoder comes as it is.
"""

from __future__ import annotations

from metier.engines.parts import Member, pack_head
from metier.errors import MetierError
from metier.making.climbing import Climb
from metier.making.encoders import SAMPLE, Bases
from metier.making.learners import SAMPLE as TIMED
from metier.making.learners import Learner
from metier.making.material import RememberingEncoder
from metier.recipe import Recipe
from metier.training.fitting import fit_logistic

FEATURES, VISION = "features", "vision"
"""Views."""
TITLES = {"features": "colours and gradients + linear", "encoder": "frozen vision encoder + linear"}
_FEATURES_MS = 2.0
_VISION_MS = 5.0
_VISION_MS_PER_MB = 0.5
"""Round milliseconds of one picture, by which rungs are ordered; they are never shown."""
NO_BASE = (
    "no vision encoder is named; import one (metier import FOLDER --name NAME) and name it as base"
)


def climb_pictures(
    recipe: Recipe, climb: Climb, bases: Bases, *, reserve: float, eval_items: int
) -> None:
    """Try what the recipe names, the cheapest first."""
    wanted = recipe.ladder.rungs
    if "features" in wanted or "ensemble" in wanted:
        view = bases.view(FEATURES)
        climb.try_learner(_learner(climb, "features", view, FEATURES), reserve=reserve)
    if "encoder" in wanted or "ensemble" in wanted:
        _try_vision(climb, bases, reserve=reserve, eval_items=eval_items)
    if "ensemble" in wanted:
        members = tuple(name for name in ("features", "encoder") if name in climb.candidates)
        if len(members) == 2:
            climb.try_ensemble(members)
        else:
            climb.leave_out("ensemble", "ensemble", "it needs two rungs that were tried")


def _try_vision(climb: Climb, bases: Bases, *, reserve: float, eval_items: int) -> None:
    if bases.reference is None:
        climb.leave_out("encoder", TITLES["encoder"], NO_BASE)
        return
    try:
        view = bases.view(VISION)
    except MetierError as error:
        climb.leave_out("encoder", TITLES["encoder"], error.message)
        return
    one = view.seconds_per_text(list(climb.task.texts[:SAMPLE]))
    seconds = one * (len(climb.task.texts) + eval_items)
    learner = _learner(climb, "encoder", view, VISION)
    if climb.try_learner(learner, reserve=reserve, encoding_seconds=seconds):
        bases.used = VISION


def _learner(climb: Climb, name: str, encoder: RememberingEncoder, kind: str) -> Learner:
    member = Member.model_validate(
        {"kind": kind, "file": f"{kind}.safetensors", "encoder": encoder.name}
    )
    labels = climb.task.labels
    nominal = _VISION_MS + _VISION_MS_PER_MB * encoder.size_bytes / 1e6
    return Learner(
        name=name,
        title=TITLES[name],
        fit=fit_logistic,
        view=encoder.encode,
        member=member,
        pack=pack_head,
        own_bytes=4 * labels * (encoder.dimension + 1),
        shared_bytes=encoder.size_bytes,
        nominal_ms=_FEATURES_MS if kind == FEATURES else nominal,
        milliseconds=lambda texts: encoder.milliseconds_alone(list(texts)[:TIMED]),
    )
