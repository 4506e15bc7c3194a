"""Puts the local models together: scheduler, engine, memory and what is installed.

It knows which parts there are and what this machine gives; it decides nothing that they decide.
"""

from __future__ import annotations

from collections.abc import Callable

from metier.answer import Answering
from metier.assembly.catalogue import Catalogue
from metier.assembly.facts import Facts
from metier.assembly.localbases import FileBases
from metier.assembly.models import (
    AskSpecialist,
    Keeping,
    LocalModels,
    OpenEncoder,
    TextEncoder,
)
from metier.assembly.residences import Residences
from metier.assembly.sheets import Sheets
from metier.errors import InternalError
from metier.fleet import Fleet
from metier.generating import OpenWorker, Order, Residence, Worker
from metier.hardware import free_memory_bytes, memory_bytes
from metier.scheduler import Limits, LocalScheduler
from metier.settings import Settings

SHARE = 0.9
"""Of the memory at hand that models may take; the rest is for what they read and write."""


def open_models(
    settings: Settings,
    fleet: Fleet,
    *,
    remove: Callable[[str], None],
    specialist: AskSpecialist,
    answering: Answering,
    open_worker: OpenWorker | None = None,
    facts: Facts | None = None,
) -> LocalModels:
    """The models of one home; no process is started and no file is read.

    Args:
        settings: Memory, keep-alive and the queue.
        fleet: What is installed.
        remove: Takes a name away.
        specialist: How chat specialists answer.
        answering: Who opens encoders.
        open_worker: The engine; llama.cpp in a sandbox where nobody says.
        facts: Headers that were read; shared with whoever reads them too.
    """
    facts = facts or Facts()
    catalogue = Catalogue(fleet, facts)
    residences = Residences(fleet, catalogue, facts)
    scheduler = LocalScheduler(
        open_worker or engine(settings.threads),
        measure=residences.measure,
        at_hand=lambda held: at_hand(settings, held),
        limits=Limits(keep_alive=settings.keep_alive, queue=settings.queue, models=settings.models),
    )
    return LocalModels(
        catalogue,
        residences,
        scheduler,
        keeping=Keeping(lambda order, report: _create(fleet, order, report), fleet.copy, remove),
        sheets=Sheets(fleet, facts, residences, scheduler),
        files=FileBases(settings.home / "cache" / "gguf-digests.json"),
        specialist=specialist,
        encoder=encoder_by(answering),
    )


def at_hand(settings: Settings, held: int) -> int:
    """Bytes that all models together may take, if those in memory hold ``held`` privately.

    What the system calls free counts mapped files as free, because they can be read again; so
    only what workers hold privately is added.
    """
    if settings.memory is not None:
        return settings.memory
    return int(min(memory_bytes(), free_memory_bytes() + held) * SHARE)


def encoder_by(answering: Answering) -> OpenEncoder:
    """Encoders in full precision, as sentence-transformers computes them; see ``Answering``."""

    def open_encoder(name: str) -> TextEncoder:
        from metier.engines.encoder import OnnxEncoder

        encoder = answering.encoder(name, "fp32")
        if not isinstance(encoder, OnnxEncoder):
            raise InternalError(f"{name} opened as something else than an encoder.")
        return encoder

    return open_encoder


def _create(fleet: Fleet, order: Order, report: Callable[[str], None]) -> None:
    """Imported when something is made: converting knows heavy packages."""
    from metier.assembly.creating import create

    create(fleet, order, report=report)


def engine(threads: int | None) -> OpenWorker:
    """llama.cpp, each base in a sandboxed process of its own; imported when one is started."""

    def open_local(residence: Residence) -> Worker:
        from metier.engines.llamacpp import open_worker

        return open_worker(residence, threads=threads, parallel=residence.loading.slots or 1)

    return open_local
