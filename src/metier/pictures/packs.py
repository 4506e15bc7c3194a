"""A pack of decoded pictures in one file, found by digest: what an eval's items look like.

It knows the file: compressed pixels one after the other, then an index, then its length and a mark.
Every picture that is read is proved by its digest. It decodes no foreign format.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import zlib
from collections.abc import Iterable
from pathlib import Path

from metier.errors import CorruptError, StorageError
from metier.picturing import MOST_SIDE, Picture

ENDING = ".pictures"
_MARK = b"metier-pictures/1\n"
_LARGEST_INDEX = 64 << 20


def write_pack(path: Path, pictures: Iterable[Picture]) -> int:
    """Write a pack whole or not at all; returns how many different pictures it holds.

    Raises:
        StorageError: It cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    index: dict[str, tuple[int, int, int, int]] = {}
    place = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            for picture in pictures:
                if picture.digest in index:
                    continue
                packed = zlib.compress(picture.pixels, 1)
                file.write(packed)
                index[picture.digest] = (place, len(packed), picture.width, picture.height)
                place += len(packed)
            listed = json.dumps(index).encode()
            file.write(listed + len(listed).to_bytes(8, "little") + _MARK)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written: {error.strerror}.",
            code="disk_full" if error.errno == 28 else "storage",
            remedy="Free some space.",
        ) from error
    finally:
        with contextlib.suppress(OSError):  # what could not be made need not be removed
            temporary.unlink()
    return len(index)


class Pack:
    """An open pack; threads may share it.

    Args:
        path: The file that ``write_pack`` wrote.

    Raises:
        CorruptError: It is no pack (``bad_pictures``).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._index = _read_index(path)

    def __contains__(self, digest: str) -> bool:
        return digest in self._index

    def __len__(self) -> int:
        return len(self._index)

    def get(self, digest: str) -> Picture | None:
        """The picture, or ``None`` if the pack has none of this digest.

        Raises:
            CorruptError: Its bytes are not what the digest says (``bad_pictures``).
        """
        found = self._index.get(digest)
        if found is None:
            return None
        offset, length, width, height = found
        try:
            with self._path.open("rb") as file:
                file.seek(offset)
                inflate = zlib.decompressobj()
                pixels = inflate.decompress(file.read(length), 3 * MOST_SIDE * MOST_SIDE)
            picture = Picture(width, height, pixels)
        except (OSError, ValueError, zlib.error) as error:
            raise _bad(self._path, str(error)) from error
        if picture.digest != digest:
            raise _bad(self._path, f"the picture {digest[:19]} has other pixels")
        return picture


def _read_index(path: Path) -> dict[str, tuple[int, int, int, int]]:
    tail = 8 + len(_MARK)
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - tail))
            end = file.read()
            length = int.from_bytes(end[:8], "little")
            if end[8:] != _MARK or length > min(size - tail, _LARGEST_INDEX):
                raise ValueError("its end is not that of a pack")
            file.seek(size - tail - length)
            listed = json.loads(file.read(length))
        return {
            str(digest): (int(one), int(two), int(three), int(four))
            for digest, (one, two, three, four) in listed.items()
        }
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise _bad(path, str(error)) from error


def _bad(path: Path, why: str) -> CorruptError:
    return CorruptError(
        f"{path.name} is not a sound pack of pictures: {why}.",
        code="bad_pictures",
        remedy="Remove it; an eval's pictures are taken from their sources again.",
    )
