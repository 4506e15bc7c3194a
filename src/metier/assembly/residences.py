"""From an installed local model to what an engine loads and how the model speaks over it.

It knows where files lie, which adapters stand on one base, and what a header says of memory; it
starts nothing. A base that is a file of the user's own is used where it lies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from metier.assembly.catalogue import Catalogue, Known
from metier.assembly.facts import Facts
from metier.errors import InputError
from metier.fleet import Fleet
from metier.generating import (
    AdapterWeights,
    Loading,
    Message,
    Options,
    Question,
    Residence,
    Voice,
    Weights,
)
from metier.localmodel import LocalModelFile
from metier.scheduler import Measured, Shape

LOADING = {
    "num_ctx": int,
    "num_batch": int,
    "num_gpu": int,
    "main_gpu": int,
    "use_mmap": bool,
    "num_thread": int,
}
"""Parameters of a model that say how it is loaded; the rest say how it is sampled."""


class Residences:
    """What the local models of one fleet are loaded as; threads may share it."""

    def __init__(self, fleet: Fleet, catalogue: Catalogue, facts: Facts) -> None:
        self._fleet = fleet
        self._catalogue = catalogue
        self._facts = facts

    def residence(self, known: Known, loading: Loading) -> Residence:
        """What a request to one model wants: its base with the adapters that it uses."""
        file = _file(known)
        return Residence(
            weights=self._weights(known),
            adapters=self._adapters(known),
            task=file.task,
            loading=_over(loading, file.parameters),
        )

    def voice(self, known: Known) -> Voice:
        """How the model is rendered and sampled."""
        file = _file(known)
        scales: dict[str, float] = {}
        for part in file.adapters:
            digest = self._digest(known, part.file)
            scales[digest] = scales.get(digest, 0.0) + part.scale
        return Voice(
            adapters=scales,
            template=file.template,
            template_language=file.template_language,
            options=options_of(file.parameters),
        )

    def measure(self, residence: Residence) -> Measured:
        """What to open for a request: every installed adapter of the base, and how large it is."""
        adapters = {adapter.digest: adapter for adapter in residence.adapters}
        for known in self._catalogue.all():
            file = known.file
            if (
                file is not None
                and file.adapters
                and file.base == residence.weights.digest
                and file.task == residence.task
            ):
                for adapter in self._adapters(known):
                    adapters.setdefault(adapter.digest, adapter)
        whole = replace(residence, adapters=tuple(adapters[name] for name in sorted(adapters)))
        return Measured(whole, self.shape(whole))

    def shape(self, residence: Residence) -> Shape:
        """What its memory follows from; raises InputError (``bad_gguf``)."""
        weights = residence.weights
        files = (*weights.files, *([weights.projector] if weights.projector else []))
        shape = self._facts.of(weights.files[0]).shape(residence.task)
        return replace(
            shape,
            weights=sum(file.stat().st_size for file in files),
            adapters=sum(adapter.file.stat().st_size for adapter in residence.adapters),
        )

    def _weights(self, known: Known) -> Weights:
        file = _file(known)
        projector = self._path(known, file.projector) if file.projector else None
        files = tuple(self._path(known, part) for part in file.weights)
        return Weights(file.base, files, projector)

    def _adapters(self, known: Known) -> tuple[AdapterWeights, ...]:
        found = {
            (digest := self._digest(known, part.file)): AdapterWeights(
                digest, self._path(known, part.file)
            )
            for part in _file(known).adapters
        }
        return tuple(found.values())

    def _path(self, known: Known, part: str) -> Path:
        return self._fleet.part_path(known.installed, part)

    def _digest(self, known: Known, part: str) -> str:
        layer = known.installed.manifest.part(part)
        return layer.digest if layer is not None else part


def with_opening(known: Known, question: Question) -> Question:
    """The question with the model's own opening messages and system prompt.

    A system message of the caller replaces the model's own; a raw prompt gets neither.
    """
    file = _file(known)
    if question.prompt is not None or not (file.system or file.messages):
        return question
    opening = tuple(Message(message.role, message.content) for message in file.messages)
    messages = (*opening, *question.messages)
    said = any(message.role == "system" for message in question.messages)
    if file.system and not said:
        messages = (Message("system", file.system), *messages)
    return replace(question, messages=messages)


def options_of(parameters: Mapping[str, Any]) -> Options:
    """The sampling parameters of a ``model.json``; those of loading are left out."""
    names = set(Options.__dataclass_fields__)
    values = {name: value for name, value in parameters.items() if name in names}
    if isinstance(stop := values.get("stop"), str):
        values["stop"] = (stop,)
    elif stop is not None:
        values["stop"] = tuple(stop)
    return Options(**values)


def _over(loading: Loading, parameters: Mapping[str, Any]) -> Loading:
    """What the caller says, and the model's own parameters where it says nothing."""
    own = {
        name: kind(parameters[name])
        for name, kind in LOADING.items()
        if getattr(loading, name) is None and parameters.get(name) is not None
    }
    return replace(loading, **own)


def _file(known: Known) -> LocalModelFile:
    if known.file is None:
        raise InputError(
            f"{known.listing.name!r} has no weights of its own that an engine could load.",
            code="no_capability",
            remedy="'metier list' shows the task of each.",
        )
    return known.file
