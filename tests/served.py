"""A real ``metier up`` in a process of its own, over a home with tiny local models.

The models write noise: tests look at structure, never at meaning. Names: ``tiny`` (writes, calls
tools), ``tiny-adapter`` (the same base with an adapter), ``team/words:v1`` (embeds), ``ranks``
(ranks documents).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

import tiny_gguf
from local_models import install_local
from metier.assembly import Metier
from metier.settings import Settings

SOURCE = Path(__file__).resolve().parents[1] / "src"
WRITES, ADAPTED, EMBEDS, RANKS = "tiny", "tiny-adapter", "team/words:v1", "ranks"


@dataclass(frozen=True)
class Served:
    """A running server: where it answers, its process, and the home it serves."""

    address: str
    process: subprocess.Popen[bytes]
    home: Path
    log: Path

    def client(self, **more: object) -> httpx.Client:
        """A plain HTTP client for it."""
        return httpx.Client(base_url=self.address, timeout=60, trust_env=False, **more)


def stock(home: Path, folder: Path) -> None:
    """Put the tiny models into a home."""
    metier = Metier.open(Settings.read({"METIER_HOME": str(home)}))
    base = tiny_gguf.tiny_model(folder)
    metier.fleet.import_gguf(base, WRITES)
    metier.fleet.import_gguf(tiny_gguf.tiny_embedder(folder), EMBEDS)
    metier.fleet.import_gguf(tiny_gguf.tiny_reranker(folder), RANKS)
    adapter = tiny_gguf.tiny_adapter(folder, base, seed=3)
    install_local(metier.fleet, ADAPTED, base, (adapter,), kind="specialist", parent=WRITES)
    metier.close()


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(home: Path, *options: str, threads: int = 1) -> Iterator[Served]:
    """``metier up`` over ``home`` until the block ends."""
    port, log = free_port(), home.parent / f"{home.name}.log"
    environment = {
        **os.environ,
        "METIER_HOME": str(home),
        "METIER_THREADS": str(threads),
        "PYTHONFAULTHANDLER": "1",
        "PYTHONPATH": os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")]),
    }
    command: Sequence[str] = [
        sys.executable, "-m", "metier", "up", "--port", str(port), *options,
    ]  # fmt: skip
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, env=environment, stdout=said, stderr=said, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _until_ready(address, process, log)
        yield Served(address, process, home, log)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text("utf-8", "replace")
        try:
            if httpx.get(f"{address}/health", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"the server did not answer: {log.read_text('utf-8', 'replace')}")
