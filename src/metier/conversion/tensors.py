"""Reads safetensors files in place: where each tensor's bytes lie, and arrays that view them.

It knows the safetensors layout (8-byte little-endian header length, JSON header, data) and refuses
a header that points outside its file. It does not know what the tensors mean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from metier.errors import CorruptError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]

_HEADER_LIMIT = 100_000_000
_ITEM_BYTES = {"F32": 4, "F16": 2, "BF16": 2}


@dataclass(frozen=True, slots=True)
class TensorPlace:
    """Where one tensor lies in its file.

    Attributes:
        dtype: The safetensors name of its type, such as ``F32``.
        shape: Its shape.
        offset: First byte, counted from the start of the file.
        length: Number of bytes.
    """

    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class TensorFile:
    """A safetensors file and where its tensors lie.

    Attributes:
        path: The file.
        places: Tensor name to place, the names as they stand in the file.
        content: Its bytes, mapped into memory, not read.
    """

    path: Path
    places: Mapping[str, TensorPlace]
    content: NDArray[np.uint8]

    def array(self, name: str) -> FloatArray:
        """The tensor as float32: a read-only view of the file if it is stored so, else a copy.

        Raises CorruptError (code ``tensor_missing``) if there is no such floating-point tensor.
        """
        place = self.places.get(name)
        if place is None or place.dtype not in _ITEM_BYTES:
            raise CorruptError(
                f"{self.path.name} has no floating-point tensor {name!r}.",
                code="tensor_missing",
                remedy="Fetch the encoder again; it must be a BERT model in safetensors format.",
            )
        raw = self.content[place.offset : place.offset + place.length]
        if place.dtype == "F32":
            return raw.view("<f4").reshape(place.shape)
        if place.dtype == "F16":
            return raw.view("<f2").reshape(place.shape).astype(np.float32)
        wide = raw.view("<u2").astype(np.uint32) << np.uint32(16)
        return wide.view(np.float32).reshape(place.shape)


def open_tensors(path: Path) -> TensorFile:
    """Read the header of the safetensors file ``path``.

    Raises CorruptError (code ``bad_safetensors``) if it is not one or its header points outside it.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > min(size - 8, _HEADER_LIMIT):
            raise _not_safetensors(path, "its header is longer than the file")
        try:
            header = json.loads(stream.read(length))
        except ValueError as error:
            raise _not_safetensors(path, "its header is not JSON") from error
    if not isinstance(header, dict):
        raise _not_safetensors(path, "its header is not an object")
    header.pop("__metadata__", None)
    start = 8 + length
    places = {name: _place(path, name, entry, start, size) for name, entry in header.items()}
    return TensorFile(path, places, np.asarray(np.memmap(path, np.uint8, "r")))


def _place(path: Path, name: str, entry: Any, start: int, size: int) -> TensorPlace:
    try:
        dtype = str(entry["dtype"])
        shape = tuple(int(length) for length in entry["shape"])
        begin, end = (int(offset) for offset in entry["data_offsets"])
    except (KeyError, TypeError, ValueError) as error:
        raise _not_safetensors(path, f"the entry of {name!r} is not complete") from error
    elements = int(np.prod(shape, dtype=np.int64))
    expected = elements * _ITEM_BYTES[dtype] if dtype in _ITEM_BYTES else end - begin
    if min(shape, default=0) < 0 or not 0 <= begin <= end <= size - start:
        raise _not_safetensors(path, f"{name!r} lies outside the file")
    if end - begin != expected:
        raise _not_safetensors(path, f"{name!r} has {end - begin} bytes, not {expected}")
    return TensorPlace(dtype, shape, start + begin, end - begin)


def _not_safetensors(path: Path, why: str) -> CorruptError:
    return CorruptError(
        f"{path.name} is not a sound safetensors file: {why}.",
        code="bad_safetensors",
        remedy="Fetch it again; an interrupted download is the usual cause.",
    )
