"""Where a recipe's rows come from: a mirror, the cache, a path beside the recipe, a repository.

It knows that rows are addressed by the digest of their bytes and that upstream files are checked
before they are converted; it knows no data set and no model. Whatever the way, the bytes are the
same, and nothing half written is ever found in the cache.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from metier.datasets.converters import UpstreamBytes, canonical_lines
from metier.datasets.repositories import Repository, choose
from metier.errors import InputError, NotFoundError, StorageError
from metier.messages import Progress, Report, silent
from metier.recipe import DataPart, GitRepository, UpstreamFile

AUTO = "auto"
"""The converter that leaves a file as it is, for the reader to recognise."""
PACKED = ".gz"
"""Rows in a mirror may be packed: their digest is that of what is inside."""
_MOST_UNPACKED = 1 << 30
_STALE_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows on this machine, ready to be read.

    Attributes:
        path: A file, or a folder for ``kind = "dir"``.
        sha256: Digest of the file's bytes; of a folder: of its sorted ``digest  path`` lines.
        origin: Where they were found.
        canonical: Whether ``path`` is canonical JSON Lines; otherwise the reader recognises it.
    """

    path: Path
    sha256: str
    origin: Literal["mirror", "cache", "file", "dir", "git"]
    canonical: bool


def resolve(
    part: DataPart,
    *,
    folder: Path,
    mirror: Path | None,
    cache: Path,
    report: Report = silent,
    confined: bool = False,
) -> Rows:
    """The rows of one ``[[data]]`` part: from the mirror, else the cache, else their source.

    Args:
        part: The source, as the recipe names it.
        folder: Where relative paths of the recipe start.
        mirror: A folder searched for JSON files by digest, or ``None``.
        cache: A folder of ours; rows made here are kept in it under their digest.
        report: Told what is being read or fetched, stage ``data``.
        confined: For recipes that came over HTTP: no path outside ``folder``, no address.

    Raises:
        InputError: Codes ``wrong_sha256``, ``path_outside``, ``no_address``, ``no_converter``,
            ``bad_upstream``, ``bad_url``.
        NotFoundError: Codes ``no_file``, ``no_upstream_path``, ``no_commit``, ``no_repository``.
        UnavailableError: Codes ``offline``, ``timeout``, ``git_failed``, ``no_git``.
        StorageError: The cache cannot be written.
    """
    if part.rows_sha256:
        found = _in_mirror(part.rows_sha256, mirror, cache) if mirror else None
        origin: Literal["mirror", "cache"] = "mirror"
        if found is not None and found.suffix == PACKED:
            found = _in_cache(part.rows_sha256, cache) or _unpack(found, part.rows_sha256, cache)
        if found is None:
            found, origin = _in_cache(part.rows_sha256, cache), "cache"
        if found is not None:
            return Rows(found, part.rows_sha256, origin, canonical=part.converter != AUTO)
    if part.kind == "git":
        return _from_git(part, cache, report, confined)
    return _from_path(part, folder, cache, report, confined)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# ------------------------------------------------------------------------------ mirror and cache


def _in_mirror(sha256: str, mirror: Path, cache: Path) -> Path | None:
    """The file of the mirror with that digest; digests are remembered by path, size and time."""
    if not mirror.is_dir():
        raise NotFoundError(
            f"The mirror {str(mirror)!r} is not a folder.",
            code="no_mirror",
            remedy="Set METIER_MIRROR to a folder of JSON Lines files, or unset it.",
        )
    known = _read_index(cache / "mirror.json")
    index: dict[str, str] = {}
    hit: Path | None = None
    for path in regular_files(mirror):
        if not path.name.endswith((".jsonl", ".json", f".jsonl{PACKED}")):
            continue
        try:
            facts = path.stat()
            key = f"{path.absolute()}\n{facts.st_size}\n{facts.st_mtime_ns}"
            index[key] = known.get(key) or _rows_sha256(path)
            if index[key] == sha256 and hit is None and _rows_sha256(path) == sha256:
                hit = path
        except (OSError, EOFError, zlib.error):  # gone meanwhile, not ours to read, cut off
            continue
    if index != known:
        with folder_for_a_while(cache) as temporary, disk_errors(cache):
            written = temporary / "mirror.json"
            written.write_text(json.dumps(index, indent=0), encoding="utf-8")
            written.replace(cache / "mirror.json")
    return hit


def _rows_sha256(path: Path) -> str:
    """Digest of the rows in a mirror's file, unpacked if it is packed."""
    if path.suffix != PACKED:
        return file_sha256(path)
    digest, left = hashlib.sha256(), _MOST_UNPACKED
    with gzip.open(path) as stream:
        while left > 0 and (piece := stream.read(1 << 20)):
            digest.update(piece)
            left -= len(piece)
    return digest.hexdigest() if left > 0 else "too large"


def _unpack(path: Path, sha256: str, cache: Path) -> Path:
    """The rows of a packed file, in the cache."""
    with gzip.open(path) as stream:
        return _keep(stream, sha256, cache, f"the rows of {path.name!r}")


def _read_index(path: Path) -> dict[str, str]:
    """The remembered digests; a missing or damaged index is an empty one."""
    try:
        index = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return index if isinstance(index, dict) else {}


def _in_cache(sha256: str, cache: Path) -> Path | None:
    """The rows kept under that digest; a copy that lost its digest is removed, not used."""
    for path in (cache / "rows").glob(f"{sha256}.*"):
        if file_sha256(path) == sha256:
            return path
        path.unlink(missing_ok=True)
    return None


def _keep(
    lines: Iterable[bytes], expected: str | None, cache: Path, where: str, *, suffix: str = ".jsonl"
) -> Path:
    """Write lines into the cache under the digest of them all, whole or not at all."""
    digest = hashlib.sha256()
    with folder_for_a_while(cache) as temporary:
        written = temporary / "rows"
        with disk_errors(cache), written.open("wb") as stream:
            for line in lines:
                digest.update(line)
                stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())
        _check(where, expected, digest.hexdigest())
        target = cache / "rows" / f"{digest.hexdigest()}{suffix}"
        with disk_errors(cache):
            target.parent.mkdir(parents=True, exist_ok=True)
            written.replace(target)
            _flush_folder(target.parent)
    return target


# ------------------------------------------------------------------------------------ local paths


def _from_path(part: DataPart, folder: Path, cache: Path, report: Report, confined: bool) -> Rows:
    path = located(part.path or "", folder, confined)
    report(Progress("data", f"Reading {path.name}."))
    if part.kind == "dir":
        if not path.is_dir():
            raise _missing(path, "folder")
        files = list(regular_files(path))
        digest = hashlib.sha256()
        for file in files:
            line = f"{file_sha256(file)}  {file.relative_to(path).as_posix()}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
        if part.converter == AUTO:
            _check(f"the folder {path.name!r}", part.rows_sha256, digest.hexdigest())
            return Rows(path, digest.hexdigest(), "dir", canonical=False)
        upstream = [
            UpstreamBytes(file.relative_to(path).as_posix(), file.read_bytes()) for file in files
        ]
    else:
        if not path.is_file():
            raise _missing(path, "file")
        if part.converter == AUTO:
            sha256 = file_sha256(path)
            _check(f"the file {path.name!r}", part.rows_sha256, sha256)
            return Rows(path, sha256, "file", canonical=False)
        upstream = [UpstreamBytes(path.name, path.read_bytes())]
    _check_files(upstream, part.files)
    lines = canonical_lines(part.converter, upstream)
    kept = _keep(lines, part.rows_sha256, cache, f"the rows of {path.name!r}")
    return Rows(kept, kept.stem, "dir" if part.kind == "dir" else "file", canonical=True)


def located(path: str, folder: Path, confined: bool) -> Path:
    """Where a recipe's path points; a confined one must stay inside ``folder``, links resolved."""
    location = folder / path
    if confined:
        home = folder.resolve()
        if Path(path).is_absolute() or not location.resolve().is_relative_to(home):
            raise InputError(
                f"The recipe names {path!r}, which is outside its own folder.",
                code="path_outside",
                remedy="Upload the data with the recipe and name it by its file name.",
            )
    return location


def regular_files(folder: Path) -> Iterator[Path]:
    """Every regular file beneath ``folder`` in sorted order; no links, nothing hidden."""
    for root, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path


def _missing(path: Path, what: str) -> NotFoundError:
    return NotFoundError(
        f"There is no {what} {str(path)!r}.",
        code="no_file",
        remedy="A path in a recipe starts at the folder of the recipe.",
    )


# ------------------------------------------------------------------------------------ repositories


def _from_git(part: DataPart, cache: Path, report: Report, confined: bool) -> Rows:
    if confined:
        raise InputError(
            "A recipe that comes over HTTP cannot fetch from an address.",
            code="no_address",
            remedy="Upload the rows, or run 'metier make' with the recipe on this machine.",
        )
    upstream: list[UpstreamBytes] = []
    repositories = part.repositories or (_single(part),)
    for number, wanted in enumerate(repositories):
        report(
            Progress(
                "data",
                f"Fetching {wanted.url} at {wanted.commit[:12]}.",
                data={"repository": number + 1, "repositories": len(repositories)},
            )
        )
        upstream += _fetched(wanted, part.files, cache, named=bool(part.repositories))
    _check_files(upstream, part.files)
    where = f"the rows of {repositories[0].url}"
    if part.converter != AUTO:
        lines = canonical_lines(part.converter, upstream)
        kept = _keep(lines, part.rows_sha256, cache, where)
    elif len(upstream) == 1:
        suffix = Path(upstream[0].name).suffix or ".txt"
        kept = _keep([upstream[0].content], part.rows_sha256, cache, where, suffix=suffix)
    else:
        raise InputError(
            f"The recipe takes {len(upstream)} files of {repositories[0].url} without a converter.",
            code="no_converter",
            remedy="Name a converter, or one file.",
        )
    return Rows(kept, kept.stem, "git", canonical=part.converter != AUTO)


def _single(part: DataPart) -> GitRepository:
    """A part with one repository in the form of a part with several."""
    paths = tuple(file.path for file in part.files) or (part.path or "",)
    return GitRepository.model_construct(
        url=part.url or "", commit=part.commit or "", paths=paths, limit=None, split=""
    )


def _fetched(
    wanted: GitRepository, files: tuple[UpstreamFile, ...], cache: Path, *, named: bool
) -> list[UpstreamBytes]:
    """The wanted files of one repository: in the order of ``files``, else sorted by path."""
    with folder_for_a_while(cache) as temporary:
        repository = Repository(wanted.url, wanted.commit, temporary / "git")
        blobs = repository.blobs()
        if files:
            by_path = {blob.path: blob for blob in blobs}
            absent = [file.path for file in files if file.path not in by_path]
            chosen = [by_path[file.path] for file in files if file.path in by_path]
        else:
            chosen = choose(blobs, wanted.paths, wanted.limit)
            absent = [] if chosen else list(wanted.paths)
        if absent:
            raise NotFoundError(
                f"{wanted.url} has no {absent[0]!r} at commit {wanted.commit[:12]}.",
                code="no_upstream_path",
                remedy="Check path and commit in the recipe.",
                details={"url": wanted.url, "commit": wanted.commit, "paths": absent},
            )
        contents = repository.read(chosen)
    name = wanted.url.removesuffix(".git").rstrip("/") if named else ""
    return [
        UpstreamBytes(blob.path, content, "/".join(name.split("/")[-2:]), wanted.split)
        for blob, content in zip(chosen, contents, strict=True)
    ]


def _check_files(upstream: list[UpstreamBytes], files: tuple[UpstreamFile, ...]) -> None:
    expected = {file.path: file.sha256 for file in files}
    for file in upstream:
        if file.path in expected:
            got = hashlib.sha256(file.content).hexdigest()
            _check(f"the upstream file {file.path!r}", expected[file.path], got)


def _check(where: str, expected: str | None, got: str) -> None:
    if expected is not None and got != expected:
        raise InputError(
            f"The digest of {where} is not the one in the recipe: expected sha256 {expected}, "
            f"got {got}.",
            code="wrong_sha256",
            remedy="The data changed since the recipe was written: get the version it names, or "
            "check the new data and write its digest into the recipe.",
            details={"expected": expected, "got": got},
        )


# ------------------------------------------------------------------------------------------- disk


@contextmanager
def folder_for_a_while(cache: Path) -> Iterator[Path]:
    """A fresh folder in the cache that is gone afterwards; day-old ones of killed runs go too."""
    partial = cache / "partial"
    with disk_errors(cache):
        partial.mkdir(parents=True, exist_ok=True)
        for old in partial.iterdir():
            if time.time() - old.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(old, ignore_errors=True)
        temporary = Path(tempfile.mkdtemp(dir=partial))
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def disk_errors(cache: Path) -> Iterator[None]:
    """The disk's own errors as StorageError; a full one may be tried again."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StorageError(
            f"The cache {str(cache)!r} cannot be written: {error.strerror or error}.",
            code="disk_full" if full else "storage",
            remedy="Free some space." if full else "Check the folder's permissions.",
            retryable=full,
        ) from error


def _flush_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
