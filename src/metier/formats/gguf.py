"""The header of a GGUF file, read and checked before any engine sees the file.

It knows versions 2 and 3, little endian, and every rule by which a header can lie: counts,
lengths, types, dimensions, products, offsets, overlaps. Long arrays (a vocabulary) are passed over
and only counted, unless they are asked for. It reads no tensor; time is linear in the header and
memory bounded. What the numbers mean stands in ``describing``. Source: ggml, docs/gguf.md.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, NoReturn

from metier.formats.ggml import INFILL_TOKENS, TENSOR_TYPES
from metier.formats.refusing import opened, refuse

MAX_GGUF_HEADER_BYTES = 256 << 20
MAX_KEYS = 65_536
MAX_TENSORS = 65_536
MAX_KEY_BYTES = 65_535
MAX_NAME_BYTES = 63
"""ggml keeps tensor names in 64 bytes, the last of them zero."""
MAX_STRING_BYTES = 16 << 20
MAX_KEPT_BYTES = 64 << 20
MAX_STRINGS = 2_000_000
MAX_KEPT_ITEMS = 2_000_000
SHORT = 1024
"""Arrays of at most so many items are always read."""
MAX_NESTING = 4
MAX_DIMENSIONS = 4
MAX_ALIGNMENT = 1 << 16
DEFAULT_ALIGNMENT = 32
_WINDOW = 1 << 20
_MAX_INT = (1 << 63) - 1

_SCALARS: dict[int, tuple[str, struct.Struct]] = {
    0: ("uint8", struct.Struct("<B")),
    1: ("int8", struct.Struct("<b")),
    2: ("uint16", struct.Struct("<H")),
    3: ("int16", struct.Struct("<h")),
    4: ("uint32", struct.Struct("<I")),
    5: ("int32", struct.Struct("<i")),
    6: ("float32", struct.Struct("<f")),
    7: ("bool", struct.Struct("<B")),
    10: ("uint64", struct.Struct("<Q")),
    11: ("int64", struct.Struct("<q")),
    12: ("float64", struct.Struct("<d")),
}
_BOOL, _STRING, _ARRAY = 7, 8, 9
_FLOATS = (6, 12)
_INFILL = frozenset(text.encode() for texts in INFILL_TOKENS.values() for text in texts)
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class LongArray:
    """An array that was passed over: the type of its items and how many there are."""

    type: str
    length: int


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor as the header describes it.

    Attributes:
        name: Its name.
        shape: Elements of each dimension, the fastest first, as ggml counts them.
        type: ``F16``, ``Q4_K`` …
        offset: Of its bytes from the start of the file.
        bytes: How many they are.
    """

    name: str
    shape: tuple[int, ...]
    type: str
    offset: int
    bytes: int


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a GGUF file says before its tensors.

    Attributes:
        version: 2 or 3.
        metadata: Key to value: number, text, bool, tuple, or ``LongArray`` for what was passed
            over. A float that is not finite is ``None``.
        tensors: In the order of the header.
        alignment: Of every tensor's offset, in bytes.
        data_offset: Where the tensors' bytes begin.
        infill: Tokens of a vocabulary that was passed over: text to id, of those that stand
            around a gap.
    """

    version: int
    metadata: Mapping[str, Any]
    tensors: tuple[GgufTensor, ...]
    alignment: int
    data_offset: int
    infill: Mapping[str, int] = field(default_factory=dict)


def check_gguf(path: Path) -> None:
    """Refuse what is not a sound GGUF file; see ``read_gguf``."""
    read_gguf(path)


def read_gguf(
    path: Path, *, long_arrays: bool = False, file_bytes: int | None = None
) -> GgufHeader:
    """Read and check the header of a GGUF file.

    Args:
        path: The file, or its first bytes.
        long_arrays: Whether arrays of more than 1,024 items are read too.
        file_bytes: Size of the whole file if ``path`` holds only its start.

    Raises:
        InputError: Code ``bad_gguf``, saying what is wrong and at which byte; NotFoundError if
            there is no file.
    """
    with opened(path) as file:
        reading = _Reading(path, file, long_arrays)
        version = reading.opening()
        tensor_count = reading.count(MAX_TENSORS, "tensors")
        key_count = reading.count(MAX_KEYS, "keys")
        metadata: dict[str, Any] = {}
        for _ in range(key_count):
            key = reading.name(MAX_KEY_BYTES, "a key")
            if key in metadata:
                reading.refuse(f"the key {key[:80]!r} is there twice")
            metadata[key] = reading.value(key)
        alignment = _alignment(reading, metadata)
        described = [reading.tensor() for _ in range(tensor_count)]
        header_end = reading.position
        size = file_bytes if file_bytes is not None else reading.size
    data_offset = -(-header_end // alignment) * alignment
    tensors = tuple(
        GgufTensor(name, shape, kind, data_offset + offset, length)
        for name, shape, kind, offset, length in described
    )
    _check_places(path, tensors, alignment, data_offset, size)
    return GgufHeader(
        version,
        MappingProxyType(metadata),
        tensors,
        alignment,
        data_offset,
        MappingProxyType(reading.infill),
    )


def _alignment(reading: _Reading, metadata: Mapping[str, Any]) -> int:
    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if type(alignment) is not int or not 1 <= alignment <= MAX_ALIGNMENT:
        reading.refuse("general.alignment is not a number from 1 to 65536")
    if alignment & (alignment - 1):
        reading.refuse(f"general.alignment is {alignment}, which is no power of two")
    return alignment


def _check_places(
    path: Path, tensors: tuple[GgufTensor, ...], alignment: int, begin: int, size: int
) -> None:
    """Refuse bytes that overlap, are not aligned or leave the file."""
    end = begin
    for tensor in sorted(tensors, key=lambda tensor: tensor.offset):
        shown = f"the tensor {tensor.name!r} (byte {tensor.offset})"
        if (tensor.offset - begin) % alignment:
            refuse("gguf", path, f"{shown} does not begin at a multiple of {alignment} bytes")
        if tensor.offset < end:
            refuse("gguf", path, f"{shown} overlaps the one before, which ends at byte {end}")
        end = tensor.offset + tensor.bytes
        if end > size:
            refuse("gguf", path, f"{shown} ends at byte {end}, the file at byte {size}")


class _Reading:
    """A place in a header, with a window of its bytes and the budgets that are left."""

    def __init__(self, path: Path, file: BinaryIO, long_arrays: bool) -> None:
        self._path = path
        self._file = file
        self._long_arrays = long_arrays
        self.size = os.fstat(file.fileno()).st_size
        self._limit = min(self.size, MAX_GGUF_HEADER_BYTES)
        self._window = b""
        self._start = 0
        self._at = 0
        self._strings_left = MAX_STRINGS
        self._bytes_left = MAX_KEPT_BYTES
        self._items_left = MAX_KEPT_ITEMS
        self._names: set[str] = set()
        self.infill: dict[str, int] = {}

    @property
    def position(self) -> int:
        """The byte that is read next."""
        return self._start + self._at

    def refuse(self, why: str) -> NoReturn:
        """Say no, and where."""
        refuse("gguf", self._path, f"{why} (at byte {self.position})")

    def opening(self) -> int:
        """The version."""
        if self._take(4) != b"GGUF":
            self._start = self._at = 0
            self.refuse("it does not begin with 'GGUF'")
        version = self._u32()
        if version in (0x02000000, 0x03000000):
            self.refuse("it is big endian, which no engine here reads")
        if version not in (2, 3):
            self.refuse(f"it has version {version}; versions 2 and 3 are read")
        return version

    def count(self, most: int, what: str) -> int:
        """A number of things that the rest of the file must be able to hold."""
        found = self._u64()
        # No key and no tensor takes fewer than nine bytes.
        if found > most or found * 9 > self._limit - self.position:
            self.refuse(f"it has {found} {what}; the file holds fewer, and {most} are read at most")
        return found

    def name(self, most: int, what: str) -> str:
        """A text that names something: UTF-8, not empty, without zero bytes."""
        length = self._u64()
        if not 1 <= length <= most:
            self.refuse(f"{what} is {length} bytes long; 1 to {most} are possible")
        data = self._take(length)
        if b"\0" in data:
            self.refuse(f"{what} holds a zero byte")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            self.refuse(f"{what} is not UTF-8")

    def value(self, key: str) -> Any:
        """The value of a key."""
        kind = self._u32()
        if kind == _STRING:
            return self._string(f"the value of {key[:80]!r}")
        if kind == _ARRAY:
            wanted = _INFILL if key == "tokenizer.ggml.tokens" else frozenset[bytes]()
            return self._array(f"the array {key[:80]!r}", 0, wanted)
        if kind not in _SCALARS:
            self.refuse(f"{key[:80]!r} has the unknown type {kind}")
        return self._scalars(kind, 1)[0]

    def tensor(self) -> tuple[str, tuple[int, ...], str, int, int]:
        """Name, shape, type, offset among the data, bytes."""
        name = self.name(MAX_NAME_BYTES, "a tensor's name")
        if name in self._names:
            self.refuse(f"the tensor {name!r} is there twice")
        self._names.add(name)
        dimensions = self._u32()
        if not 1 <= dimensions <= MAX_DIMENSIONS:
            self.refuse(f"the tensor {name!r} has {dimensions} dimensions; 1 to 4 are possible")
        shape = struct.unpack(f"<{dimensions}Q", self._take(8 * dimensions))
        kind = self._u32()
        if kind not in TENSOR_TYPES:
            self.refuse(f"the tensor {name!r} has the unknown type {kind}")
        offset = self._u64()
        elements = math.prod(shape)
        if not 1 <= elements <= _MAX_INT or max(shape) > _MAX_INT:
            self.refuse(f"the tensor {name!r} has the impossible shape {list(shape)}")
        type_name, block, block_bytes = TENSOR_TYPES[kind]
        if shape[0] % block:
            self.refuse(
                f"the tensor {name!r} has rows of {shape[0]} elements; "
                f"{type_name} takes multiples of {block}"
            )
        length = elements // block * block_bytes
        if length > _MAX_INT or offset > _MAX_INT - length:
            self.refuse(f"the tensor {name!r} lies beyond every file")
        return name, shape, type_name, offset, length

    def _array(self, what: str, depth: int, wanted: frozenset[bytes] = frozenset()) -> Any:
        kind = self._u32()
        length = self._u64()
        if kind == _ARRAY:
            return self._nested(what, length, depth)
        if kind != _STRING and kind not in _SCALARS:
            self.refuse(f"{what} has items of the unknown type {kind}")
        item_bytes = 8 if kind == _STRING else _SCALARS[kind][1].size
        if length > (self._limit - self.position) // item_bytes:
            self.refuse(f"{what} has {length} items, more than the file holds")
        if length > SHORT and not self._long_arrays:
            if kind == _STRING:
                self._skip_strings(length, what, wanted)
                return LongArray("string", length)
            self._skip(length * item_bytes)
            return LongArray(_SCALARS[kind][0], length)
        self._items_left -= length
        if self._items_left < 0:
            self.refuse(f"its arrays have more than {MAX_KEPT_ITEMS} items")
        if kind == _STRING:
            return tuple(self._string(f"an item of {what}") for _ in range(length))
        return self._scalars(kind, length)

    def _nested(self, what: str, length: int, depth: int) -> Any:
        if depth + 1 >= MAX_NESTING:
            self.refuse(f"{what} is nested more than {MAX_NESTING} deep")
        self._items_left -= length
        if length > (self._limit - self.position) // 12 or self._items_left < 0:
            self.refuse(f"{what} has {length} arrays in it, more than the file holds")
        return tuple(self._array(what, depth + 1) for _ in range(length))

    def _scalars(self, kind: int, count: int) -> tuple[Any, ...]:
        _, layout = _SCALARS[kind]
        data = self._take(count * layout.size)
        found = struct.unpack(f"<{count}{layout.format[-1]}", data)
        if kind == _BOOL:
            if any(item > 1 for item in found):
                self.refuse("a truth value is neither 0 nor 1")
            return tuple(item == 1 for item in found)
        if kind in _FLOATS:
            return tuple(item if math.isfinite(item) else None for item in found)
        return found

    def _string(self, what: str) -> str:
        length = self._u64()
        self._bytes_left -= length
        if length > MAX_STRING_BYTES or self._bytes_left < 0:
            self.refuse(f"{what} is {length} bytes long, which is too long")
        # Vocabularies hold halves of characters; they are shown as what they are not.
        return self._take(length).decode("utf-8", "replace")

    def _skip_strings(self, count: int, what: str, wanted: frozenset[bytes]) -> None:
        """Pass over strings, noting the places of those wanted.

        This loop decides how fast a header is read.
        """
        self._strings_left -= count
        if self._strings_left < 0:
            self.refuse(f"its arrays have more than {MAX_STRINGS} texts")
        unpack = _U64.unpack_from
        lengths = frozenset(map(len, wanted))
        ahead = 8 + max(lengths, default=0)
        place = 0
        while place < count:
            self._need(max(8, min(ahead, self._limit - self.position)))
            window, begin, last = self._window, self._at, len(self._window) - 8
            at = begin
            while place < count and at <= last:
                (length,) = unpack(window, at)
                after = at + 8 + length
                if length in lengths:
                    if after > last + 8 and at > begin:
                        break
                    if window[at + 8 : after] in wanted:
                        self.infill[window[at + 8 : after].decode()] = place
                elif length > MAX_STRING_BYTES:
                    self._at = at
                    self.refuse(f"an item of {what} is {length} bytes long, which is too long")
                at = after
                place += 1
            self._skip(at - begin)

    def _u32(self) -> int:
        found: int = _U32.unpack(self._take(4))[0]
        return found

    def _u64(self) -> int:
        found: int = _U64.unpack(self._take(8))[0]
        return found

    def _take(self, count: int) -> bytes:
        self._need(count)
        begin = self._at
        self._at = begin + count
        return self._window[begin : self._at]

    def _skip(self, count: int) -> None:
        self._inside(count)
        self._at += count

    def _inside(self, count: int) -> None:
        if count > self._limit - self.position:
            if self._limit < self.size:
                self.refuse(f"its header is longer than {MAX_GGUF_HEADER_BYTES} bytes")
            self.refuse(f"it ends in the middle of its header, {self.size} bytes long")

    def _need(self, count: int) -> None:
        """Have ``count`` bytes in the window."""
        if self._at + count <= len(self._window):
            return
        self._inside(count)
        place = self.position
        self._file.seek(place)
        self._window = self._file.read(min(max(count, _WINDOW), self._limit - place))
        self._start, self._at = place, 0
        if len(self._window) < count:
            self.refuse("it became shorter while it was read")
