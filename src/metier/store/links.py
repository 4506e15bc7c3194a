"""Friendly folders: ``models/<name>/<filepath>``, hard links to blobs.

    models/banking-intents/card.json            banking-intents:latest
    models/banking-intents:2/card.json          banking-intents:2
    models/@team/triage/card.json               team/triage:latest
    models/@hub.example.com/@team/triage/…      hub.example.com/team/triage:latest

They follow from the index and can be made again from it at any time. ``@`` and ``:`` stand in no
name and in no part's path, so no two references and no part can meet in one folder. A folder is
built aside and renamed: a reader may find it absent for a moment, never half.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from metier.errors import CorruptError, InputError
from metier.manifest import Manifest
from metier.reference import Digest, Reference
from metier.store.disk import copy_hashed, digest_of, draft, open_file, storage_errors
from metier.store.index import Index
from metier.store.layout import BLOB_MODE, Layout


def folder_of(models: Path, reference: Reference) -> Path:
    """The folder of a name."""
    model = reference.model if reference.tag == "latest" else f"{reference.model}:{reference.tag}"
    above = [f"@{part}" for part in (reference.host, reference.namespace) if part]
    return models.joinpath(*above, model)


def reference_of(models: Path, folder: Path) -> Reference | None:
    """The name of a folder, or ``None`` if no name has it."""
    *above, model = folder.relative_to(models).parts
    if any(not part.startswith("@") for part in above) or len(above) > 2:
        return None
    try:
        reference = Reference.parse("/".join([*(part[1:] for part in above), model]))
    except InputError:
        return None
    return reference if folder_of(models, reference) == folder else None


def folders(models: Path) -> Iterator[tuple[Reference, Path]]:
    """Every folder that has a name."""
    found: list[Path] = [models]
    while found:
        here = found.pop()
        with suppress(FileNotFoundError, NotADirectoryError):
            for entry in sorted(os.scandir(here), key=lambda entry: entry.name):
                if not entry.is_dir(follow_symlinks=False):
                    continue
                path = Path(entry.path)
                if entry.name.startswith("@") and len(path.relative_to(models).parts) < 3:
                    found.append(path)
                elif (reference := reference_of(models, path)) is not None:
                    yield reference, path


def expected(manifest: Manifest) -> dict[str, Digest]:
    """File path to digest, for every part that has a path.

    Raises:
        InputError: Two parts claim one path, or one path lies inside another
            (code ``bad_manifest``).
    """
    parts: dict[str, Digest] = {}
    for layer in manifest.layers:
        if layer.filepath is None:
            continue
        if layer.filepath in parts:
            raise _clash(layer.filepath)
        parts[layer.filepath] = layer.blob
    for path in parts:
        above = path.split("/")[:-1]
        for depth in range(1, len(above) + 1):
            if "/".join(above[:depth]) in parts:
                raise _clash(path)
    return parts


def _clash(path: str) -> InputError:
    return InputError(
        f"A manifest has two parts that cannot both be at {path[:120]!r}.",
        code="bad_manifest",
        remedy="Give every part a path of its own.",
    )


@contextmanager
def built(layout: Layout, manifest: Manifest) -> Iterator[Path]:
    """A draft folder with a link for every part; gone afterwards, unless it was renamed."""
    with draft(layout.drafts) as tree:
        with storage_errors("Making the links of a specialist"):
            tree.mkdir()
            for path, digest in expected(manifest).items():
                place = tree / path
                place.parent.mkdir(parents=True, exist_ok=True)
                _link(layout, digest, place)
        yield tree


def _link(layout: Layout, digest: Digest, place: Path) -> None:
    try:
        os.link(layout.blob(digest), place, follow_symlinks=False)
    except OSError:
        # Another file system, one without hard links, or too many links: a copy serves as well.
        with layout.opened(digest) as source:
            copy_hashed(source, place, mode=BLOB_MODE)


def swap(layout: Layout, reference: Reference, tree: Path | None) -> None:
    """Put the folder ``tree`` in the place of the name's folder, or remove that one."""
    folder = folder_of(layout.models, reference)
    with suppress(FileNotFoundError), draft(layout.drafts) as old:
        folder.rename(old)
    if tree is not None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        tree.rename(folder)
        return
    above = folder.parent
    with suppress(OSError):
        # Namespaces that hold nothing any more.
        while above != layout.models:
            above.rmdir()
            above = above.parent


def differences(layout: Layout, reference: Reference, manifest: Manifest) -> dict[str, Digest]:
    """Paths of the name's folder that are missing or are not their blob, with its digest."""
    folder = folder_of(layout.models, reference)
    return {
        path: digest
        for path, digest in sorted(expected(manifest).items())
        if not _same(layout, digest, folder / path)
    }


def _same(layout: Layout, digest: Digest, place: Path) -> bool:
    try:
        link = place.stat(follow_symlinks=False)
        blob = layout.blob(digest).stat(follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return False
    if os.path.samestat(link, blob):
        return True
    try:
        with open_file(place) as file:
            return digest_of(file) == digest
    except (InputError, OSError):
        return False


def mend(layout: Layout, index: Index) -> None:
    """Make every folder what the index says; needs ``changing``.

    A folder whose name is not in the index is removed only if all of its files are links to
    blobs of this store: what a person put there stays.
    """
    blobs = {entry.inode() for entry in os.scandir(layout.blobs)}
    for reference, folder in folders(layout.models):
        if reference not in index.entries and _only_links(folder, blobs):
            swap(layout, reference, None)
    for entry in index.entries.values():
        try:
            manifest = layout.read_manifest(entry.digest)
            if differences(layout, entry.reference, manifest):
                with built(layout, manifest) as tree:
                    swap(layout, entry.reference, tree)
        except (CorruptError, InputError):
            # A damaged or missing blob has no folder to make; verify names it.
            continue


def _only_links(folder: Path, blobs: set[int]) -> bool:
    for _, _, names, number in os.fwalk(folder):
        for name in names:
            if os.stat(name, dir_fd=number, follow_symlinks=False).st_ino not in blobs:
                return False
    return True
