"""Where the server of a home folder answers: a small file that ``metier up`` keeps while it runs.

It writes, reads and removes that file, and reads the file of the server's key. A file that a
killed server left behind is told by its process, which is gone. It calls nobody.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from metier.errors import InputError

_FILE = "server.json"


def announce_presence(home: Path, address: str) -> None:
    """Say that this process answers at ``address``; the last server to say so is found."""
    path = home / _FILE
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps({"address": address, "pid": os.getpid()}), "utf-8")
    temporary.replace(path)


def withdraw_presence(home: Path) -> None:
    """Take back what this process said; another server's word stays."""
    found = _read(home / _FILE)
    if found is not None and found[1] == os.getpid():
        (home / _FILE).unlink(missing_ok=True)


def read_presence(home: Path) -> str | None:
    """The address of the server that runs over a home folder, or ``None``."""
    found = _read(home / _FILE)
    if found is None:
        return None
    address, process = found
    with suppress(PermissionError):  # it is there, and somebody else's
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return None
    return address


def _read(path: Path) -> tuple[str, int] | None:
    try:
        document = json.loads(path.read_text("utf-8"))
        return str(document["address"]), int(document["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_key(path: Path) -> str:
    """A server's key from its file; raises InputError (code ``bad_key_file``)."""
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The key file {str(path)!r} cannot be read.", code="bad_key_file"
        ) from error
    if not key:
        raise InputError(
            f"The key file {str(path)!r} is empty.",
            code="bad_key_file",
            remedy="Put a key of your choice into it, one line.",
        )
    return key
