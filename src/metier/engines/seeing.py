"""Views of pictures behind ``messages.Encoder``: digests in, one vector each out.

It knows the two views: colours and gradients, which need no weights, and a frozen vision encoder
given as ONNX. Where a digest's pixels lie is the shelf's; how a file became pixels is not known
here. The vector of a picture is a function of that picture alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from metier.errors import CorruptError, NotFoundError
from metier.picturefeatures import DIMENSION, NAME, features, pixels_of, resized
from metier.picturing import VISION_FILE, VISION_GRAPH, Picture, Pictures, VisionFile
from metier.reference import Digest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]

_RUN = 8
"""Pictures in one run of the graph."""
_STRIP = 5
"""Lengths to one breadth that are scaled; the middle that is looked at is one."""


class PictureFeatures:
    """Colours and gradients of pictures; see ``metier.picturefeatures``."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures

    @property
    def name(self) -> str:
        """The features' name and version."""
        return NAME

    @property
    def digest(self) -> str:
        """Of the name: there are no weights."""
        return str(Digest.of(NAME.encode()))

    @property
    def dimension(self) -> int:
        """The length of a row."""
        return DIMENSION

    @property
    def size_bytes(self) -> int:
        """It needs no files."""
        return 0

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Rows, float32, shape (len(texts), dimension); ``texts`` are digests of pictures.

        Raises NotFoundError (code ``picture_not_here``) for a picture that is not on the shelf.
        """
        rows = np.empty((len(texts), DIMENSION), np.float32)
        for row, digest in enumerate(texts):
            rows[row] = features([self._pictures.get(digest)])[0]
        return rows


class VisionEncoder:
    """A frozen vision encoder; thread-safe.

    Args:
        folder: Holds ``vision.json`` and ``model.onnx``.
        pictures: Where digests are found.
        threads: Of one run of the graph; they change the time, and a vector by rounding only.

    Raises:
        NotFoundError: A file is missing (``base_missing``).
        CorruptError: ONNX Runtime cannot load the graph, or it is not as described
            (``bad_graph``).
    """

    def __init__(self, folder: Path, pictures: Pictures, *, threads: int = 1) -> None:
        self._file = read_vision(folder)
        self._pictures = pictures
        self._session = _open_session(folder / VISION_GRAPH, threads)
        self._check()
        probe = Picture(8, 8, bytes(3 * 64))
        self._dimension = int(self._run([probe]).shape[1])
        if self._file.dimension not in (None, self._dimension):
            raise _bad(f"its vectors have {self._dimension} numbers, not {self._file.dimension}")

    @property
    def name(self) -> str:
        """Name, input size and pooling."""
        file = self._file
        return f"{file.name}/{file.size}/{file.fit}/{file.pool}"

    @property
    def digest(self) -> str:
        """Over the graph and every setting that changes a vector."""
        return self._file.digest

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self._dimension

    @property
    def size_bytes(self) -> int:
        """Bytes of the graph."""
        return self._file.size_bytes or 0

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32, shape (len(texts), dimension); ``texts`` are digests."""
        vectors = np.empty((len(texts), self._dimension), np.float32)
        for start in range(0, len(texts), _RUN):
            chunk = [self._pictures.get(digest) for digest in texts[start : start + _RUN]]
            vectors[start : start + len(chunk)] = self._run(chunk)
        return vectors

    def _run(self, pictures: Sequence[Picture]) -> FloatArray:
        rows = []
        for picture in pictures:  # one at a time: a vector never depends on its neighbours
            fed = prepared(picture, self._file)
            try:
                found = self._session.run([self._file.output], {self._file.input: fed})[0]
            except _errors() as error:
                raise _bad(str(error)[:300]) from error
            if not isinstance(found, np.ndarray) or found.dtype.kind != "f" or not found.size:
                raise _bad("its output is no array of numbers")
            rows.append(self._pooled(np.asarray(found, np.float32)))
        vectors = np.stack(rows)
        if not np.isfinite(vectors).all():
            raise _bad("its vectors hold numbers that are not finite")
        lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        unit: FloatArray = (vectors / lengths).astype(np.float32)
        return unit

    def _pooled(self, found: FloatArray) -> FloatArray:
        pool = self._file.pool
        if pool == "first" and found.ndim == 3:
            return np.asarray(found[0, 0], np.float32)
        if pool == "mean" and found.ndim == 3:
            return np.asarray(found[0].mean(axis=0), np.float32)
        if pool == "mean" and found.ndim == 4:
            return np.asarray(found[0].mean(axis=(1, 2)), np.float32)
        flat = found.reshape(-1)
        if pool != "none" or not found.ndim or found.shape[0] != 1:
            raise _bad(f"its output has the shape {list(found.shape)}, which {pool!r} does not fit")
        return flat

    def _check(self) -> None:
        inputs = {item.name: item for item in self._session.get_inputs()}
        outputs = [item.name for item in self._session.get_outputs()]
        if set(inputs) != {self._file.input} or self._file.output not in outputs:
            raise _bad(
                f"it has the inputs {sorted(inputs)} and outputs {outputs}, not "
                f"{self._file.input!r} and {self._file.output!r}"
            )
        if inputs[self._file.input].type != "tensor(float)":
            raise _bad(f"its input is a {inputs[self._file.input].type}, not float32")


def read_vision(folder: Path) -> VisionFile:
    """The description of an installed vision encoder.

    Raises:
        NotFoundError: There is none in the folder (``base_missing``).
        InputError: It is not valid (``bad_vision``).
    """
    path = folder / VISION_FILE
    if not path.is_file() or not (folder / VISION_GRAPH).is_file():
        raise NotFoundError(
            f"There is no vision encoder in {folder.name}.",
            code="base_missing",
            remedy="Import one: metier import FOLDER --name NAME; see docs/formats/vision.md.",
        )
    return VisionFile.from_bytes(path.read_bytes())


def prepared(picture: Picture, file: VisionFile) -> FloatArray:
    """The picture as the graph wants it: one in a batch, float32."""
    pixels = pixels_of(picture)
    if file.fit == "stretch":
        small = resized(pixels, file.size, file.size)
    else:
        shorter = file.resize or file.size
        # Only the middle is looked at: a thin strip is cut first, or 320 x 1 pixels would be scaled
        # to a thousand times as many before almost all are thrown away.
        pixels = _middle(pixels)
        scale = shorter / min(pixels.shape[:2])
        height = max(file.size, round(pixels.shape[0] * scale))
        width = max(file.size, round(pixels.shape[1] * scale))
        top, left = (height - file.size) // 2, (width - file.size) // 2
        small = resized(pixels, height, width)[top : top + file.size, left : left + file.size]
    if file.channels == "bgr":
        small = small[:, :, ::-1]
    fed = (small / 255.0 - np.asarray(file.mean, np.float32)) / np.asarray(file.std, np.float32)
    if file.layout == "nchw":
        fed = fed.transpose(2, 0, 1)
    return np.ascontiguousarray(fed[None], np.float32)


def _middle(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """At most ``_STRIP`` times as long as it is broad, cut alike at both ends."""
    for axis in (0, 1):
        length = pixels.shape[axis]
        most = _STRIP * min(pixels.shape[:2])
        if length > most:
            start = (length - most) // 2
            pixels = pixels.take(range(start, start + most), axis=axis)
    return pixels


def _open_session(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except _errors() as error:
        raise _bad(str(error)[:300]) from error


def _errors() -> tuple[type[Exception], ...]:
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    return (
        errors.Fail, errors.InvalidArgument, errors.InvalidGraph, errors.InvalidProtobuf,
        errors.NoSuchFile, errors.NotImplemented, errors.RuntimeException,
    )  # fmt: skip


def _bad(why: str) -> CorruptError:
    return CorruptError(
        f"The vision encoder cannot be used: {why}.",
        code="bad_graph",
        remedy="Mend vision.json and import it again; see docs/formats/vision.md.",
    )
