"""Keeping the store sound: what is wrong with it, and what nobody needs any more.

``verify`` reads every byte and changes nothing that was committed; ``collect_garbage`` deletes
only what no name needs, and only while nobody brings anything in.
"""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from metier.errors import CorruptError, MetierError, NotFoundError
from metier.manifest import Manifest
from metier.messages import Progress, Report
from metier.reference import Digest, Reference
from metier.store import links, loose
from metier.store.disk import digest_of, discard, open_file, read_capped, storage_errors
from metier.store.index import Entry, Index
from metier.store.ingest import changing, iso_time, linking, referenced
from metier.store.layout import IMPORT_AGAIN, LAYOUT, MAX_MANIFEST_BYTES, Layout

PARTIAL_SECONDS = 7 * 86_400.0
"""How long a file that was begun and never finished is kept, to go on from there."""
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what, in which file, and how to mend it."""

    what: str
    where: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What ``verify`` looked at (files) and found."""

    checked: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Collected:
    """What gc did.

    Attributes:
        removed: Blobs and unfinished writes that were removed.
        bytes: Bytes that came back.
        rebuilt: Names in the index that was made again, or ``None`` if the index was sound.
    """

    removed: int
    bytes: int
    rebuilt: int | None = None


def verify(layout: Layout, report: Report) -> Verified:
    """Read everything and say what is wrong; gc is kept away meanwhile."""
    problems: list[Problem] = []
    with layout.using():
        problems += _check_layout_file(layout)
        index = _check_index(layout, problems)
        needed_by = _check_manifests(layout, index, problems)
        checked = _check_blobs(layout, needed_by, problems, report)
        checked += _check_links(layout, problems)
    return Verified(checked + 2, tuple(problems))


def _check_layout_file(layout: Layout) -> list[Problem]:
    # A file that cannot even be read is as bad as one with other bytes.
    with suppress(OSError, MetierError), open_file(layout.layout_file) as file:
        if read_capped(file, len(LAYOUT)) == LAYOUT:
            return []
    return [
        Problem(
            what="The file oci-layout is damaged.",
            where=str(layout.layout_file),
            remedy="Delete the file; it is written again when the store is next opened.",
        )
    ]


def _check_index(layout: Layout, problems: list[Problem]) -> Index:
    try:
        return layout.read_index()
    except CorruptError as error:
        problems.append(_problem(error, layout.index_file))
        return Index()


def _check_manifests(
    layout: Layout, index: Index, problems: list[Problem]
) -> dict[Digest, set[str]]:
    """Report unreadable manifests and missing blobs; return who needs each blob."""
    needed_by: dict[Digest, set[str]] = defaultdict(set)
    for entry in index.entries.values():
        name = entry.reference.familiar
        needed_by[entry.digest].add(name)
        try:
            manifest = layout.read_manifest(entry.digest)
        except NotFoundError:
            problems.append(_missing(layout, entry.digest, name, "its manifest"))
            continue
        except CorruptError as error:
            if layout.intact(entry.digest):
                problems.append(_problem(error, layout.blob(entry.digest)))
            continue
        if not layout.has(entry.digest, entry.size):
            problems.append(
                Problem(
                    what=f"The index gives the manifest of {name} a size that it does not have.",
                    where=str(layout.index_file),
                    remedy=f"Import {name} again.",
                )
            )
        for blob in manifest.blobs():
            needed_by[blob.blob].add(name)
            if not layout.has(blob.blob):
                part = blob.filepath or "its configuration"
                problems.append(_missing(layout, blob.blob, name, part))
    return needed_by


def _missing(layout: Layout, digest: Digest, name: str, part: str) -> Problem:
    return Problem(
        what=f"{name} has lost a blob: {part}.",
        where=str(layout.blob(digest)),
        remedy=f"Import {name} again, or remove it with 'metier rm {name}'.",
    )


def _check_blobs(
    layout: Layout,
    needed_by: dict[Digest, set[str]],
    problems: list[Problem],
    report: Report,
) -> int:
    with storage_errors("Reading the store's folder of blobs"):
        entries = sorted(os.scandir(layout.blobs), key=lambda entry: entry.name)
        total = sum(entry.stat(follow_symlinks=False).st_size for entry in entries) or 1
    done = 0
    for entry in entries:
        path = Path(entry.path)
        if not _HEX.fullmatch(entry.name):
            problems.append(
                Problem(
                    what="A file among the blobs has a name that is no digest.",
                    where=str(path),
                    remedy="Delete the file, then run 'metier verify' again.",
                )
            )
            continue
        digest = Digest(entry.name)
        if not layout.intact(digest):
            names = sorted(needed_by.get(digest, ()))
            problems.append(
                Problem(
                    what="A blob does not have its digest any more"
                    + (f"; it is needed by {', '.join(names)}." if names else "."),
                    where=str(path),
                    remedy=IMPORT_AGAIN if names else "Run 'metier gc'; nothing needs it.",
                )
            )
        with suppress(FileNotFoundError):
            done += entry.stat(follow_symlinks=False).st_size
        report(Progress("verify", f"Checked {entry.name[:12]}.", fraction=min(1.0, done / total)))
    return len(entries)


def _check_links(layout: Layout, problems: list[Problem]) -> int:
    checked = 0
    try:
        with changing(layout) as index:
            for entry in index.entries.values():
                with suppress(CorruptError, NotFoundError):
                    manifest = layout.read_manifest(entry.digest)
                    checked += len(manifest.layers)
                    problems.extend(_link_problems(layout, entry.reference, manifest))
    except CorruptError:
        # The index was reported above.
        return checked
    return checked


def _link_problems(layout: Layout, reference: Reference, manifest: Manifest) -> list[Problem]:
    folder = links.folder_of(layout.models, reference)
    return [
        Problem(
            what=f"The file {path} of {reference.familiar} is missing or is not its blob.",
            where=str(folder / path),
            remedy="Run 'metier gc', which makes the links again.",
        )
        for path, digest in links.differences(layout, reference, manifest).items()
        if layout.has(digest)
    ]


def _problem(error: MetierError, where: Path) -> Problem:
    return Problem(error.message, str(where), error.remedy or IMPORT_AGAIN)


def collect_garbage(layout: Layout) -> Collected:
    """Remove blobs that no name needs and what killed processes left; mend index and links.

    Raises:
        CorruptError, NotFoundError: A manifest cannot be read: nothing is deleted, because
            nobody can say what it needs.
        StorageError: Somebody is importing or exporting (code ``locked``).
    """
    with layout.alone():
        rebuilt = _rebuild(layout)
        with changing(layout) as index:
            removed, size = _empty(layout.drafts)
            stale, stale_size = _forget_partial(layout.partial)
            removed, size = removed + stale, size + stale_size
            with storage_errors("Mending links"), linking(layout):
                links.mend(layout, index)
            if rebuilt is None:
                needed = referenced(layout, index) | loose.kept(layout, forget=True)
                for path in _unneeded(layout, needed):
                    with storage_errors("Removing a blob"):
                        facts = path.stat(follow_symlinks=False)
                        path.unlink()
                    removed += 1
                    # A file with another name elsewhere gives no space back.
                    size += facts.st_size if facts.st_nlink == 1 else 0
    return Collected(removed, size, rebuilt)


def _unneeded(layout: Layout, needed: set[Digest]) -> list[Path]:
    keep = {digest.hex for digest in needed}
    with storage_errors("Reading the store's folder of blobs"):
        return [
            Path(entry.path)
            for entry in os.scandir(layout.blobs)
            if _HEX.fullmatch(entry.name) and entry.name not in keep
        ]


def _empty(drafts: Path) -> tuple[int, int]:
    """Remove what processes that died left behind; both locks are held, so all of it is stale."""
    removed = size = 0
    with storage_errors("Removing unfinished writes"):
        for entry in os.scandir(drafts):
            facts = entry.stat(follow_symlinks=False)
            discard(Path(entry.path))
            removed += 1
            size += facts.st_size if facts.st_nlink == 1 else 0
    return removed, size


def _forget_partial(folder: Path) -> tuple[int, int]:
    """Remove what was fetched in part and not touched for a week; locks of the living stay."""
    removed = size = 0
    before = time.time() - PARTIAL_SECONDS
    with storage_errors("Removing partial files"), suppress(FileNotFoundError):
        for entry in os.scandir(folder):
            facts = entry.stat(follow_symlinks=False)
            if facts.st_mtime < before:
                discard(Path(entry.path))
                removed += 1
                # A file with holes takes less than it is long.
                size += facts.st_blocks * 512 if facts.st_nlink == 1 else 0
    return removed, size


def _rebuild(layout: Layout) -> int | None:
    """Make the index again from manifests and folders, if it cannot be trusted."""
    with layout.changing():
        try:
            layout.read_index()
        except CorruptError:
            index = recovered(layout)
            layout.write_index(index)
            return len(index.entries)
    return None


def recovered(layout: Layout) -> Index:
    """An index from what is there: a folder's links say which manifest its name stood for.

    Where two manifests list the same parts, the younger one is taken.
    """
    index = Index()
    with storage_errors("Making the index again"):
        manifests = sorted(_manifests(layout), key=lambda found: found[0])
        names = {entry.inode(): entry.name for entry in os.scandir(layout.blobs)}
        for reference, folder in links.folders(layout.models):
            there = _parts_of(folder, names)
            for age, digest, size, manifest in manifests:
                parts = {path: part.hex for path, part in links.expected(manifest).items()}
                if parts and parts == there:
                    index = index.with_entry(Entry(reference, digest, size, iso_time(age)))
    return index


def _manifests(layout: Layout) -> Iterator[tuple[float, Digest, int, Manifest]]:
    """Age, digest, size and contents of every blob that is a sound manifest."""
    for entry in os.scandir(layout.blobs):
        facts = entry.stat(follow_symlinks=False)
        if _HEX.fullmatch(entry.name) and facts.st_size <= MAX_MANIFEST_BYTES:
            digest = Digest(entry.name)
            with suppress(MetierError):
                manifest = layout.read_manifest(digest)
                links.expected(manifest)
                yield facts.st_mtime, digest, facts.st_size, manifest


def _parts_of(folder: Path, names: dict[int, str]) -> dict[str, str]:
    """Path to digest of every file in a name's folder, by its inode or else by its bytes."""
    parts: dict[str, str] = {}
    for above, _, files in os.walk(folder):
        for name in files:
            path = Path(above, name)
            found = names.get(path.stat(follow_symlinks=False).st_ino)
            if found is None:
                with suppress(MetierError), open_file(path) as file:
                    found = digest_of(file).hex
            parts[path.relative_to(folder).as_posix()] = found or ""
    return parts
