"""From a recipe of any task to an installed specialist.

It knows what each kind of maker is handed and what is recorded when it is done; how a specialist
is made is ``metier.making``'s.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from metier.answer import Answering
from metier.assembly.shelves import VIEW
from metier.assembly.workbench import Workbench, libraries_of, today
from metier.card import Card, ChatCard, SearchCard
from metier.fleet import Fleet, Installed
from metier.manifest import BASE, BUILD, KIND, RECIPE, TASK, Role
from metier.messages import Encoder, Progress, Report
from metier.recipe import ChatRecipe, Recipe, SearchRecipe
from metier.reference import Reference

if TYPE_CHECKING:
    from metier.making.chatting import Assembled
    from metier.making.resuming import Keeper
    from metier.making.rows import Rows


class Making:
    """Makes one specialist at a time, whatever its task; threads may share it."""

    def __init__(self, fleet: Fleet, answering: Answering, workbench: Workbench) -> None:
        self._fleet = fleet
        self._answering = answering
        self._workbench = workbench
        self._one = threading.Lock()

    def classifier(
        self,
        recipe: Recipe,
        folder: Path,
        report: Report,
        cancelled: Callable[[], bool],
        *,
        confined: bool,
    ) -> Card:
        """Climb, prove, install, and keep the sealed eval."""
        from metier.making import artifact_parts, make

        workbench = self._workbench
        before = workbench.replaced(recipe.specialist.name)
        with self._one:
            makers = workbench.makers(
                recipe.base.ref, folder, confined=confined, libraries=libraries_of(recipe)
            )
            made = make(recipe, makers, report=report, cancelled=cancelled)
        card = made.card
        digest = card.base.digest if card.base else None
        self._install(Reference.parse(card.name), card, artifact_parts(made), digest)
        workbench.keep_eval(made.sealed, pictures=recipe.of_pictures)
        workbench.forget_eval(before)
        workbench.sources.add(made.located)
        workbench.record(card, {key: item.digest for key, item in made.proof.results.items()})
        made.proof.settle()
        made.keeper.discard()
        report(Progress("done", f"{card.name} is installed.", 1.0, data=card.to_dict()))
        return card

    def challenger(
        self,
        recipe: Recipe,
        rows: Rows,
        report: Report,
        cancelled: Callable[[], bool],
        *,
        budget: float | None,
        aside: Callable[[Card], Reference],
    ) -> tuple[Installed, Keeper]:
        """Climb and prove on rows that are there already; install it beside the champion.

        Args:
            recipe: The champion's on another base, as it will be recorded.
            rows: Its rows.
            report: Receives progress.
            cancelled: Asked often; stops the work.
            budget: Wall seconds; ``None``: the recipe's own.
            aside: Where it stands until it is judged.

        Returns:
            It, and what the next challenger on the same rows need not climb again; the caller
            discards that when the hop is over.
        """
        from metier.making import artifact_parts, make

        workbench = self._workbench
        with self._one:
            makers = workbench.makers(
                recipe.base.ref, workbench.home, libraries=libraries_of(recipe)
            )
            made = make(
                recipe, makers, report=report, cancelled=cancelled, rows=rows, budget=budget
            )
        card = made.card
        digest = card.base.digest if card.base else None
        reference = aside(card)
        installed = self._install(reference, card, artifact_parts(made), digest)
        workbench.record(
            card, {key: item.digest for key, item in made.proof.results.items()}, challenger=True
        )
        made.proof.settle()
        return installed, made.keeper

    def chat(self, recipe: ChatRecipe, report: Report) -> ChatCard:
        """Put a chat specialist together and install it."""
        from metier.making.chatting import make_chat

        made = make_chat(recipe, today=today())
        card = made.card
        self._replace(made)
        report(Progress("done", f"{card.name} is installed.", 1.0, data=card.to_dict()))
        return card

    def pack(
        self,
        recipe: SearchRecipe,
        folder: Path,
        report: Report,
        cancelled: Callable[[], bool],
        *,
        confined: bool,
    ) -> SearchCard:
        """Gather, cut and index documents, and install the pack."""
        from metier.making.packing import make_pack

        workbench = self._workbench
        workbench.replaced(recipe.specialist.name)
        makers = workbench.makers(recipe.base.ref, folder, confined=confined)
        encoder = None
        if makers.base is not None:
            encoder = self._answering.encoder(makers.base.name, VIEW)
        elif recipe.base.ref is not None:
            report(Progress("base", f"The encoder {recipe.base.ref} is not here: by words only."))
        with self._one:
            made = make_pack(
                recipe,
                makers,
                encoder=encoder,
                report=report,
                cancelled=cancelled,
            )
        card = made.card
        self._replace(made)
        workbench.sources.add(made.located or {})
        report(Progress("done", f"{card.name} is installed.", 1.0, data=card.to_dict()))
        return card

    def pack_challenger(
        self,
        recipe: SearchRecipe,
        encoder: Encoder | None,
        report: Report,
        cancelled: Callable[[], bool],
        *,
        aside: Callable[[SearchCard], Reference],
    ) -> Installed:
        """A pack on other documents, installed beside the champion.

        Args:
            recipe: The champion's on other documents.
            encoder: What its passages are encoded by; ``None``: by words only.
            report: Receives progress.
            cancelled: Asked often; stops the work.
            aside: Where it stands until it is judged.
        """
        from metier.making.packing import make_pack

        workbench = self._workbench
        makers = workbench.makers(recipe.base.ref, workbench.home)
        with self._one:
            made = make_pack(recipe, makers, encoder=encoder, report=report, cancelled=cancelled)
        reference = aside(made.card)
        installed = self._install(reference, made.card, dict(made.parts), made.base_digest)
        workbench.sources.add(made.located or {})
        return installed

    def chat_challenger(
        self, recipe: ChatRecipe, *, aside: Callable[[ChatCard], Reference]
    ) -> Installed:
        """A chat specialist on another base, installed beside the champion."""
        from metier.making.chatting import make_chat

        made = make_chat(recipe, today=today())
        return self._install(aside(made.card), made.card, dict(made.parts), made.base_digest)

    def _replace(self, made: Assembled[ChatCard] | Assembled[SearchCard]) -> None:
        before = self._workbench.replaced(made.card.name)
        reference = Reference.parse(made.card.name)
        self._install(reference, made.card, dict(made.parts), made.base_digest)
        self._workbench.forget_eval(before)

    def _install(
        self,
        reference: Reference,
        card: Card | ChatCard | SearchCard,
        parts: dict[str, tuple[Role, bytes | Path]],
        base_digest: str | None,
    ) -> Installed:
        annotations = {
            KIND: "specialist",
            TASK: card.task,
            RECIPE: card.recipe_id,
            BUILD: card.build_id,
        }
        if base_digest is not None:
            annotations[BASE] = base_digest
        return self._fleet.install(reference, parts, annotations, card.licence)
