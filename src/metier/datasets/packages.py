"""Files of an npm package at an exact release, fetched by the ``npm`` command and nothing else.

It knows the archive that npm packs, its integrity, and how to read it without unpacking it onto
the disk; no script of a package is run. Which registry is asked is npm's own configuration.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from metier.errors import CorruptError, NotFoundError, UnavailableError

SECONDS = 300.0
"""The longest that npm may take."""
MAX_BYTES = 200 << 20
"""Bytes of all files of a package that are read."""
_OFFLINE = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|"
    r"network|socket hang up",
    re.IGNORECASE,
)


def package_files(
    package: str, release: str, integrity: str | None, *, folder: Path
) -> dict[str, bytes]:
    """The regular files of a package, by their path inside it.

    Args:
        package: Its name.
        release: Its exact version.
        integrity: ``sha512-…`` that its archive must have, or ``None``.
        folder: An empty folder for the archive.

    Raises:
        UnavailableError: ``no_npm``, ``offline``, ``timeout`` or ``npm_failed``.
        NotFoundError: ``no_package``.
        CorruptError: The archive has another digest or is damaged (``npm_integrity``).
    """
    archive = _packed(f"{package}@{release}", folder)
    if integrity is not None:
        found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != integrity:
            raise CorruptError(
                f"The archive of {package} {release} is not the one in the recipe: expected "
                f"{integrity[:24]}…, got {found[:24]}….",
                code="npm_integrity",
                remedy="Check the release and its integrity in the recipe.",
            )
    try:
        return _read(archive, package)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise CorruptError(
            f"The archive of {package} {release} cannot be read: {error}.", code="npm_integrity"
        ) from error


def _packed(wanted: str, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise UnavailableError(
            "The recipe needs the npm command, and there is none on this machine.",
            code="no_npm",
            remedy="Install Node 20 or newer, which brings npm.",
        )
    command = [npm, "pack", wanted, "--ignore-scripts", "--silent", "--pack-destination", "."]
    try:
        done = subprocess.run(
            [*command, "--prefer-offline"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(
            f"npm did not end within {SECONDS:.0f} s while it fetched {wanted}.",
            code="timeout",
            retryable=True,
        ) from error
    archives = sorted(folder.glob("*.tgz"))
    if done.returncode == 0 and len(archives) == 1:
        return archives[0]
    raise _failure(wanted, (done.stdout + done.stderr).decode("utf-8", "replace"))


def _failure(wanted: str, said: str) -> UnavailableError | NotFoundError:
    if re.search(r"\bE404\b|\bETARGET\b|No matching version", said):
        return NotFoundError(
            f"npm knows no package {wanted}.",
            code="no_package",
            remedy="Check package and release in the recipe.",
        )
    offline = bool(_OFFLINE.search(said))
    return UnavailableError(
        f"npm could not fetch {wanted}: {' '.join(said.split())[:300] or 'it gave no reason'}.",
        code="offline" if offline else "npm_failed",
        remedy="Connect to the network, or set METIER_MIRROR to a folder that has the documents.",
        retryable=offline,
    )


def _read(archive: Path, package: str) -> dict[str, bytes]:
    """Regular files below the archive's one folder; links and devices are passed over."""
    files: dict[str, bytes] = {}
    total = 0
    with tarfile.open(archive, "r:gz") as opened:
        for member in opened:
            path = member.name.partition("/")[2]
            if not member.isfile() or not path or ".." in path.split("/"):
                continue
            total += member.size
            if total > MAX_BYTES:
                raise CorruptError(
                    f"{package} unpacks to more than {MAX_BYTES >> 20} MiB.", code="npm_integrity"
                )
            stream = opened.extractfile(member)
            if stream is not None:
                files[path] = stream.read()
    return files
