"""What is known of files elsewhere before one byte of them is here: values only.

It reads nothing and asks nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256 as _sha256

_HEX64, _HEX40 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file elsewhere.

    Attributes:
        path: Its path in its repository, ``/`` between folders.
        url: Where its bytes are.
        size: Bytes, or ``None`` if the source does not say.
        sha256: 64 hexadecimal digits, or ``None`` if the source does not say.
        git_sha1: What git calls the file (40 digits), for files that carry no SHA-256.
    """

    path: str
    url: str
    size: int | None = None
    sha256: str | None = None
    git_sha1: str | None = None

    @property
    def key(self) -> str:
        """64 hexadecimal digits that stand for its bytes, or else for its address."""
        if self.sha256:
            return self.sha256
        origin = f"git {self.git_sha1}" if self.git_sha1 else f"url {self.url}"
        return _sha256(origin.encode()).hexdigest()

    @property
    def filename(self) -> str:
        """The last part of its path."""
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository of the hub at one commit.

    Attributes:
        name: ``owner/name``.
        commit: 40 hexadecimal digits.
        files: Everything in it.
        licence: As its card says, lower case, or ``None``.
        base: What its card says it was made from, or ``None``.
    """

    name: str
    commit: str
    files: tuple[RemoteFile, ...]
    licence: str | None = None
    base: str | None = None

    def file(self, path: str) -> RemoteFile | None:
        """The file of this path."""
        return next((file for file in self.files if file.path == path), None)


def as_sha256(text: object) -> str | None:
    """``text`` if it is 64 lower-case hexadecimal digits (``sha256:`` before them allowed)."""
    if not isinstance(text, str):
        return None
    plain = text.strip().removeprefix("sha256:").lower()
    return plain if _HEX64.fullmatch(plain) else None


def as_git_sha1(text: object) -> str | None:
    """``text`` if it is 40 lower-case hexadecimal digits."""
    return text if isinstance(text, str) and _HEX40.fullmatch(text) else None
