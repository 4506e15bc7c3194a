"""A chat specialist from its recipe: prompt, names and a card that claims nothing.

It is put together, not trained: no base is asked and nothing is measured, and the card says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from metier.card import ChatCard, Cost, Row, SearchCard
from metier.making.carding import recipe_toml
from metier.manifest import FILEPATH, ROLE_TYPES, Descriptor, Role, system_digest
from metier.recipe import ChatRecipe
from metier.reference import Digest
from metier.specialist import PROMPT_FILE, SPECIALIST_FILE, ChatFile
from metier.version import __version__

UNMEASURED = "it takes a base, and none was measured when it was made"


Made = TypeVar("Made", ChatCard, SearchCard)


@dataclass(frozen=True)
class Assembled(Generic[Made]):
    """A specialist that is not a classifier, ready to be installed.

    Attributes:
        card: What it is.
        parts: File path to its role and bytes, documents included.
        base_digest: Of the base that answers with it, if one does.
        located: Digest of a local source to its path here.
    """

    card: Made
    parts: dict[str, tuple[Role, bytes]]
    base_digest: str | None = None
    located: dict[str, str] | None = None


def make_chat(recipe: ChatRecipe, *, today: str) -> Assembled[ChatCard]:
    """Put a chat specialist together; installs nothing.

    Args:
        recipe: What to make.
        today: ISO date.
    """
    specialist, answer = recipe.specialist, recipe.answer
    answering: dict[str, tuple[Role, bytes]] = {
        SPECIALIST_FILE: ("weight-config", ChatFile.of(recipe).to_bytes()),
        PROMPT_FILE: ("weight-config", answer.prompt.strip().encode() + b"\n"),
    }
    card = ChatCard(
        name=specialist.name,
        version=specialist.version,
        domain=specialist.domain,
        description=specialist.description,
        licence=specialist.licence,
        packs=answer.packs,
        tools=answer.tools,
        toolchains=answer.toolchains,
        evals=recipe.eval.names,
        candidates=answer.candidates,
        repairs=answer.repairs,
        bases=tuple((base.ref, base.note) for base in recipe.base.alternatives),
        rows=tuple(_row(specialist.name, name) for name in recipe.eval.names),
        recipe_id=str(recipe.recipe_id),
        build_id=str(recipe.build_id(toolchain={"metier": __version__})),
        system=system_of(answering, None),
        made=today,
        cost=Cost(
            cost_class="that of its base",
            size_bytes=sum(len(data) for _, data in answering.values()),
        ),
    )
    documents: dict[str, tuple[Role, bytes]] = {
        "card.json": ("doc", card.to_bytes()),
        "recipe.toml": ("doc", recipe_toml(recipe)),
    }
    return Assembled(card, answering | documents)


def system_of(parts: dict[str, tuple[Role, bytes]], base_digest: str | None) -> str:
    """``sha256:…`` of what answers, as the store will compute it."""
    layers = tuple(
        Descriptor(
            mediaType=ROLE_TYPES[role],
            digest=str(Digest.of(data)),
            size=len(data),
            annotations={FILEPATH: path},
        )
        for path, (role, data) in sorted(parts.items())
        if role != "doc"
    )
    return str(system_digest(layers, base_digest))


def _row(name: str, on: str) -> Row:
    return Row(
        role="specialist",
        name=f"{name} on {on}",
        note=UNMEASURED,
        command=f"metier eval {name} --on {on} --base remote:NAME",
    )
