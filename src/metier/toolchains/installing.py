"""One run of ``npm ci`` from a lock file into a folder that appears whole or not at all.

It knows npm's words and failures, the temporary folder, and the lock that keeps two runs apart.
npm reads its own configuration (its registry, its proxy, its cache); nothing here names one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from metier.errors import CorruptError, InputError, MetierError, StorageError, UnavailableError
from metier.messages import Progress, Report
from metier.toolchains.locked import FILES, Lock, Package
from metier.toolchains.node import Node

SECONDS = 900.0
"""The longest that npm may take, and that another process is waited for."""
LEAST_DISK = 250_000_000
"""Free bytes without which it is not tried: the largest toolchain takes 150 MB."""
_PAUSE = 0.1
_SAID = 200_000
_OPTIONS = (
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--prefer-offline",
    "--no-progress",
    "--loglevel=error",
    "--include=optional",
    "--include=dev",
    "--fetch-retries=2",
    "--fetch-retry-mintimeout=500",
    "--fetch-retry-maxtimeout=4000",
)
_OFFLINE = re.compile(
    r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|"
    r"ERR_SOCKET_TIMEOUT|ENOTCACHED|FETCH_ERROR|E50[0-9]|ECONNABORTED|EPROTO)\b"
)
_FULL = re.compile(r"\bENOSPC\b|no space left|\bEDQUOT\b", re.IGNORECASE)
_CHANGED = re.compile(r"\bEINTEGRITY\b")
_DENIED = re.compile(r"\b(EACCES|EPERM|EROFS)\b")


def install(
    wanted: Lock, place: Path, *, node: Node, report: Report, cancelled: Callable[[], bool]
) -> None:
    """Install ``wanted`` at ``place`` unless it is there; see ``Toolchains.install``."""
    command = node.npm_command()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _alone(place.parent, cancelled):
            if (place / "node_modules").is_dir():
                return
            _sweep(place.parent)
            _check_space(place.parent)
            building = Path(tempfile.mkdtemp(prefix=".building-", dir=place.parent))
            try:
                _fill(wanted, building, command, report, cancelled)
                _keep_only(wanted, building)
                _publish(building, place)
            finally:
                shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        raise _storage(error, place.parent) from error
    report(Progress("done", f"{wanted.name} is installed.", 1.0))


def _fill(
    wanted: Lock,
    building: Path,
    command: list[str],
    report: Report,
    cancelled: Callable[[], bool],
) -> None:
    for name in FILES:
        shutil.copyfile(wanted.folder / name, building / name)
    started = time.monotonic()
    total = len(wanted.packages)
    report(Progress("install", f"{wanted.name}: 0 of {total} packages", 0.0))
    with tempfile.TemporaryFile() as said:
        running = subprocess.Popen(
            [*command, "ci", *_OPTIONS],
            cwd=building,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )
        try:
            _follow(running, wanted, building, report, cancelled, started)
        finally:
            _end(running)
        if running.returncode != 0:
            raise _failure(wanted, _tail(said), command)
    missing = [
        item.place
        for item in wanted.packages
        if item.needed and not (building / item.place / "package.json").is_file()
    ]
    if missing:
        raise UnavailableError(
            f"npm ended well but left out {len(missing)} packages of {wanted.name}: "
            f"{', '.join(missing[:5])}.",
            code="npm_failed",
            remedy="Set npm's options 'omit', 'os' and 'cpu' back to what they are by default.",
        )


def _follow(
    running: subprocess.Popen[bytes],
    wanted: Lock,
    building: Path,
    report: Report,
    cancelled: Callable[[], bool],
    started: float,
) -> None:
    """Wait for npm, telling how many packages are there."""
    total = len(wanted.packages)
    told = 0
    while running.poll() is None:
        if cancelled():
            raise InputError(
                f"Stopped before the end; {wanted.name} was not installed.",
                code="cancelled",
                remedy="Run the same command again: what npm fetched is in its cache.",
            )
        if time.monotonic() - started > SECONDS:
            raise UnavailableError(
                f"npm did not end within {SECONDS:.0f} s while it installed {wanted.name}.",
                code="timeout",
                remedy="Try again; what npm fetched is in its cache.",
                retryable=True,
            )
        here = sum((building / item.place / "package.json").is_file() for item in wanted.packages)
        if here != told:
            told = here
            spent = time.monotonic() - started
            left = spent * (total - here) / here if here and total > here else None
            message = f"{wanted.name}: {here} of {total} packages"
            report(Progress("install", message, min(0.99, here / total), left))
        time.sleep(_PAUSE)


def _keep_only(wanted: Lock, building: Path) -> None:
    """Remove what the toolchain does not use: of ONNX Runtime Web, two files of forty."""
    if not wanted.kept:
        return
    kept = {building / name for name in wanted.kept}
    missing = [path for path in kept if not path.is_file()]
    if missing:
        raise UnavailableError(
            f"npm ended well but {wanted.name} has no {missing[0].relative_to(building)}.",
            code="npm_failed",
            remedy="Run 'npm cache verify', then again.",
        )
    for folder, _, names in os.walk(building / "node_modules", topdown=False):
        for name in names:
            if Path(folder) / name not in kept:
                (Path(folder) / name).unlink()
        with suppress(OSError):  # Something in it stays.
            Path(folder).rmdir()


def _end(running: subprocess.Popen[bytes]) -> None:
    """End npm and everything it started, if it still runs."""
    if running.poll() is None:
        # It may end meanwhile.
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def _publish(building: Path, place: Path) -> None:
    """Give the finished folder its name, once its contents are on the disk."""
    os.sync()
    building.chmod(0o755)
    building.rename(place)
    descriptor = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Remove what killed runs left; nobody else works here, the lock is held."""
    for left in folder.glob(".building-*"):
        shutil.rmtree(left, ignore_errors=True)


def _check_space(folder: Path) -> None:
    if shutil.disk_usage(folder).free < LEAST_DISK:
        raise _full(folder)


@contextmanager
def _alone(folder: Path, cancelled: Callable[[], bool]) -> Iterator[None]:
    """Hold the lock of one toolchain; it dies with its process."""
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if cancelled() or time.monotonic() > deadline:
                    raise StorageError(
                        f"{folder} is busy: another process installs there.",
                        code="locked",
                        remedy="Wait until it has ended, then do it again.",
                        retryable=True,
                    ) from error
                time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)


def _tail(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - _SAID))
    return said.read().decode("utf-8", "replace")


def _failure(wanted: Lock, said: str, command: list[str]) -> MetierError:
    """What npm's words mean for the person who asked."""
    reason = _reason(said)
    if _FULL.search(said):
        return _full(wanted.folder, reason)
    if _CHANGED.search(said):
        return CorruptError(
            f"A package of {wanted.name} does not have the digest of the lock file: {reason}",
            code="npm_integrity",
            remedy="The registry or the cache has other bytes. Run 'npm cache verify', then again.",
        )
    if _OFFLINE.search(said):
        missing = not_cached(wanted, command)
        listed = ", ".join(f"{item.name} {item.version}" for item in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        return UnavailableError(
            f"npm reached no registry, and {len(missing)} of {len(wanted.packages)} packages of "
            f"{wanted.name} are not in its cache: {listed}{more}. npm said: {reason}",
            code="offline",
            remedy="Connect, or point npm's 'registry' setting to one that can be reached, then "
            "run it again; once installed it works offline.",
            retryable=True,
            details={"missing": [f"{item.name}@{item.version}" for item in missing]},
        )
    if _DENIED.search(said):
        return StorageError(f"npm may not write: {reason}", code="not_writable")
    return UnavailableError(
        f"npm could not install {wanted.name}: {reason}",
        code="npm_failed",
        remedy="Run 'npm ping' to see whether npm itself works.",
        retryable=True,
    )


def not_cached(wanted: Lock, command: list[str]) -> list[Package]:
    """The packages that npm's cache lacks."""
    asked = subprocess.run(
        [*command, "config", "get", "cache"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    cache = Path(asked.stdout.strip().splitlines()[-1]) if asked.stdout.strip() else Path()
    return [item for item in wanted.packages if not item.content_in(cache).is_file()]


def _reason(said: str) -> str:
    """Npm's own first sentence, without its prefix and the place of its log."""
    lines = [re.sub(r"^npm (error|ERR!) ?", "", line).strip() for line in said.splitlines()]
    told = [line for line in lines if line and "complete log" not in line.lower()]
    codes = [line for line in told if line.startswith("code ")]
    others = [line for line in told if not re.match(r"(code|errno|syscall) ", line)]
    return " ".join([*codes[:1], *others[:1]])[:400] or "nothing"


def _storage(error: OSError, folder: Path) -> MetierError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _full(folder)
    return StorageError(
        f"{folder} cannot be written: {error.strerror}.",
        code="not_writable",
        remedy="Set METIER_TOOLCHAINS to a folder that you may write.",
    )


def _full(folder: Path, reason: str = "") -> StorageError:
    return StorageError(
        f"The disk is full: a toolchain takes up to 150 MB, and installing it needs "
        f"{LEAST_DISK // 1_000_000} MB free at {folder}."
        + (f" npm said: {reason}" if reason else ""),
        code="disk_full",
        remedy="Free some space, or set METIER_TOOLCHAINS to a folder on another disk.",
    )
