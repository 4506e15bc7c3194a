"""Files of a git repository at a commit, read by the ``git`` command and nothing else.

It knows how to fetch little (one commit, only the blobs that are wanted) and how to say what went
wrong; it knows neither rows nor recipes. No work tree is checked out, so that no filter, hook or
line-ending rule of anybody can change a byte: contents come from ``git cat-file``. The child's
environment is cleared of git's variables with ``env``; this module reads no environment of its own.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from metier.errors import (
    InputError,
    MetierError,
    NotFoundError,
    StorageError,
    UnavailableError,
)

FETCH_SECONDS = 900.0
"""The longest that one git command may take."""
MAX_FILE_BYTES = 512 << 20
"""A larger file is refused: it is not a text data set."""

_SCHEMES = ("https", "ssh", "file")
_UNSET = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_ALLOW_PROTOCOL",
    "GIT_EXTERNAL_DIFF",
    "GIT_ASKPASS",
    "SSH_ASKPASS",
)
_SETTINGS = (
    "protocol.allow=never",
    "protocol.ext.allow=never",
    *(f"protocol.{scheme}.allow=always" for scheme in _SCHEMES),
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "gc.auto=0",
    "maintenance.auto=false",
    "fetch.recurseSubmodules=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
    "advice.detachedHead=false",
)
_OFFLINE = re.compile(
    r"could not resolve|couldn't resolve|unable to access|failed to connect|connection (refused|"
    r"reset|timed out)|network is unreachable|no route to host|early eof|the remote end hung up",
    re.IGNORECASE,
)
_NO_REPOSITORY = re.compile(
    r"repository .*not found|does not appear to be a git repository|could not read username|"
    r"authentication failed|permission denied \(|error: 404",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Blob:
    """One regular file of a commit.

    Attributes:
        path: Its path in the repository, with ``/``.
        object_id: Git's hash of its bytes.
    """

    path: str
    object_id: str


class Repository:
    """A repository at one commit, in a folder that the caller provides and removes."""

    def __init__(self, url: str, commit: str, folder: Path, *, seconds: float = FETCH_SECONDS):
        """Fetch ``commit`` of ``url`` into ``folder`` (made if missing), without file contents.

        Args:
            url: An ``https``, ``ssh`` or ``file`` address.
            commit: 7 to 64 hexadecimal digits; fewer than 40 need the whole history.
            folder: An empty folder for git's own files.
            seconds: The longest that one git command may take.

        Raises:
            InputError: Code ``bad_url``.
            UnavailableError: Code ``no_git``, ``offline``, ``timeout`` or ``git_failed``.
            NotFoundError: Code ``no_repository`` or ``no_commit``.
        """
        check_url(url)
        if shutil.which("git") is None:
            raise UnavailableError(
                "The recipe needs the git command, and there is none on this machine.",
                code="no_git",
                remedy="Install git, or set METIER_MIRROR to a folder that has the rows.",
            )
        self.url = url
        self.commit = commit
        self._folder = folder
        self._seconds = seconds
        self._git("init", "--quiet", "--bare", "--template=", str(folder), outside=True)
        self._git("config", "remote.origin.url", url)
        self._fetch()

    def blobs(self) -> list[Blob]:
        """Every regular file of the commit, in git's order; no links, no submodules."""
        listing = self._git("ls-tree", "-r", "-z", "--full-tree", self.commit)
        found = []
        for entry in listing.decode("utf-8", "surrogateescape").split("\0"):
            facts, separator, path = entry.partition("\t")
            if separator:
                mode, kind, object_id = facts.split()
                if kind == "blob" and mode != "120000":
                    found.append(Blob(path, object_id))
        return found

    def read(self, blobs: Sequence[Blob]) -> list[bytes]:
        """The bytes of ``blobs``, in their order.

        Raises:
            InputError: Code ``upstream_too_large``.
            UnavailableError: As for the constructor.
        """
        if not blobs:
            return []
        wanted = "".join(
            f"{object_id}\n" for object_id in dict.fromkeys(b.object_id for b in blobs)
        )
        self._prefetch(wanted)
        output = self._git("cat-file", "--batch", given=wanted.encode())
        contents: dict[str, bytes] = {}
        at = 0
        while at < len(output):
            end = output.index(b"\n", at)
            object_id, kind, *rest = output[at:end].decode().split()
            if kind != "blob":
                raise self._failed(f"{object_id} is {kind}")
            size = int(rest[0])
            if size > MAX_FILE_BYTES:
                raise InputError(
                    f"A file of {self.url} has {size:,} bytes; {MAX_FILE_BYTES:,} are allowed.",
                    code="upstream_too_large",
                    remedy="Name smaller files in the recipe.",
                )
            contents[object_id] = output[end + 1 : end + 1 + size]
            at = end + 1 + size + 1
        return [contents[blob.object_id] for blob in blobs]

    def _fetch(self) -> None:
        """One commit without blobs; if the server will not give that, the whole history."""
        common = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--filter=blob:none")
        if len(self.commit) >= 40:
            try:
                self._git(*common, "--depth=1", "origin", self.commit)
            except UnavailableError as error:
                if error.code != "git_failed":
                    raise
        if not self._has_commit():
            everything = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
            self._git(*common, "origin", *everything)
        if not self._has_commit():
            raise NotFoundError(
                f"{self.url} has no commit {self.commit}.",
                code="no_commit",
                remedy="Check the commit in the recipe, or whether upstream rewrote its history.",
                details={"url": self.url, "commit": self.commit},
            )

    def _has_commit(self) -> bool:
        try:
            found = self._git("rev-parse", "--verify", "--quiet", f"{self.commit}^{{commit}}")
        except MetierError:
            return False
        return found.decode().strip().startswith(self.commit)

    def _prefetch(self, wanted: str) -> None:
        """Ask for all missing blobs at once; ``cat-file`` would ask for them one by one."""
        try:
            self._git(
                "-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags",
                "--no-write-fetch-head", "--filter=blob:none", "--stdin", "origin",
                given=wanted.encode(),
            )  # fmt: skip
        except UnavailableError as error:
            if error.code != "git_failed":
                raise

    def _git(self, *arguments: str, given: bytes = b"", outside: bool = False) -> bytes:
        """Run git and return what it printed; raises UnavailableError or NotFoundError."""
        command = ["env", *(part for name in _UNSET for part in ("-u", name))]
        command += [
            "LC_ALL=C",
            "GIT_TERMINAL_PROMPT=0",
            "GIT_SSH_COMMAND=ssh -oBatchMode=yes",
            "git",
        ]
        command += [part for setting in _SETTINGS for part in ("-c", setting)]
        command += [] if outside else [f"--git-dir={self._folder}"]
        process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            output, said = process.communicate(given, timeout=self._seconds)
        except subprocess.TimeoutExpired as error:
            raise UnavailableError(
                f"git did not finish with {self.url} in {self._seconds:.0f} seconds.",
                code="timeout",
                remedy="Try again on a better connection, or set METIER_MIRROR.",
                retryable=True,
            ) from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        if process.returncode:
            raise self._failed(said.decode("utf-8", "replace"))
        return output

    def _failed(self, said: str) -> MetierError:
        last = next((line for line in reversed(said.strip().splitlines()) if line.strip()), "")
        details = {"url": self.url, "commit": self.commit, "git": said.strip()[-2000:]}
        if "no space left on device" in said.lower():
            return StorageError(
                f"The disk filled up while fetching {self.url}.",
                code="disk_full",
                remedy="Free some space and try again; nothing was kept.",
                retryable=True,
                details=details,
            )
        if _NO_REPOSITORY.search(said):
            return NotFoundError(
                f"There is no repository that can be read at {self.url}.",
                code="no_repository",
                remedy="Check the url in the recipe; private repositories need ssh keys.",
                details=details,
            )
        if _OFFLINE.search(said):
            return UnavailableError(
                f"{self.url} cannot be reached: {last[:300]}",
                code="offline",
                remedy="Connect to the network and try again, or set METIER_MIRROR to a folder "
                "that has the rows.",
                retryable=True,
                details=details,
            )
        return UnavailableError(
            f"git failed with {self.url}: {last[:300] or 'it gave no reason'}",
            code="git_failed",
            remedy="Try again; if it stays, run git by hand with that address.",
            retryable=True,
            details=details,
        )


def check_url(url: str) -> None:
    """Refuse every address but plain https, ssh and file ones; raises InputError (``bad_url``)."""
    why = None
    parts = urlsplit(url)
    if re.search(r"[\s\x00-\x1f\x7f]", url):
        why = "it has white space or control characters"
    elif parts.scheme not in _SCHEMES or "::" in url.partition("://")[0]:
        why = f"only {', '.join(_SCHEMES)} addresses are fetched"
    elif parts.scheme != "file" and (not parts.hostname or parts.hostname.startswith("-")):
        why = "it names no host"
    elif parts.scheme == "file" and parts.netloc:
        why = "a file address has three slashes"
    elif parts.password or (parts.scheme == "https" and parts.username):
        why = "it carries a password or token"
    if why:
        shown = url if why != "it carries a password or token" else parts.hostname
        raise InputError(
            f"{shown!r} cannot be fetched: {why}.",
            code="bad_url",
            remedy="Use an address like 'https://host/owner/name'.",
        )


def choose(blobs: Sequence[Blob], patterns: Sequence[str], limit: int | None = None) -> list[Blob]:
    """The files that ``patterns`` name, sorted by path.

    Args:
        blobs: All files of a commit.
        patterns: Paths or globs: ``*`` and ``?`` stay inside a folder, ``**`` does not, a folder
            means all under it, a leading ``!`` leaves out.
        limit: At most so many files of each glob: those whose path has the smallest SHA-256.
    """
    left_out = [_expression(pattern[1:]) for pattern in patterns if pattern.startswith("!")]
    kept = [blob for blob in blobs if not any(rule.fullmatch(blob.path) for rule in left_out)]
    chosen: dict[str, Blob] = {}
    for pattern in patterns:
        if not pattern.startswith("!"):
            rule = _expression(pattern)
            matches = [blob for blob in kept if rule.fullmatch(blob.path)]
            matches.sort(key=lambda blob: hashlib.sha256(os.fsencode(blob.path)).digest())
            chosen.update((blob.path, blob) for blob in matches[:limit])
    return [chosen[path] for path in sorted(chosen)]


def _expression(pattern: str) -> re.Pattern[str]:
    """The regular expression of a glob over paths with ``/``; a plain path is also a folder."""
    translated = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.strip("/"))
    body = "".join(translated.get(piece, re.escape(piece)) for piece in pieces)
    beneath = "" if pieces[1:] else "(?:/.*)?"
    return re.compile(body + beneath, re.DOTALL)
