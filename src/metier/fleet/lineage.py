"""Where an installed thing comes from and what was made from it, as a small family tree.

It reads cards and model files of what is installed; it measures nothing and asks no network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from metier.card import Card, ChatCard, SearchCard
from metier.fleet.installed import Installed

Role = Literal["data", "recipe", "base", "pack", "tool", "self", "earlier", "lost", "made"]
MOST_MADE = 40


@dataclass(frozen=True, slots=True)
class Kin:
    """One member of the family.

    Attributes:
        role: What it is to the thing itself (``self``): ``data``, ``recipe``, ``base``, ``pack``
            and ``tool`` went into it, ``earlier`` stood under its name before, ``lost`` was held
            against it and not promoted, ``made`` was made from it.
        name: What people call it.
        facts: Version, licence, date, in a few words each.
        digest: ``sha256:…``, or "" where it has none.
        here: The name under which it is installed here, or "".
        date: ISO date on which that happened, "" where nothing did.
        why: In a sentence, numbers first, or "".
        verdict: Of the comparison that decided it, or "".
    """

    role: Role
    name: str
    facts: tuple[str, ...] = ()
    digest: str = ""
    here: str = ""
    date: str = ""
    why: str = ""
    verdict: str = ""


def lineage(
    subject: Installed, installed: Sequence[Installed], past: Iterable[Kin] = ()
) -> tuple[Kin, ...]:
    """The family of ``subject``: what went into it, itself, its past, what was made from it.

    Args:
        subject: One of ``installed``.
        installed: Everything that is here.
        past: What stood under its name before and what was not promoted, the latest first.
    """
    names = {item.name: item for item in installed}
    return (
        *_inputs(subject, names),
        Kin("self", subject.name, _own_facts(subject), str(subject.digest), subject.name),
        *past,
        *_made(subject, installed),
    )


def _own_facts(subject: Installed) -> tuple[str, ...]:
    if subject.card is None:
        return ()
    return (f"version {subject.card.version}", subject.card.made[:10])


def _inputs(subject: Installed, names: dict[str, Installed]) -> Iterator[Kin]:
    card = subject.card
    if isinstance(card, Card):
        rows = (f"{card.data.train_rows:,} rows to train", f"{card.data.eval_rows:,} sealed")
        licence = (card.data.licence,) if card.data.licence else ()
        yield Kin("data", card.data.source, (*rows, *licence), card.data.train_digest)
    if isinstance(card, SearchCard):
        for source in card.sources:
            known = (source.version, f"{source.passages:,} passages", source.licence or "")
            yield Kin("data", source.source, tuple(filter(None, known)))
    if card is not None:
        yield Kin("recipe", "recipe.toml", (), card.recipe_id)
    if isinstance(card, Card | SearchCard) and card.base is not None:
        licence = (card.base.licence,) if card.base.licence else ()
        here = card.base.name if card.base.name in names else ""
        yield Kin("base", card.base.name, licence, card.base.digest, here)
    if isinstance(card, ChatCard):
        for pack in card.packs:
            there = names.get(pack)
            said = ("documents",) if there else ("documents", "not here")
            yield Kin("pack", pack, said, str(there.digest) if there else "", pack if there else "")
        for tool in card.tools:
            yield Kin("tool", tool, ("checks and repairs",))
    yield from _of_model(subject, names)


def _of_model(subject: Installed, names: dict[str, Installed]) -> Iterator[Kin]:
    model = subject.model
    if model is None:
        return
    if model.source:
        yield Kin("data", model.source, ("where it was pulled from",))
    if model.parent:
        there = names.get(model.parent)
        digest = str(there.digest) if there else ""
        facts = () if there else ("not here",)
        yield Kin("base", model.parent, facts, digest, model.parent if there else "")


def _made(subject: Installed, installed: Sequence[Installed]) -> list[Kin]:
    found = []
    for item in installed:
        if item.name == subject.name:
            continue
        card, model = item.card, item.model
        facts: tuple[str, ...] = ()
        if isinstance(card, Card | SearchCard) and card.base and card.base.name == subject.name:
            facts = (card.task,)
        elif isinstance(card, ChatCard) and subject.name in card.packs:
            facts = ("reads it",)
        elif model is not None and model.parent == subject.name:
            facts = ("adapter" if model.adapters else "other settings",)
        if facts:
            found.append(Kin("made", item.name, facts, str(item.digest), item.name))
    return sorted(found, key=lambda kin: kin.name)[:MOST_MADE]
