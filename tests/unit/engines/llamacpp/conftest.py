"""One tiny base, its adapters and workers over it, for all tests of the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tiny_gguf
from metier.engines.llamacpp import LocalWorker, open_worker
from metier.generating import AdapterWeights, Loading, Residence, Weights

Open = Callable[..., LocalWorker]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engine")


@pytest.fixture(scope="session")
def base(folder: Path) -> Path:
    return tiny_gguf.tiny_model(folder)


@pytest.fixture(scope="session")
def adapters(folder: Path, base: Path) -> tuple[AdapterWeights, ...]:
    return tuple(
        AdapterWeights(f"sha256:{seed}", tiny_gguf.tiny_adapter(folder, base, seed=seed))
        for seed in (1, 2)
    )


@pytest.fixture(scope="session")
def residence(base: Path, adapters: tuple[AdapterWeights, ...]) -> Residence:
    return Residence(
        Weights("sha256:0", (base,)), adapters, loading=Loading(num_ctx=1024, num_thread=1)
    )


@pytest.fixture(scope="session")
def worker(residence: Residence) -> Iterator[LocalWorker]:
    """One worker that many tests ask; who harms it opens its own."""
    opened = open_worker(residence)
    yield opened
    opened.close()


@pytest.fixture
def open_one() -> Iterator[Open]:
    """Opens workers that are closed when the test ends."""
    opened: list[LocalWorker] = []

    def open_it(residence: Residence, **how: object) -> LocalWorker:
        opened.append(open_worker(residence, **how))  # type: ignore[arg-type]
        return opened[-1]

    yield open_it
    for each in opened:
        each.close()
