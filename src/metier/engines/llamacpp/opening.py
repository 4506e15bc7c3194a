"""Opening a worker: which places its sandbox gets, and its first words.

It knows the sandbox and what the program inside needs to start; it knows no request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from metier.engines.llamacpp.client import LocalWorker
from metier.engines.llamacpp.plan import Plan
from metier.engines.prompting import PICTURE
from metier.errors import UnavailableError
from metier.generating import Residence
from metier.hardware import usable_cores
from metier.sandbox import Limits, Place, Sandbox, detect, packages, python

_NEEDED: Final = ("metier", "xllamacpp", "jinja2", "markupsafe")
_START: Final = (
    "import sys; end = sys.argv.index('-'); sys.path[:0] = sys.argv[1:end]; "
    "from metier.engines.llamacpp.program import main; import os; "
    "main(int(os.environ['METIER_REQUESTS']), int(os.environ['METIER_REPLIES']), "
    "sys.argv[end + 1:])"
)
_BATCH: Final = 2048
_PARALLEL: Final = 4
_MODEL: Final = "/job/model"
_BASE: Final = f"{_MODEL}/base.gguf"
_ENVIRONMENT: Final = {"LLAMA_MEDIA_MARKER": PICTURE}
_FOR_EVER: Final = 1_000_000_000
LIMITS: Final = Limits(
    seconds=_FOR_EVER,
    cpu_seconds=_FOR_EVER,
    memory_mb=1 << 20,
    processes=1024,
    file_mb=1,
    output_bytes=1 << 16,
    disk_mb=16,
    open_files=1024,
    address_mb=1 << 27,  # the whole of a processor's: weights are mapped
)


def open_worker(
    residence: Residence,
    *,
    sandbox: Sandbox | None = None,
    threads: int | None = None,
    parallel: int | None = None,
    seconds: float = 600.0,
    traps: Sequence[str] = (),
) -> LocalWorker:
    """Start a worker and return when it answers.

    Args:
        residence: The base, every adapter that may be asked for, what it does, how it is loaded.
        sandbox: Where it runs; ``None`` finds the best one.
        threads: Threads, where ``residence`` does not say; ``None`` for every usable core.
        parallel: Requests that are written at once, where ``residence`` names no slots: they
            then share one context, and what has no room waits. ``None`` for four.
        seconds: How long loading may take.
        traps: Guards that are left out, to test that the trial of adapters finds it.

    Raises:
        UnavailableError: ``no_sandbox``, ``engine_missing``, ``engine_failed``.
        InputError: ``bad_gguf``, ``wrong_base``.
    """
    weights, loading = residence.weights, residence.loading
    places = places_of(residence)
    writes = residence.task == "generate"
    plan = Plan(
        model=str(weights.files[0]),
        projector=str(weights.projector or ""),
        adapters=tuple((adapter.digest, str(adapter.file)) for adapter in residence.adapters),
        task=residence.task,
        context=loading.num_ctx or 0,
        parallel=(loading.slots or parallel or _PARALLEL) if writes else 1,
        shared=not (writes and loading.slots),
        threads=loading.num_thread or threads or usable_cores(),
        batch=loading.num_batch or _BATCH,
        gpu_layers=-1 if loading.num_gpu is None else loading.num_gpu,
        main_gpu=loading.main_gpu or 0,
        use_mmap=loading.use_mmap is not False,
        traps=tuple(traps),
    )
    program, own = python()
    needed = _packages()
    command = [program, "-I", "-S", "-B", "-c", _START]
    command += [*(place.target for place in needed), "-", *(place.target for place in places)]
    talking = (sandbox or detect()).attend(
        command,
        places=(*own, *needed, *places),
        environment=_ENVIRONMENT,
        limits=LIMITS,
        listener=True,
    )
    return LocalWorker(
        talking, plan.plain([str(place.source) for place in places]), seconds=seconds
    )


def _packages() -> tuple[Place, ...]:
    """The folders from which the program imports."""
    try:
        return packages(*_NEEDED)
    except ModuleNotFoundError as error:
        raise UnavailableError(
            f"The package {error.name} is not installed, which the engine needs.",
            code="engine_missing",
            remedy=f"pip install {error.name}",
        ) from error


def places_of(residence: Residence) -> list[Place]:
    """The files that the worker sees, each alone and named as the engine wants shards to be."""
    weights = residence.weights
    count = len(weights.files)
    places = [
        Place(file, f"{_MODEL}/base-{number:05}-of-{count:05}.gguf" if count > 1 else _BASE)
        for number, file in enumerate(weights.files, start=1)
    ]
    if weights.projector is not None:
        places.append(Place(weights.projector, f"{_MODEL}/projector.gguf"))
    for number, adapter in enumerate(residence.adapters):
        places.append(Place(adapter.file, f"{_MODEL}/adapter-{number}.gguf"))
    return places
