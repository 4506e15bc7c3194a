"""Where a pack's documents come from: a mirror, the cache, a folder, a commit, an npm package.

It knows markdown files and the digest over them; it knows no chunk and no search. However they
come, the same recipe gives the same files; a digest that differs stops with both shown.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

from metier.datasets.packages import package_files
from metier.datasets.repositories import Blob, Repository, choose
from metier.datasets.sources import disk_errors, folder_for_a_while, located
from metier.errors import InputError, NotFoundError
from metier.messages import Progress, Report, silent
from metier.recipe import DocumentPart

MAX_FILES = 20_000
MAX_FILE_BYTES = 4 << 20
MAX_BYTES = 64 << 20
"""Of all documents of a source together; the largest site known here has 4 MiB."""
_NO_DOCUMENTS = frozenset({".git", ".hg", ".svn", "node_modules"})
_MAX_MIRROR_FOLDERS = 20_000
_MAX_LISTED = 500_000

Origin = Literal["mirror", "cache", "dir", "git", "npm"]


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of one source.

    Attributes:
        files: Path below the source's folder to text, sorted by path.
        sha256: SHA-256 over the sorted lines ``sha256  path``.
        source: Where they come from, for people: repository and commit, package and release,
            or the folder's name.
        origin: Where they were found.
    """

    files: Mapping[str, str]
    sha256: str
    source: str
    origin: Origin


def documents_of(
    part: DocumentPart,
    *,
    folder: Path,
    mirror: Path | None,
    cache: Path,
    report: Report = silent,
    confined: bool = False,
) -> Documents:
    """The documents of one ``[[data]]`` part of a pack's recipe.

    Args:
        part: The source.
        folder: Where a relative path of the recipe starts.
        mirror: A folder whose folders are searched for the same files, or ``None``.
        cache: A folder of ours; what was fetched is kept in it under its digest.
        report: Told what is read or fetched, stage ``data``.
        confined: For recipes that came over HTTP: no path outside ``folder``, no address.

    Raises:
        InputError: ``wrong_sha256``, ``path_outside``, ``no_address``, ``no_documents``,
            ``bad_encoding``, ``upstream_too_large``.
        NotFoundError: ``no_file``, ``no_upstream_path``, ``no_commit``, ``no_repository``.
        UnavailableError: ``offline``, ``timeout``, ``git_failed``, ``no_git``, ``no_npm``.
        StorageError: The cache cannot be written.
    """
    source = source_of(part)
    if part.files_sha256 is not None and part.kind != "dir":
        mirrored = _in_mirror(part, mirror, part.files_sha256) if mirror else None
        if mirrored is not None:
            report(Progress("data", f"Reading {source} from the mirror."))
            return _documents(mirrored, source, "mirror", part)
        kept = _in_cache(cache, part.files_sha256)
        if kept is not None:
            report(Progress("data", f"Reading {source} from the cache."))
            return Documents(kept, part.files_sha256, source, "cache")
    if part.kind == "dir":
        report(Progress("data", f"Reading {source}."))
        return _documents(_from_folder(part, folder, confined), source, "dir", part)
    if confined:
        raise InputError(
            "A recipe that comes over HTTP cannot fetch from an address.",
            code="no_address",
            remedy="Upload the documents, or run 'metier make' with the recipe on this machine.",
        )
    report(Progress("data", f"Fetching {source}."))
    fetched = _from_git(part, cache) if part.kind == "git" else _from_npm(part, cache)
    found = _documents(fetched, source, part.kind, part)
    _keep(found, cache)
    return found


def source_of(part: DocumentPart) -> str:
    """A source in a few words: ``sveltejs/svelte@15720b16``, ``svelte 5.1.0 (npm)``, ``docs``."""
    if part.kind == "git":
        path = urlsplit(part.url or "").path.strip("/").removesuffix(".git")
        return f"{'/'.join(path.split('/')[-2:])}@{(part.commit or '')[:8]}"
    if part.kind == "npm":
        return f"{part.package} {part.release} (npm)"
    return PurePosixPath(part.path).name or part.path


def digest_of(files: Mapping[str, bytes]) -> str:
    """SHA-256, 64 digits, over the sorted lines ``sha256  path`` of some files."""
    lines = (
        f"{hashlib.sha256(content).hexdigest()}  {path}\n"
        for path, content in sorted(files.items())
    )
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _documents(
    files: Mapping[str, bytes], source: str, origin: Origin, part: DocumentPart
) -> Documents:
    if not files:
        raise InputError(
            f"{source} has no documents that the recipe names.",
            code="no_documents",
            remedy=f"The recipe takes {', '.join(part.paths)} below {part.path or 'its root'!r}.",
        )
    _check_sizes([len(content) for content in files.values()], source)
    sha256 = digest_of(files)
    if part.files_sha256 not in (None, sha256):
        raise InputError(
            f"The digest of the documents of {source} is not the one in the recipe: expected "
            f"sha256 {part.files_sha256}, got {sha256}.",
            code="wrong_sha256",
            remedy="The documents changed since the recipe was written: get the version it names, "
            "or check the new ones and write their digest into the recipe.",
            details={"expected": part.files_sha256, "got": sha256},
        )
    texts = {path: _text(path, content, source) for path, content in sorted(files.items())}
    return Documents(texts, sha256, source, origin)


def _text(path: str, content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path!r} of {source} is not UTF-8 (byte {error.start}).",
            code="bad_encoding",
            remedy="Convert it first, for instance with: iconv -f latin1 -t utf8.",
        ) from error


def _from_folder(part: DocumentPart, folder: Path, confined: bool) -> dict[str, bytes]:
    start = located(part.path, folder, confined)
    if not start.is_dir():
        raise NotFoundError(
            f"There is no folder {str(start)!r}.",
            code="no_file",
            remedy="A path in a recipe starts at the folder of the recipe.",
        )
    return _chosen(start, part.paths)


def _chosen(start: Path, patterns: Sequence[str]) -> dict[str, bytes]:
    """The files below ``start`` that the patterns name, by their path from there."""
    paths = [path.relative_to(start).as_posix() for path in _files_below(start)]
    chosen = choose([Blob(path, "") for path in paths], patterns)
    _check_sizes([(start / blob.path).stat().st_size for blob in chosen], start.name)
    return {blob.path: (start / blob.path).read_bytes() for blob in chosen}


def _files_below(start: Path) -> Iterator[Path]:
    """Every regular file below a folder, sorted; no links.

    Hidden folders hold documents too (``.generated``), those of version control and of installed
    packages do not.
    """
    seen = 0
    for root, folders, names in os.walk(start, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in _NO_DOCUMENTS)
        for name in sorted(names):
            path = Path(root, name)
            if path.is_file() and not path.is_symlink():
                yield path
        seen += len(names)
        if seen > _MAX_LISTED:
            raise _too_large(start.name)


def _check_sizes(sizes: Sequence[int], source: str) -> None:
    """Refuse before anything is read; raises InputError (``upstream_too_large``)."""
    if len(sizes) > MAX_FILES or sum(sizes) > MAX_BYTES or max(sizes, default=0) > MAX_FILE_BYTES:
        raise _too_large(source)


def _too_large(source: str) -> InputError:
    return InputError(
        f"{source} is too large: at most {MAX_FILES:,} documents of {MAX_FILE_BYTES >> 20} MiB, "
        f"{MAX_BYTES >> 20} MiB together, are taken.",
        code="upstream_too_large",
        remedy="Name fewer files with 'paths' in the recipe.",
    )


def _from_git(part: DocumentPart, cache: Path) -> dict[str, bytes]:
    with folder_for_a_while(cache) as temporary:
        repository = Repository(part.url or "", part.commit or "", temporary / "git")
        blobs = {blob.path: blob for blob in repository.blobs()}
        below = _below(blobs, part)
        chosen = [blobs[full] for full in below.values()]
        contents = repository.read(chosen)
    return dict(zip(below, contents, strict=True))


def _from_npm(part: DocumentPart, cache: Path) -> dict[str, bytes]:
    with folder_for_a_while(cache) as temporary:
        files = package_files(
            part.package or "", part.release or "", part.integrity, folder=temporary
        )
        return {path: files[full] for path, full in _below(files, part).items()}


def _below(paths: Iterable[str], part: DocumentPart) -> dict[str, str]:
    """Path below the source's folder to whole path, of the files that are taken."""
    prefix = f"{part.path.strip('/')}/" if part.path.strip("/") else ""
    blobs = [Blob(path[len(prefix) :], path) for path in paths if path.startswith(prefix)]
    chosen = {blob.path: blob.object_id for blob in choose(blobs, part.paths)}
    if not chosen:
        raise NotFoundError(
            f"{source_of(part)} has no {', '.join(part.paths)} below {part.path or 'its root'!r}.",
            code="no_upstream_path",
            remedy="Check path and paths in the recipe.",
        )
    return chosen


# ------------------------------------------------------------------------------ mirror and cache


def _in_mirror(part: DocumentPart, mirror: Path, sha256: str) -> dict[str, bytes] | None:
    """The same files below any folder of the mirror that ends like the source's folder."""
    ending = PurePosixPath(part.path.strip("/")).parts if part.path.strip("/") else ()
    for number, (root, folders, _names) in enumerate(os.walk(mirror, followlinks=False)):
        if number > _MAX_MIRROR_FOLDERS:
            return None
        folders[:] = sorted(name for name in folders if name not in _NO_DOCUMENTS)
        if ending and Path(root).parts[-len(ending) :] != ending:
            continue
        try:
            files = _chosen(Path(root), part.paths)
        except (OSError, InputError):  # gone since, not ours to read, too large: not looked for
            continue
        if files and digest_of(files) == sha256:
            return files
    return None


def _in_cache(cache: Path, sha256: str) -> dict[str, str] | None:
    """What was kept under that digest; a file that lost it is removed, not used."""
    path = cache / "documents" / f"{sha256}.json"
    try:
        kept = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    texts = {str(key): str(value) for key, value in kept.items()} if isinstance(kept, dict) else {}
    if digest_of({name: text.encode() for name, text in texts.items()}) != sha256:
        path.unlink(missing_ok=True)
        return None
    return dict(sorted(texts.items()))


def _keep(found: Documents, cache: Path) -> None:
    """Write fetched documents into the cache, whole or not at all."""
    content = json.dumps(found.files, ensure_ascii=False).encode()
    if digest_of({name: text.encode() for name, text in found.files.items()}) != found.sha256:
        return  # A byte order mark was taken off: it is fetched again rather than kept changed.
    with folder_for_a_while(cache) as temporary, disk_errors(cache):
        (cache / "documents").mkdir(parents=True, exist_ok=True)
        written = temporary / "documents.json"
        written.write_bytes(content)
        written.replace(cache / "documents" / f"{found.sha256}.json")
