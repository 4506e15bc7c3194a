"""What may come in: one part of an artifact is sound, or it is refused.

It knows safetensors, the protobuf frame of ONNX, JSON and TOML well enough to refuse a file that
lies about itself, and it refuses everything that can carry code. It never loads a tensor, and it
takes neither memory nor time beyond its caps. Sources: safetensors (README, "Format"), onnx.proto
(ModelProto, TensorProto.data_location).
"""

from __future__ import annotations

import json
import math
import mmap
import os
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from metier.errors import InputError
from metier.formats.gguf import check_gguf
from metier.formats.refusing import opened, refuse

MAX_HEADER_BYTES = 16 << 20
MAX_JSON_BYTES = 64 << 20
MAX_TOML_BYTES = 1 << 20
_MAX_TENSORS = 50_000
_MAX_FIELDS = 250_000
_MAX_DEPTH = 32
_MAX_DIMENSIONS = 16

_BITS = {
    **dict.fromkeys(("F4",), 4),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0"), 8),
    **dict.fromkeys(("F8_E5M2FNUZ", "F8_E4M3FNUZ"), 8),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 64),
}
_UNSAFE = {
    **dict.fromkeys(
        (".bin", ".ckpt", ".dill", ".joblib", ".mar", ".npy", ".npz", ".pickle", ".pkl", ".pt",
         ".pth", ".sav"),
        "it may hold a pickle, which runs code when it is loaded",
    ),
    **dict.fromkeys((".h5", ".hdf5", ".keras", ".pb"), "it may hold code for a layer"),
    **dict.fromkeys(
        (".bat", ".cjs", ".class", ".cmd", ".dll", ".dylib", ".exe", ".jar", ".js", ".lua", ".mjs",
         ".ps1", ".py", ".pyc", ".pyd", ".pyi", ".pyw", ".rb", ".sh", ".so", ".ts", ".wasm",
         ".whl"),
        "it is code",
    ),
    **dict.fromkeys(
        (".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zip", ".zst"),
        "it is an archive, and what it holds cannot be checked",
    ),
}  # fmt: skip
_TEXTS = frozenset((".jsonl", ".md", ".txt"))
_TEXT_NAMES = frozenset(("LICENSE", "LICENCE", "NOTICE", "README"))
_SIGNATURES = (
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"#!", "a script"),
    (b"\x93NUMPY", "a NumPy file"),
    (b"\x89HDF", "an HDF5 file"),
)


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a safetensors file: type, shape, and its bytes from ``begin`` to ``end``.

    Offsets count from the start of the file.
    """

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """What the frame of an ONNX file says: IR version, operator sets, number of nodes.

    ``inner`` counts graphs inside of nodes: the bodies of loops and branches.
    """

    ir_version: int
    opsets: tuple[tuple[str, int], ...]
    nodes: int
    inner: int = 0


def check_part(filepath: str, path: Path, beside: Collection[str] = ()) -> None:
    """Refuse a part that is unsafe, unknown or malformed.

    Args:
        filepath: Its path inside the specialist, which names its format.
        path: Where its bytes lie.
        beside: File paths of all parts of the same artifact: an ONNX graph may take its weights
            from one of them, and from no other file.

    Raises:
        InputError: Code ``unsafe_part``, ``unknown_format`` or ``bad_<format>``.
    """
    refuse_unsafe(path, filepath)
    suffix = PurePosixPath(filepath).suffix.lower()
    if suffix == ".safetensors":
        check_safetensors(path)
    elif suffix == ".gguf":
        check_gguf(path)
    elif suffix == ".onnx":
        check_onnx(path, beside)
    elif suffix == ".json":
        check_json(path)
    elif suffix == ".toml":
        check_toml(path)
    elif suffix not in _TEXTS and PurePosixPath(filepath).name not in _TEXT_NAMES:
        raise InputError(
            f"The part {filepath!r} has a format that Metier does not load.",
            code="unknown_format",
            remedy="Parts are safetensors, GGUF, ONNX, JSON, JSON Lines, TOML or plain text.",
            details={"part": filepath},
        )


def refuse_unsafe(path: Path, filepath: str | None = None) -> None:
    """Refuse pickles, code and archives, by name and by first bytes.

    Args:
        path: The file.
        filepath: Its name inside the specialist if that is not ``path``'s own.

    Raises:
        InputError: It can carry code (code ``unsafe_part``).
    """
    name = filepath if filepath is not None else path.name
    suffix = PurePosixPath(name).suffix.lower()
    why = _UNSAFE.get(suffix)
    if why is None and suffix != ".safetensors":
        # A safetensors file starts with a number, which may look like any signature.
        start = _start(path)
        why = next(
            (f"it is {what}" for magic, what in _SIGNATURES if start.startswith(magic)), None
        )
        if len(start) > 1 and start[0] == 0x80 and start[1] <= 8:
            why = "it is a pickle, which runs code when it is loaded"
    if why is not None:
        raise InputError(
            f"The part {name!r} is refused: {why}.",
            code="unsafe_part",
            remedy="Convert weights to safetensors or ONNX; leave code out.",
            details={"part": name},
        )


def check_safetensors(path: Path) -> dict[str, Tensor]:
    """Check a safetensors file's header against the file.

    The header is at most 16 MiB of JSON without duplicate keys; every tensor has a known type, a
    shape that fits its bytes, and the bytes follow each other without gap or overlap to the end.

    Returns:
        Name to tensor, in the order of their bytes.

    Raises:
        InputError: Code ``bad_safetensors``; NotFoundError if there is no file.
    """
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if size < 10 or not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
            refuse("safetensors", path, f"its header is not 2 to {MAX_HEADER_BYTES} bytes long")
        text = file.read(length)
    if text[:1] != b"{":
        refuse("safetensors", path, "its header does not start with '{'")
    header = _json(text, path, "safetensors")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        refuse("safetensors", path, "its metadata are not texts")
    if len(header) > _MAX_TENSORS:
        refuse("safetensors", path, f"it has more than {_MAX_TENSORS} tensors")
    tensors = {name: _tensor(name, entry, path) for name, entry in header.items()}
    ordered = dict(sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)))
    end = 0
    for name, tensor in ordered.items():
        if tensor.begin != end:
            refuse("safetensors", path, f"the bytes of {name[:80]!r} leave a gap or overlap")
        end = tensor.end
    start = 8 + length
    if start + end != size:
        refuse("safetensors", path, f"its tensors end at byte {start + end}, the file at {size}")
    return {
        name: Tensor(tensor.dtype, tensor.shape, start + tensor.begin, start + tensor.end)
        for name, tensor in ordered.items()
    }


def _tensor(name: str, entry: Any, path: Path) -> Tensor:
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        refuse("safetensors", path, f"the tensor {name[:80]!r} is not described as it must be")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    bits = _BITS.get(dtype) if isinstance(dtype, str) else None
    if bits is None:
        refuse("safetensors", path, f"the tensor {name[:80]!r} has an unknown type")
    if not _counts(shape) or len(shape) > _MAX_DIMENSIONS:
        refuse("safetensors", path, f"the tensor {name[:80]!r} has no valid shape")
    if not _counts(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        refuse("safetensors", path, f"the tensor {name[:80]!r} has no valid offsets")
    if math.prod(shape) * bits != (offsets[1] - offsets[0]) * 8:
        refuse("safetensors", path, f"the shape of {name[:80]!r} does not fit its bytes")
    return Tensor(dtype, tuple(shape), offsets[0], offsets[1])


def _counts(value: Any) -> bool:
    """Whether ``value`` is a list of whole numbers from 0 to 2**63 - 1."""
    return isinstance(value, list) and all(
        type(item) is int and 0 <= item < 1 << 63 for item in value
    )


def check_json(path: Path) -> None:
    """Refuse what is not one JSON document without duplicate keys (code ``bad_json``)."""
    _json(_text(path, "json", MAX_JSON_BYTES), path, "json", objects_only=False)


def check_toml(path: Path) -> None:
    """Refuse what is not a TOML document of at most 1 MiB (code ``bad_toml``)."""
    data = _text(path, "toml", MAX_TOML_BYTES)
    try:
        tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        refuse("toml", path, "it cannot be parsed", error)


def _json(text: bytes, path: Path, kind: str, *, objects_only: bool = True) -> Any:
    try:
        document = json.loads(text.decode("utf-8"), object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        refuse(kind, path, "its JSON cannot be parsed or repeats a key", error)
    if objects_only and not isinstance(document, dict):
        refuse(kind, path, "its JSON is not an object")
    return document


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key is repeated")
    return document


def check_onnx(path: Path, beside: Collection[str] = ()) -> OnnxModel:
    """Check that a file is one ONNX ModelProto whose weights are in it, or in a part beside it.

    The frame is walked down to every tensor (subgraphs, functions and training included); a
    tensor that names a file which is not one of ``beside`` is refused. At most 250,000 fields and
    32 levels are walked.

    Raises:
        InputError: Code ``bad_onnx``; NotFoundError if there is no file.
    """
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            refuse("onnx", path, "it is empty")
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
            walk = _OnnxWalk(path, data, frozenset(beside))
            walk.message(0, size, "model", 0)
    if not 1 <= walk.ir_version <= 100 or not walk.opsets or not walk.graphs:
        refuse("onnx", path, "it has no version, no operator set or no graph")
    return OnnxModel(walk.ir_version, tuple(walk.opsets), walk.nodes, walk.inner)


_CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 8: "opset", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 9: "opset", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
    "opset": {},
}
"""Field number to the message in it, for every way to a tensor in onnx.proto."""
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14


class _OnnxWalk:
    """One walk over the protobuf frame, with its budget of fields."""

    def __init__(self, path: Path, data: mmap.mmap, beside: frozenset[str]) -> None:
        self._path = path
        self._beside = beside
        self._data = data
        self._left = _MAX_FIELDS
        self.ir_version = 0
        self.opsets: list[tuple[str, int]] = []
        self.graphs = 0
        self.nodes = 0
        self.inner = 0

    def message(self, begin: int, end: int, kind: str, depth: int) -> None:
        """Walk the message of ``kind`` between two offsets."""
        if depth > _MAX_DEPTH:
            refuse("onnx", self._path, "its graphs are nested too deeply")
        children = _CHILDREN[kind]
        domain, version = "", 0
        for number, value, start, stop in self._fields(begin, end):
            if kind == "tensor":
                self._tensor_field(number, value, start, stop)
            elif kind == "model" and number == 1 and value is not None:
                self.ir_version = value
            elif kind == "opset":
                domain = self._string(start, stop) if number == 1 and value is None else domain
                version = value if number == 2 and value is not None else version
            elif value is None and number in children:
                self.message(start, stop, children[number], depth + 1)
        self.nodes += kind == "node"
        self.graphs += kind == "graph" and depth == 1
        self.inner += kind == "graph" and depth > 1
        if kind == "opset" and depth == 1:
            self.opsets.append((domain, version))

    def _tensor_field(self, number: int, value: int | None, start: int, stop: int) -> None:
        """Refuse data in another file, unless the file is a part of the same artifact."""
        named = None
        if number == _EXTERNAL_DATA and value is None:
            entry = {
                key: self._string(begin, end)
                for key, number_value, begin, end in self._fields(start, stop)
                if number_value is None
            }
            named = entry.get(2) if entry.get(1) == "location" else None
        outside = named is not None and named not in self._beside
        if outside or (number == _DATA_LOCATION and value and not self._beside):
            refuse("onnx", self._path, "a tensor names another file for its data")

    def _string(self, start: int, stop: int) -> str:
        return self._data[start : min(stop, start + 200)].decode("utf-8", "replace")

    def _fields(self, begin: int, end: int) -> Iterator[tuple[int, int | None, int, int]]:
        """Field number, its number or ``None``, and where its bytes begin and end."""
        at = begin
        while at < end:
            self._left -= 1
            if self._left < 0:
                refuse("onnx", self._path, f"it has more than {_MAX_FIELDS} fields")
            key, at = self._varint(at, end)
            number, wire = key >> 3, key & 7
            value: int | None = None
            start = at
            if wire == 0:
                value, at = self._varint(at, end)
            elif wire == 2:
                length, start = self._varint(at, end)
                at = start + length
            elif wire in (1, 5):
                at += 8 if wire == 1 else 4
                value = 0
            else:
                refuse("onnx", self._path, "it is not protobuf")
            if at > end or not 1 <= number < 1 << 29:
                refuse("onnx", self._path, "a field ends outside the file")
            yield number, value, start, at

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        value = 0
        stop = min(end, at + 10)
        for place in range(at, stop):
            byte = self._data[place]
            value |= (byte & 0x7F) << 7 * (place - at)
            if byte < 0x80:
                return value & (1 << 64) - 1, place + 1
        return refuse("onnx", self._path, "a number in it has no end")


def _start(path: Path) -> bytes:
    with opened(path) as file:
        return file.read(16)


def _text(path: Path, kind: str, limit: int) -> bytes:
    with opened(path) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        refuse(kind, path, f"it is longer than {limit} bytes")
    return data
