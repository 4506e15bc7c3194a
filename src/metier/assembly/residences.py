"""From a local model to what an engine loads and how the model speaks over it.

It knows where files lie, which adapters stand on one base, and what a header says of memory; it
starts nothing. A base that is a file of the user's own is used where it lies.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from metier.assembly.catalogue import Catalogue, Known, place
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
    Task,
    Voice,
    Weights,
)
from metier.localmodel import LocalModelFile
from metier.manifest import canonical_json
from metier.reference import Digest
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
MOST_REMEMBERED = 10_000
PLAIN = Voice()
"""A base as it is."""


@dataclass(frozen=True, slots=True)
class Loadable:
    """One local model as it is loaded and asked.

    Attributes:
        name: What people call it.
        weights: Its base.
        adapters: Those that it uses.
        task: What it does.
        voice: How it is rendered and sampled.
        parameters: Its own, in Ollama's names.
        system: Its own system prompt.
        messages: What every conversation with it begins with.
        capabilities: What it can do, in Ollama's words.
    """

    name: str
    weights: Weights
    adapters: tuple[AdapterWeights, ...] = ()
    task: Task = "generate"
    voice: Voice = PLAIN
    parameters: Mapping[str, Any] = field(default_factory=dict)
    system: str = ""
    messages: tuple[Message, ...] = ()
    capabilities: tuple[str, ...] = ("completion",)

    def residence(self, loading: Loading) -> Residence:
        """What a request to it wants: its base with the adapters that it uses."""
        own = {
            name: kind(self.parameters[name])
            for name, kind in LOADING.items()
            if getattr(loading, name) is None and self.parameters.get(name) is not None
        }
        return Residence(self.weights, self.adapters, self.task, replace(loading, **own))

    def opened(self, question: Question) -> Question:
        """The question with the model's own system prompt and opening messages.

        A system message of the caller replaces the model's own; a raw prompt gets neither.
        """
        if question.prompt is not None or not (self.system or self.messages):
            return question
        messages = (*self.messages, *question.messages)
        if self.system and not any(message.role == "system" for message in question.messages):
            messages = (Message("system", self.system), *messages)
        return replace(question, messages=messages)

    @property
    def digest(self) -> str:
        """``sha256:…`` of everything that can change its answers."""
        voice = self.voice
        return str(
            Digest.of(
                canonical_json(
                    {
                        "base": self.weights.digest,
                        "adapters": dict(voice.adapters),
                        "template": voice.template,
                        "parameters": dict(self.parameters),
                        "system": self.system,
                        "messages": [[message.role, message.text] for message in self.messages],
                    }
                )
            )
        )


class Residences:
    """What the local models of one fleet are loaded as; threads may share it."""

    def __init__(self, fleet: Fleet, catalogue: Catalogue, facts: Facts) -> None:
        self._fleet = fleet
        self._catalogue = catalogue
        self._facts = facts
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], Loadable] = {}

    def loadable(self, known: Known) -> Loadable:
        """How an installed model is loaded and asked.

        Raises InputError (``no_capability``) for what has no weights of its own.
        """
        key = (known.listing.name, known.listing.digest)
        with self._lock:
            found = self._known.get(key)
        if found is None:
            found = self._loadable(known)
            with self._lock:
                if len(self._known) >= MOST_REMEMBERED:
                    self._known.clear()
                self._known[key] = found
        return found

    def larger(self, residence: Residence, error: InputError) -> Residence | None:
        """The residence with a context in which a prompt that was too long fits, or ``None``.

        ``None`` if the caller or the model named a context, the model was not trained for one so
        large, or the error is another one.
        """
        tokens = error.details.get("tokens")
        if error.code != "prompt_too_long" or residence.loading.num_ctx is not None:
            return None
        trained = self._facts.of(residence.weights.files).facts.context_length
        if not isinstance(tokens, int) or tokens >= trained:
            return None
        # Twice as much again each time, so that a growing conversation does not reload each turn.
        wanted = min(trained, 1 << (tokens + tokens // 4).bit_length())
        return replace(residence, loading=replace(residence.loading, num_ctx=wanted))

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
                for adapter in self._adapters(known, file):
                    adapters.setdefault(adapter.digest, adapter)
        whole = replace(residence, adapters=tuple(adapters.values()))
        sizes = {adapter.digest: adapter.file.stat().st_size for adapter in whole.adapters}
        return Measured(whole, self.shape(whole), sizes)

    def shape(self, residence: Residence) -> Shape:
        """What its memory follows from but its adapters; raises InputError (``bad_gguf``)."""
        weights = residence.weights
        files = (*weights.files, *([weights.projector] if weights.projector else []))
        shape = self._facts.shape(weights.files, residence.task)
        return replace(shape, weights=sum(file.stat().st_size for file in files))

    def _loadable(self, known: Known) -> Loadable:
        file = known.file
        if file is None:
            raise InputError(
                f"{known.listing.name!r} has no weights of its own that an engine could load.",
                code="no_capability",
                remedy="'metier list' shows the task of each.",
            )
        scales: dict[str, float] = {}
        for part in file.adapters:
            digest = _digest(known, part.file)
            scales[digest] = scales.get(digest, 0.0) + part.scale
        projector = self._path(known, file.projector) if file.projector else None
        return Loadable(
            name=known.listing.name,
            weights=Weights(
                file.base, tuple(self._path(known, part) for part in file.weights), projector
            ),
            adapters=self._adapters(known, file),
            task=file.task,
            voice=Voice(
                adapters=scales,
                template=file.template,
                template_language=file.template_language,
                options=options_of(file.parameters),
            ),
            parameters=file.parameters,
            system=file.system,
            messages=tuple(Message(message.role, message.content) for message in file.messages),
            capabilities=known.listing.capabilities,
        )

    def _adapters(self, known: Known, file: LocalModelFile) -> tuple[AdapterWeights, ...]:
        files = {_digest(known, part.file): part.file for part in file.adapters}
        return tuple(
            AdapterWeights(digest, self._path(known, part)) for digest, part in files.items()
        )

    def _path(self, known: Known, part: str) -> Path:
        return place(self._fleet, known.installed, part)


def options_of(parameters: Mapping[str, Any]) -> Options:
    """The sampling parameters of a ``model.json``; those of loading are left out."""
    names = set(Options.__dataclass_fields__)
    values = {name: value for name, value in parameters.items() if name in names}
    if isinstance(stop := values.get("stop"), str):
        values["stop"] = (stop,)
    elif stop is not None:
        values["stop"] = tuple(stop)
    return Options(**values)


def _digest(known: Known, part: str) -> str:
    layer = known.installed.manifest.part(part)
    return layer.digest if layer is not None else part
