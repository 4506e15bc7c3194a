"""Trying a vision encoder before it is installed: once, in a process that may not take much.

It knows how much memory and time one look at one picture may take. A graph of a few hundred bytes
can ask for terabytes, and ONNX Runtime allocates whatever it is asked for, so the process that
serves people must not be the first to run it. A graph that has run once takes the same again: its
input has one size, and loops are refused before.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from metier.errors import (
    CorruptError,
    InputError,
    MetierError,
    NotFoundError,
    UnavailableError,
)
from metier.picturing import VISION_FILE, VISION_GRAPH, Picture
from metier.sandbox import Limits, Place, Running, detect, packages, plain, python

SECONDS: Final = 120.0
"""The longest that loading it and one look may take."""
_LEAST_MB: Final = 2_048
_TIMES_THE_GRAPH: Final = 6
_NEEDED: Final = ("metier", "numpy", "onnxruntime", "pydantic")
_FOLDER: Final = "/job/encoder"
_CODE: Final = (
    "import os, sys; sys.path[:0] = sys.argv[2:]; "
    "from metier.engines.visiontrial import look_once; "
    "look_once(sys.argv[1], int(os.environ['METIER_REPLIES']))"
)


def tried_dimension(folder: Path) -> int:
    """The length of the vectors of the encoder in ``folder``, found by running it once.

    Args:
        folder: Holds ``vision.json`` and ``model.onnx``.

    Raises:
        CorruptError: ONNX Runtime cannot run it as described (``bad_graph``).
        InputError: It takes too much memory or time for one picture (``too_large``).
    """
    graph = (folder / VISION_GRAPH).resolve()
    limits = _limits(graph.stat().st_size)
    running = _started(folder, graph, limits)
    try:
        running.send(b"look")  # nobody reads it; from here on a plain process is watched
        said = json.loads(running.receive(seconds=SECONDS))
    except UnavailableError as error:
        stopped = running.close().stopped
        late = stopped == "time" or error.code == "sandbox_timeout"
        what = f"{SECONDS:.0f} s" if late else f"{limits.memory_mb / 1024:.1f} GB of memory"
        raise InputError(
            f"The graph takes more than {what} to look at one picture, or ends its process.",
            code="too_large",
            remedy="Export it for inference, with a smaller size of picture.",
        ) from error
    running.close()
    if "refused" in said:
        raise CorruptError(said["refused"], code="bad_graph", remedy=said["remedy"])
    return int(said["dimension"])


def look_once(folder: str, replies: int) -> None:
    """In the process: run it and say the dimension, or what is wrong, into ``replies``."""
    from metier.engines.seeing import VisionEncoder

    try:
        said: dict[str, object] = {"dimension": VisionEncoder(Path(folder), _Nothing()).dimension}
    except MetierError as error:
        said = {"refused": error.message, "remedy": error.remedy}
    os.write(replies, json.dumps(said).encode() + b"\n")


class _Nothing:
    """No pictures: opening an encoder looks at one of its own."""

    def get(self, digest: str) -> Picture:
        raise NotFoundError(f"There is no picture {digest}.", code="picture_not_here")


def _started(folder: Path, graph: Path, limits: Limits) -> Running:
    program, own = python()
    needed = packages(*_NEEDED)
    command = [program, "-I", "-S", "-B", "-X", "utf8", "-c", _CODE]
    try:
        sandbox = detect()
    except UnavailableError:  # macOS: docs/decisions/0338
        paths = [str(place.source) for place in needed]
        return plain([*command, str(folder), *paths], limits=limits)
    places = (
        *own,
        *needed,
        Place(folder / VISION_FILE, f"{_FOLDER}/{VISION_FILE}"),
        Place(graph, f"{_FOLDER}/{VISION_GRAPH}"),
    )
    command += [_FOLDER, *(place.target for place in needed)]
    return sandbox.start(command, places=places, limits=limits)


def _limits(graph_bytes: int) -> Limits:
    memory = _LEAST_MB + _TIMES_THE_GRAPH * (graph_bytes >> 20)
    return Limits(
        seconds=SECONDS,
        cpu_seconds=2 * int(SECONDS),
        memory_mb=memory,
        processes=64,
        # What libraries reserve and never touch counts here as well.
        address_mb=2 * memory + 4_096,
    )
