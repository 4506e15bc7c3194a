"""What a sandboxed run is asked for and what comes of it.

It knows limits, read-only places, file names and results; it knows no process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from metier.errors import InputError

Kind = Literal["bubblewrap", "landlock"]
Stopped = Literal["time", "memory", "output", "processes", "disk"]

WORK = "/job"
"""The working folder as the process is told of it; the only one it may write to beside /tmp."""
MOST_FILES = 256


@dataclass(frozen=True, slots=True)
class Limits:
    """What a sandboxed process and its children may use.

    Attributes:
        seconds: Wall seconds from the start (of a pooled process: from when it is taken).
        cpu_seconds: Processor seconds of each process.
        memory_mb: Megabytes of memory of all processes together.
        processes: Processes and threads together (Node alone starts about 11).
        file_mb: Megabytes of one file.
        output_bytes: Bytes of stdout and stderr together, and of one line of a reply.
        disk_mb: Megabytes of everything written into the working folder.
        open_files: Open files of each process.
        address_mb: Megabytes of address space of each process; ``None``: ``memory_mb`` for
            Python, whose allocations then fail cleanly, and no limit for others (Node reserves
            gigabytes that it never touches).
    """

    seconds: float = 10.0
    cpu_seconds: int = 10
    memory_mb: int = 1024
    processes: int = 64
    file_mb: int = 16
    output_bytes: int = 1_000_000
    disk_mb: int = 64
    open_files: int = 256
    address_mb: int | None = None

    def address_bytes(self, program: str) -> int | None:
        """The cap on address space for a program, in bytes, or ``None`` for no cap."""
        if self.address_mb is not None:
            return self.address_mb << 20
        return self.memory_mb << 20 if PurePosixPath(program).name.startswith("python") else None


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder that the process may read: where it lies, and where the process sees it.

    With bubblewrap it is mounted at ``target``. Landlock cannot mount: there the process sees it
    at ``source``, and what in the command or the environment begins with ``target`` is rewritten;
    a target inside ``/job`` becomes a link.
    """

    source: Path
    target: str


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended.

    Attributes:
        status: Exit status as a shell says it: 128 + n after signal n.
        stdout: What it wrote, up to the limit.
        stderr: What it wrote, up to the limit.
        seconds: Wall seconds from start (or from when it was taken) to end.
        stopped: The limit that ended it, or ``None`` if it ended by itself or was closed.
    """

    status: int
    stdout: bytes
    stderr: bytes
    seconds: float
    stopped: Stopped | None


def checked_files(files: Mapping[str, str | bytes]) -> dict[str, bytes]:
    """File contents by relative path, as bytes.

    Raises:
        InputError: ``bad_sandbox_file``: an absolute path, one that leaves the folder, two names
            of which one is a folder of the other, or too many files.
    """
    if len(files) > MOST_FILES:
        raise _bad_file(f"{len(files)} files were given; {MOST_FILES} is the most.")
    names = set(files)
    for name in names:
        path = PurePosixPath(name)
        if not name or name != str(path) or path.is_absolute() or "\0" in name:
            raise _bad_file(f"{name!r} is no relative path of a file.")
        if ".." in path.parts or name == ".":
            raise _bad_file(f"{name!r} is no path inside the working folder.")
        if any(str(parent) in names for parent in path.parents):
            raise _bad_file(f"{name!r} lies inside another file of the same run.")
    return {
        name: value if isinstance(value, bytes) else value.encode() for name, value in files.items()
    }


def checked_place(place: Place) -> Place:
    """The place with its source resolved.

    Raises:
        InputError: ``bad_sandbox_place``: it does not exist, or its target is no absolute path.
    """
    target = PurePosixPath(place.target)
    if not target.is_absolute() or ".." in target.parts or len(target.parts) < 2:
        raise _bad_place(f"The target {place.target!r} is no absolute path below the root.")
    if not place.source.exists():
        raise _bad_place(f"{str(place.source)!r} does not exist.")
    return Place(place.source.resolve(), str(target))


def checked_command(command: object) -> list[str]:
    """The command as a list of texts.

    Raises:
        InputError: ``bad_sandbox_command``: empty, or one text instead of several.
    """
    if isinstance(command, str) or not isinstance(command, list | tuple) or not command:
        raise InputError(
            "A command is a list of a program and its arguments.", code="bad_sandbox_command"
        )
    return [str(item) for item in command]


def _bad_file(message: str) -> InputError:
    return InputError(message, code="bad_sandbox_file")


def _bad_place(message: str) -> InputError:
    return InputError(message, code="bad_sandbox_place")
