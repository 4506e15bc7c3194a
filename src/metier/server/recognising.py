"""Uploads that somebody looks at before a make: kept for two hours under a token, then removed.

It knows folders, tokens and who may use one: the browser that sent it, by a cookie, or this
machine. What is in the rows is the façade's; what is drawn is the website's.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from metier.errors import NotFoundError, UnavailableError
from metier.server.guard import is_loopback
from metier.server.uploads import Upload

COOKIE = "metier_upload"
KEPT_SECONDS = 2 * 3600.0
MOST_KEPT = 12
MOST_BYTES = 2 << 30
FIELDS = ("text", "label", "group", "seed", "curve", "name", "domain", "budget", "drop_leaks")
_TOKEN = re.compile(r"[0-9a-f]{32}")
_NOTE = "look.json"


@dataclass(frozen=True, slots=True)
class Look:
    """One upload that is looked at.

    Attributes:
        token: By which it is found; nobody can guess it.
        upload: Its folder, fields and files.
        owner: What the cookie of its sender must hash to.
        notes: What was done to it, for people.
    """

    token: str
    upload: Upload
    owner: str
    notes: tuple[str, ...] = ()


class Looks:
    """The uploads of one server; threads may share it.

    Args:
        place: The folder of uploads.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._started: OrderedDict[str, str] = OrderedDict()

    def keep(self, upload: Upload, request: Request) -> Look:
        """Keep a fresh upload, whose folder lies in ``place``; makes room by age.

        Raises:
            UnavailableError: It alone is larger than everything that may be kept.
        """
        token = secrets.token_hex(16)
        folder = self._place / token
        upload.folder.replace(folder)
        files = {field: folder / path.name for field, path in upload.files.items()}
        kept = {name: upload.fields[name] for name in FIELDS if name in upload.fields}
        given = request.cookies.get(COOKIE) or secrets.token_urlsafe(24)
        look = Look(token, Upload(folder, kept, files), _hashed(given))
        request.state.metier_upload = given
        self.write(look)
        self._make_room(token)
        return look

    def remember(self, request: Request, response: Response) -> None:
        """Give the browser the cookie that its uploads are bound to."""
        given = getattr(request.state, "metier_upload", None)
        if given is not None:
            response.set_cookie(
                COOKIE, given, httponly=True, samesite="strict", path="/make", max_age=86_400
            )

    def find(self, token: str, request: Request) -> Look:
        """One upload; raises NotFoundError where it is gone or is somebody else's."""
        path = self._place / token / _NOTE
        if not _TOKEN.fullmatch(token) or not path.is_file():
            raise _gone()
        try:
            note = json.loads(path.read_text(encoding="utf-8"))
            folder = path.parent
            files = {field: folder / Path(name).name for field, name in note["files"].items()}
            look = Look(
                token, Upload(folder, note["fields"], files), note["owner"], tuple(note["notes"])
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _gone() from error
        if not self._may(look, request):
            raise _gone()
        return look

    def _may(self, look: Look, request: Request) -> bool:
        if request.client is not None and is_loopback(request.client.host):
            return True
        return hmac.compare_digest(_hashed(request.cookies.get(COOKIE, "")), look.owner)

    def write(self, look: Look) -> None:
        """Note the fields, files and notes of an upload as they are now."""
        note = {
            "owner": look.owner,
            "fields": dict(look.upload.fields),
            "files": {field: path.name for field, path in look.upload.files.items()},
            "notes": list(look.notes),
        }
        path = look.upload.folder / _NOTE
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(note), encoding="utf-8")
        draft.replace(path)

    def with_fields(self, look: Look, fields: Mapping[str, str]) -> Look:
        """The upload with other columns, name or budget."""
        kept = {name: fields[name][:400] for name in FIELDS if name in fields}
        changed = replace(look, upload=replace(look.upload, fields=kept))
        self.write(changed)
        return changed

    def started(self, look: Look, job: str) -> None:
        """The upload belongs to a job now, which keeps and removes its files."""
        with suppress(OSError):
            (look.upload.folder / _NOTE).unlink()
        with self._lock:
            self._started[look.token] = job
            while len(self._started) > 1_000:
                self._started.popitem(last=False)

    def job_of(self, token: str) -> str | None:
        """The job that an upload was started as, if it was."""
        with self._lock:
            return self._started.get(token)

    def forget(self, look: Look) -> None:
        """Remove an upload."""
        shutil.rmtree(look.upload.folder, ignore_errors=True)

    def _make_room(self, newest: str) -> None:
        """Remove what is old, and the oldest of what is too much."""
        before = time.time() - KEPT_SECONDS
        found = []
        for note in self._place.glob(f"*/{_NOTE}"):
            with suppress(OSError):
                folder = note.parent
                size = sum(path.stat().st_size for path in folder.iterdir())
                found.append((folder.name == newest, note.stat().st_mtime, size, folder))
        found.sort(key=lambda one: (not one[0], -one[1]))
        total = 0
        for place, (own, touched, size, folder) in enumerate(found):
            total += size
            if not own and (place >= MOST_KEPT or total > MOST_BYTES or touched < before):
                shutil.rmtree(folder, ignore_errors=True)
                total -= size
        if total > MOST_BYTES:
            raise UnavailableError("The upload is too large to be kept.", code="too_large")


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _gone() -> NotFoundError:
    return NotFoundError(
        "This upload is no longer kept.",
        code="no_file",
        remedy="Uploads wait for two hours. Send the file again at /make.",
    )


def as_json(look: Look, found: Mapping[str, Any]) -> dict[str, Any]:
    """What was recognised, with the fields it was looked at with."""
    return {
        "token": look.token,
        "fields": dict(look.upload.fields),
        "files": {field: path.name for field, path in look.upload.files.items()},
        "done": list(look.notes),
        "found": dict(found),
    }
