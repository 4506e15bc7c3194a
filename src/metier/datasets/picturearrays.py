"""Labelled pictures from an ``.npz``: arrays of pixels with arrays of labels.

It knows the names that people give to such arrays and NumPy's own header, which is read before
anything is unpacked; objects, which could carry code, are refused.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.datasets import names
from metier.datasets.pictures import PictureFile, PictureFiles
from metier.errors import InputError
from metier.picturing import MOST_SIDE, Picture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_ARRAY_BYTES = 2 << 30
_PICTURES = ("images", "image", "x", "data", "pictures")
_LABELS = ("labels", "label", "y", "targets", "target")
_SPLITS = ("splits", "split")
_PAIRS = (
    ("x_{}", "y_{}"),
    ("{}_images", "{}_labels"),
    ("{}_x", "{}_y"),
    ("images_{}", "labels_{}"),
)


def arrays(path: Path, name: str) -> PictureFiles:
    """The pictures of an ``.npz``.

    Either ``images`` with ``labels`` (and ``splits``), or ``x_train``, ``y_train``, ``x_test`` …
    Pixels are uint8 of shape (pictures, height, width) or (pictures, height, width, 3).

    Raises:
        InputError: It is no such file (``bad_arrays``), naming the array.
    """
    there = _shapes(path, name)
    files: list[PictureFile] = []
    for pixels, labels, split in _parts(there, name):
        files.extend(_files(path, name, there, (pixels, labels, split), len(files)))
    return PictureFiles("npz", tuple(files), complete=True)


def _shapes(path: Path, name: str) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and type of every array, by NumPy's own header."""
    import numpy as np

    found: dict[str, tuple[tuple[int, ...], str]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.filename.endswith(".npy"):
                    continue
                with archive.open(info) as file:
                    version = np.lib.format.read_magic(file)
                    read = (
                        np.lib.format.read_array_header_1_0
                        if version == (1, 0)
                        else np.lib.format.read_array_header_2_0
                    )
                    shape, _, kind = read(file)
                size = int(np.prod(shape, dtype=np.float64)) * kind.itemsize
                if size > MOST_ARRAY_BYTES or info.file_size > MOST_ARRAY_BYTES + 65_536:
                    raise _bad(name, f"{info.filename} is larger than {MOST_ARRAY_BYTES >> 30} GB")
                if kind.hasobject:
                    raise _bad(name, f"{info.filename} holds objects, which could carry code")
                found[info.filename.removesuffix(".npy")] = (shape, kind.name)
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError) as error:
        raise _bad(name, str(error)) from error
    return found


def _parts(
    there: dict[str, tuple[tuple[int, ...], str]], name: str
) -> list[tuple[str, str, str | None]]:
    """Names of pixels and labels, with the split that the names say."""
    folded = {names.folded(key): key for key in there}
    for first, second in _PAIRS:
        found = []
        for word in ("train", "training", "valid", "validation", "val", "dev", "test", "testing"):
            pair = (folded.get(first.format(word)), folded.get(second.format(word)))
            if pair[0] is not None and pair[1] is not None:
                found.append((pair[0], pair[1], word))
        if found:
            return [(pixels, labels, names.split_name(word)) for pixels, labels, word in found]
    pixels = next((folded[word] for word in _PICTURES if word in folded), None)
    labels = next((folded[word] for word in _LABELS if word in folded), None)
    if pixels is None or labels is None:
        raise _bad(name, f"it has the arrays {', '.join(sorted(there)) or 'none'}")
    return [(pixels, labels, None)]


def _files(
    path: Path,
    name: str,
    there: dict[str, tuple[tuple[int, ...], str]],
    part: tuple[str, str, str | None],
    before: int,
) -> list[PictureFile]:
    pixels, labels, split = part
    shape, kind = there[pixels]
    grey = len(shape) == 3
    if kind != "uint8" or not (grey or (len(shape) == 4 and shape[3] in (1, 3))):
        raise _bad(name, f"{pixels} is {kind} of shape {list(shape)}, not uint8 pictures")
    if not 1 <= min(shape[1:3]) <= max(shape[1:3]) <= MOST_SIDE:
        raise _bad(name, f"{pixels} holds pictures of {shape[1]} x {shape[2]} pixels; "
                         f"{MOST_SIDE} a side is the most")  # fmt: skip
    loaded = _load(path, name, pixels, labels, *(_SPLITS if split is None else ()))
    values, texts = loaded[pixels], [_word(value) for value in loaded[labels].reshape(-1).tolist()]
    given = next((loaded[key] for key in _SPLITS if key in loaded), None)
    splits = (
        [split or ""] * len(texts)
        if given is None
        else [names.split_name(_word(value)) or _word(value) for value in given.tolist()]
    )
    if not len(values) == len(texts) == len(splits):
        raise _bad(name, f"{pixels} holds {len(values):,} pictures, {labels} {len(texts):,} labels")
    return [
        PictureFile(before + row + 1, f"{pixels}[{row}]", label, part_of, None, _of(values, row))
        for row, (label, part_of) in enumerate(zip(texts, splits, strict=True))
    ]


def _load(path: Path, name: str, *wanted: str) -> dict[str, NDArray[Any]]:
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as opened:
            return {key: opened[key] for key in wanted if key in opened.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise _bad(name, str(error)) from error


def _of(values: NDArray[np.uint8], row: int) -> Callable[[], Picture]:
    def read() -> Picture:
        import numpy as np

        pixels = values[row]
        if pixels.ndim == 2 or pixels.shape[2] == 1:
            pixels = np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2)
        return Picture(pixels.shape[1], pixels.shape[0], np.ascontiguousarray(pixels).tobytes())

    return read


def _word(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _bad(name: str, why: str) -> InputError:
    return InputError(
        f"{name} holds no labelled pictures: {why}.",
        code="bad_arrays",
        remedy="Save uint8 arrays: numpy.savez(file, images=…, labels=…, splits=…), or "
        "x_train, y_train, x_test, y_test.",
    )
