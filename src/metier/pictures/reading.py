"""Reading picture files: their headers here, their contents in a worker process.

It knows the worker: how it is confined, how long it may take, and that one which ended is replaced.
Decoders of pictures are the most attacked code that any program carries (the WebP decoder's
CVE-2023-4863 was used before it was known), so they run where they can reach nothing. Where no
sandbox works (macOS), the worker is a process without one, which still ends with a bad file and
takes nobody along: docs/decisions/0338.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metier.errors import MetierError, UnavailableError
from metier.pictures.header import Header, broken, read_header
from metier.picturing import MOST_SIDE, Picture
from metier.sandbox import Limits, Place, Running, Sandbox, detect, plain, python

SECONDS_A_PICTURE = 20.0
"""The longest that one file may take."""
_START_SECONDS = 30.0
_READY = b'"ready"'
_INSIDE = Path(__file__).parent / "inside"
_CODE = (
    "import os, sys; sys.path[:0] = sys.argv[1:]; from inside.program import main; "
    "main(int(os.environ['METIER_REQUESTS']), int(os.environ['METIER_REPLIES']))"
)
_FOR_EVER = 1_000_000_000
_MEMORY_MB = 1_024
_LIMITS = Limits(
    seconds=_FOR_EVER,  # each reply has its own limit
    cpu_seconds=1_000_000,
    memory_mb=_MEMORY_MB,
    processes=8,
    file_mb=1,
    output_bytes=256 << 20,  # of all replies together 64 times as much: then a new worker
    disk_mb=4,
    open_files=64,
)
_MOST_PICTURES = 20_000
"""Files that one worker decodes before it is replaced."""


class Reader:
    """Decodes files in a worker that is started when first needed; threads share it.

    Args:
        sandbox: What confines the worker; ``None`` finds the best one, or does without.
        seconds: The longest that one file may take.
    """

    def __init__(
        self, *, sandbox: Sandbox | None = None, seconds: float = SECONDS_A_PICTURE
    ) -> None:
        self._sandbox = sandbox
        self._seconds = seconds
        self._turn = threading.Lock()
        self._running: Running | None = None
        self._done = 0
        self.confined = False

    def decode(self, data: bytes, *, where: str) -> Picture:
        """The picture in a file's bytes.

        Raises:
            InputError: Not a PNG, JPEG or WebP (``not_a_picture``), broken (``broken_picture``),
                or beyond a limit (``too_large``).
            UnavailableError: The worker does not start (``no_decoder``).
        """
        header = read_header(data, where=where)
        with self._turn:
            reply = self._ask(data, header, where)
        if "refused" in reply:
            raise broken(where, str(reply["refused"]).rstrip("."))
        return Picture(
            width=reply["width"],
            height=reply["height"],
            pixels=base64.b64decode(reply["pixels"]),
            notes=tuple(reply["notes"]),
        )

    def decode_all(self, files: Sequence[bytes], *, where: str) -> list[Picture]:
        """Several files in order; the first that is wrong is named by its place, from 1."""
        several = len(files) > 1
        return [
            self.decode(data, where=f"{where} {number}" if several else where)
            for number, data in enumerate(files, start=1)
        ]

    def close(self) -> None:
        """End the worker; a later file would start a new one."""
        with self._turn:
            running, self._running = self._running, None
        if running is not None:
            running.close()

    def _ask(self, data: bytes, header: Header, where: str) -> dict[str, Any]:
        if self._running is not None and (not self._running.alive or self._done >= _MOST_PICTURES):
            self._running.close()
            self._running = None
        if self._running is None:
            self._running, self._done = self._started(), 0
        running = self._running
        request = {
            "kind": header.format,
            "width": header.width,
            "height": header.height,
            "side": MOST_SIDE,
            "data": base64.b64encode(data).decode("ascii"),
        }
        try:
            running.send(json.dumps(request).encode())
            reply: dict[str, Any] = json.loads(running.receive(seconds=self._seconds))
        except UnavailableError as error:
            self._running = None
            running.close()
            late = error.code == "sandbox_timeout"
            why = f"it took longer than {self._seconds:g} s" if late else "it ended its decoder"
            raise broken(where, why) from error
        self._done += 1
        return reply

    def _started(self) -> Running:
        sandbox = self._sandbox or _sandbox()
        self.confined = sandbox is not None
        running = _start(sandbox) if sandbox is not None else _start_plain()
        try:
            greeting = running.receive(seconds=_START_SECONDS)
        except UnavailableError as error:
            said = running.close().stderr.decode("utf-8", "replace").strip()
            raise _no_decoder(said[-300:]) from error
        if greeting != _READY:
            running.close()
            raise _no_decoder(repr(greeting[:80]))
        return running


def _sandbox() -> Sandbox | None:
    try:
        return detect()
    except MetierError as error:
        if error.code != "no_sandbox":
            raise
        return None


def _start(sandbox: Sandbox) -> Running:
    program, own = python()
    packages = Place(_packages(), "/packages")
    inside = Place(_INSIDE, "/runner/inside")
    command = [program, "-I", "-S", "-B", "-X", "utf8", "-c", _CODE, "/runner", "/packages"]
    return sandbox.start(command, places=(*own, packages, inside), limits=_LIMITS, clock=False)


def _start_plain() -> Running:
    program, _ = python()
    folders = [str(_INSIDE.parent), str(_packages())]
    return plain([program, "-I", "-S", "-B", "-X", "utf8", "-c", _CODE, *folders], limits=_LIMITS)


def _packages() -> Path:
    """The folder from which the worker imports Pillow."""
    found = importlib.util.find_spec("PIL")
    if found is None or found.origin is None:
        raise UnavailableError(
            "The package pillow, which decodes pictures, is not installed.",
            code="no_decoder",
            remedy="Install Metier again: pip install metier.",
        )
    return Path(found.origin).parent.parent


def _no_decoder(said: str) -> UnavailableError:
    return UnavailableError(
        f"The process that decodes pictures does not start: {said}",
        code="no_decoder",
        remedy="Install Metier again: pip install metier.",
    )
