"""Puts the router of one home together: what candidates, questions and answers are read from.

It knows which part of the home each of them needs; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from metier.assembly import candidates, domains
from metier.assembly.along import Ways
from metier.assembly.bases import Bases
from metier.assembly.binding import Binding
from metier.assembly.domains import Domains
from metier.assembly.routing import Routing
from metier.assembly.shelves import Library
from metier.assembly.workbench import Workbench, today
from metier.errors import MetierError
from metier.finding import Proof
from metier.fleet import Installed
from metier.specialist import PROMPT_FILE
from metier.watching import Standing

if TYPE_CHECKING:
    from metier.assembly.metier import Metier


def open_routing(
    metier: Metier, workbench: Workbench, library: Library, bases: Bases, binding: Binding
) -> Routing:
    """The router of one home; nothing is read before it is asked."""

    def changed() -> object:
        return metier.fleet.store.entries(), _head(metier), today(), binding.stamp()

    def rows(installed: Installed) -> Sequence[str] | None:
        return _training_texts(workbench, installed)

    def prompt(installed: Installed) -> str:
        return metier.fleet.read_part(installed, PROMPT_FILE).decode("utf-8", "replace")

    means = candidates.Means(
        settings=metier.settings,
        installed=metier.fleet.list,
        listings=metier.models.listings,
        proofs=lambda: _proofs(metier),
        standing=lambda name: _standing(metier, name),
        fit=metier.fit,
        lacks=lambda name: [lack.kind for lack in metier.lacks(name)],
        service=workbench.service,
    )
    learned = Domains(
        domains.Means(
            home=metier.settings.home,
            installed=metier.fleet.list,
            rows=rows,
            prompt=prompt,
            chunks=lambda name: library.pack(name).chunks,
        )
    )
    ways = Ways(
        models=metier.models,
        specialist=metier.answer,
        generator=bases.generator,
        general=lambda: metier.routing.field().general.ref,
    )
    return Routing(means, learned, ways, changed)


def _head(metier: Metier) -> str:
    """The ledger's last row; "" where there can be none, and then nothing is proved."""
    try:
        return metier.ledger.head()
    except MetierError:
        return ""


def _proofs(metier: Metier) -> Mapping[str, Proof]:
    """The proof that each holds today, by name; none where nothing can be read."""
    try:
        return metier.finder.proved()
    except MetierError:
        return {}


def _standing(metier: Metier, name: str) -> Standing | None:
    """Where one stands with the watch, ``None`` where nobody watches."""
    try:
        return metier.watching.standing(name)
    except MetierError:
        return None


def _training_texts(workbench: Workbench, installed: Installed) -> Sequence[str] | None:
    """A classifier's training texts, if they are on this machine; nothing is fetched."""
    from metier.making.rows import training_texts

    try:
        recipe = workbench.classifier_recipe(installed.name)
        fetches = any(part.kind == "git" for part in recipe.data)
        places = workbench.places(Path(), confined=fetches)
        return training_texts(recipe, places)
    except MetierError:
        return None
