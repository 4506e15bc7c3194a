"""Everything about one model, as ``show`` tells it.

It knows what header, ``model.json``, card and scheduler each say of a model; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from metier.assembly.catalogue import Known, place
from metier.assembly.facts import Facts
from metier.assembly.modelfiles import modelfile_text
from metier.assembly.residences import Residences
from metier.card import AnyCard, Evidence
from metier.errors import MetierError
from metier.fleet import Fleet
from metier.formats import LongArray, read_gguf
from metier.generating import Loading, Message, ModelSheet
from metier.localmodel import LocalModelFile
from metier.specialist import PROMPT_FILE

if TYPE_CHECKING:
    from metier.scheduler import LocalScheduler


class Sheets:
    """Sheets of the models of one fleet; threads may share it."""

    def __init__(
        self, fleet: Fleet, facts: Facts, residences: Residences, scheduler: LocalScheduler
    ) -> None:
        self._fleet = fleet
        self._facts = facts
        self._residences = residences
        self._scheduler = scheduler

    def sheet(self, known: Known, *, verbose: bool = False) -> ModelSheet:
        """Everything; with ``verbose`` the long lists and the tensors too."""
        if known.file is None:
            return self._of_specialist(known)
        return self._of_model(known, known.file, verbose)

    def _of_model(self, known: Known, file: LocalModelFile, verbose: bool) -> ModelSheet:
        files = [place(self._fleet, known.installed, part) for part in file.weights]
        read = self._facts.of(files)
        header = read_gguf(files[0], long_arrays=True) if verbose else read.header
        projector: Mapping[str, Any] = {}
        if file.projector is not None:
            path = place(self._fleet, known.installed, file.projector)
            projector = plain(read_gguf(path, long_arrays=verbose).metadata)
        context, memory = self._size(known)
        return ModelSheet(
            listing=known.listing,
            licences=file.licences,
            system=file.system,
            template=file.template or read.facts.template or "",
            template_language=file.template_language if file.template else "jinja",
            parameters=file.parameters,
            messages=tuple(Message(message.role, message.content) for message in file.messages),
            modelfile=modelfile_text(known.installed),
            metadata={
                **plain(header.metadata),
                "general.parameter_count": read.facts.parameters,
            },
            projector=projector,
            tensors=tuple(
                (tensor.name, tensor.type, tensor.shape) for tensor in header.tensors if verbose
            ),
            context=context,
            memory_bytes=memory,
            proofs=proofs_of(known.installed.card),
        )

    def _of_specialist(self, known: Known) -> ModelSheet:
        installed, listing = known.installed, known.listing
        card = installed.card
        system = ""
        if installed.chat is not None:
            system = self._fleet.read_part(installed, PROMPT_FILE).decode("utf-8", "replace")
        licence = card.licence if card is not None else None
        return ModelSheet(
            listing=listing,
            licences=(licence,) if licence else (),
            system=system,
            metadata={
                "general.architecture": listing.details.family or "specialist",
                "general.name": listing.name,
                "general.type": "model",
                "general.description": card.description if card is not None else "",
                "metier.task": listing.task,
                "metier.domain": card.domain if card is not None else "general",
            },
            proofs=proofs_of(card),
        )

    def _size(self, known: Known) -> tuple[int, int]:
        """Context and bytes that it has in memory, or would get; zeros if it would not fit."""
        for resident in self._scheduler.residents():
            if known.listing.name in resident.names:
                return resident.context, resident.memory_bytes
        try:
            found = self._scheduler.size(self._residences.loadable(known).residence(Loading()))
        except MetierError:
            return 0, 0
        return found.loading.num_ctx or 0, found.needs.total


def plain(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of a header as JSON; a list that was passed over is ``None``."""
    return {
        key: None
        if isinstance(value, LongArray)
        else list(value)
        if isinstance(value, tuple)
        else value
        for key, value in metadata.items()
    }


def proofs_of(card: AnyCard | None) -> tuple[str, ...]:
    """What a card proves, a sentence for each comparison."""
    return tuple(_sentence(item) for item in getattr(card, "evidence", ()))


def _sentence(item: Evidence) -> str:
    found = item.difference
    return (
        f"{found.verdict} against {item.rival_name} ({item.against}): "
        f"{item.score.value:.3f} to {item.rival_score.value:.3f} {item.metric}, difference "
        f"{found.difference:+.3f} ({found.interval.low:+.3f} to {found.interval.high:+.3f}), "
        f"n {found.n}, {item.date[:10]}."
    )
