"""What a full disk does to the store; run inside a mount namespace of its own.

    unshare --mount [--map-root-user] python store_on_a_full_disk.py FOLDER

It mounts a small tmpfs on FOLDER, so that ENOSPC comes from a real file system, and prints one
JSON object of findings. It ends with status 77 if nothing can be mounted here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from store_audit import audit
from store_worker import install, parts_of

from metier.errors import StorageError
from metier.reference import Reference
from metier.store import Store

PAGE = 4096


def free(folder: Path) -> int:
    """Free pages of the file system."""
    return os.statvfs(folder).f_bavail


def fill(folder: Path, leave: int) -> Path:
    """Use up the disk but for so many pages."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free(folder) - leave) * PAGE)
    return ballast


def large(store: Store, folder: Path) -> dict[str, object]:
    """One part that cannot fit: the error, and the space before and after."""
    before = free(folder)
    try:
        install(store, "large", parts_of(9, (100, 300_000, 9_000_000)))
    except StorageError as error:
        return {"error": error.as_dict(), "lost": before - free(folder)}
    return {"error": None}


def sweep(
    store: Store, folder: Path, act: Callable[[], object], undo: Callable[[], object]
) -> list[str]:
    """Do ``act`` with 0, 1, 2 … free pages until it succeeds; the codes of the errors."""
    codes = []
    for pages in range(400):
        before = free(folder)
        ballast = fill(folder, pages)
        left = free(folder)
        try:
            act()
        except StorageError as error:
            codes.append(error.code)
            done = False
            # Directories of links may stay for the next writer to mend; a few pages at most.
            assert left - free(folder) <= 1, (pages, left, free(folder))
        else:
            done = True
        ballast.unlink()
        audit(folder / "home/store")
        assert store.verify().problems == ()
        if done:
            undo()
            return codes
        store.collect_garbage()
        assert free(folder) == before, (pages, before, free(folder))
    raise AssertionError("it never succeeded")


def main() -> None:
    """Mount, try, tell."""
    folder = Path(sys.argv[1])
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)], capture_output=True
    )
    if mounted.returncode:
        sys.exit(77)
    store = Store.open(folder / "home")
    kept = Reference.parse("kept")
    install(store, "kept", parts_of(1, (10, 2000)))
    found: dict[str, object] = {"large": large(store, folder)}
    target = folder / "out"

    def forget() -> None:
        store.remove(Reference.parse("new"))
        store.collect_garbage()

    found["install"] = sweep(
        store, folder, lambda: install(store, "new", parts_of(2, (10, 90_000))), forget
    )
    found["export"] = sweep(
        store, folder, lambda: store.export(kept, target), lambda: audit(target)
    )
    found["names"] = [str(reference) for reference in store.references()]
    found["remove"] = sweep(
        store,
        folder,
        lambda: store.remove(kept),
        lambda: install(store, "kept", parts_of(1, (10, 2000))),
    )
    fill(folder, 0)
    store.collect_garbage()
    found["verify"] = len(store.verify().problems)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
