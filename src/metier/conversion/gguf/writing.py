"""Writes a GGUF file tensor by tensor, a few rows at a time, whole or not at all.

It knows GGUF's layout through the ``gguf`` package, the three ways in which weights are kept, and
how a file gets its name only when it is complete. It does not know where weights come from.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

import gguf
import numpy as np

from metier.errors import InputError, StorageError
from metier.messages import Progress, Report

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]
    Rows = NDArray[np.intp]

DType = Literal["f32", "f16", "q8_0"]
Cancelled = Callable[[], bool]

SLICE_BYTES = 8 << 20
"""Rows are converted in slices of at most so many bytes as float32."""
LARGEST_F16 = 65504.0
_BLOCK = 32
_KINDS = {
    "f32": gguf.GGMLQuantizationType.F32,
    "f16": gguf.GGMLQuantizationType.F16,
    "q8_0": gguf.GGMLQuantizationType.Q8_0,
}
FILE_TYPES = {
    "f32": gguf.LlamaFileType.ALL_F32,
    "f16": gguf.LlamaFileType.MOSTLY_F16,
    "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A tensor to write.

    Attributes:
        name: Its GGUF name.
        source: What it is called where it comes from, for errors.
        shape: Rows and columns, or one length.
        order: The rows of the source in the order in which they are written.
        rows: Gives rows of the source as float32.
    """

    name: str
    source: str
    shape: tuple[int, ...]
    order: Rows
    rows: Callable[[Rows], FloatArray]


def never() -> bool:
    """A ``Cancelled`` that lets work go on."""
    return False


def write_gguf(
    target: Path,
    architecture: str,
    describe: Callable[[gguf.GGUFWriter], None],
    tensors: Sequence[Outgoing],
    dtype: DType,
    *,
    report: Report,
    cancelled: Cancelled = never,
) -> None:
    """Write ``target``; it appears under its name when it is whole, and replaces what was there.

    Vectors are kept as float32, matrices as ``dtype`` (those whose rows are no multiple of 32
    numbers as f16 instead of q8_0, as llama.cpp does).

    Args:
        target: The file; its folder is made.
        architecture: What ``general.architecture`` says.
        describe: Adds the metadata.
        tensors: In the order in which they are written.
        dtype: How matrices are kept.
        report: Told of progress, stage ``convert``.
        cancelled: Asked between slices.

    Raises:
        InputError: A number that is not finite or does not fit into f16 (``bad_weights``), or
            ``cancelled``.
        StorageError: It could not be written (``model_not_written``).
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _whole_or_nothing(target) as temporary:
            _write_header(temporary, architecture, describe, tensors, dtype)
            with temporary.open("ab") as stream:
                _write_tensors(stream, tensors, dtype, report, cancelled)
    except OSError as error:
        raise StorageError(
            f"{target.name} could not be written: {error}.",
            code="model_not_written",
            remedy="Free some space there or check its permissions.",
            retryable=True,
        ) from error


def kind_of(shape: tuple[int, ...], dtype: DType) -> gguf.GGMLQuantizationType:
    """How a tensor of this shape is kept."""
    if len(shape) < 2:
        return gguf.GGMLQuantizationType.F32
    if dtype == "q8_0" and shape[-1] % _BLOCK:
        return gguf.GGMLQuantizationType.F16
    return _KINDS[dtype]


def _write_header(
    path: Path,
    architecture: str,
    describe: Callable[[gguf.GGUFWriter], None],
    tensors: Sequence[Outgoing],
    dtype: DType,
) -> None:
    writer = gguf.GGUFWriter(path, architecture)
    try:
        describe(writer)
        for tensor in tensors:
            kind = kind_of(tensor.shape, dtype)
            stored = gguf.quant_shape_to_byte_shape(tensor.shape, kind)
            if kind is gguf.GGMLQuantizationType.Q8_0:
                writer.add_tensor_info(
                    tensor.name, stored, np.dtype(np.uint8), int(np.prod(stored)), kind
                )
            else:
                plain = np.dtype(np.float16 if kind.name == "F16" else np.float32)
                size = int(np.prod(tensor.shape)) * plain.itemsize
                writer.add_tensor_info(tensor.name, tensor.shape, plain, size)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
    finally:
        writer.close()


def _write_tensors(
    stream: BinaryIO,
    tensors: Sequence[Outgoing],
    dtype: DType,
    report: Report,
    cancelled: Cancelled,
) -> None:
    whole = sum(int(np.prod(tensor.shape)) for tensor in tensors)
    done = 0
    _pad(stream)
    for tensor in tensors:
        kind = kind_of(tensor.shape, dtype)
        step = max(1, SLICE_BYTES // 4 // max(1, int(np.prod(tensor.shape[1:]))))
        for start in range(0, tensor.shape[0], step):
            if cancelled():
                raise InputError("The conversion was stopped.", code="cancelled")
            rows = tensor.rows(tensor.order[start : start + step])
            _check(tensor, rows, kind)
            stream.write(np.ascontiguousarray(gguf.quants.quantize(rows, kind)).data)
            done += rows.size
        report(Progress("convert", f"Converted {tensor.name}", done / whole))
        _pad(stream)


def _check(tensor: Outgoing, rows: FloatArray, kind: gguf.GGMLQuantizationType) -> None:
    largest = float(np.abs(rows).max(initial=0.0))
    if not np.isfinite(largest):
        raise InputError(
            f"{tensor.source!r} holds a number that is not finite.",
            code="bad_weights",
            remedy="The weights are damaged; fetch them again.",
        )
    if kind is gguf.GGMLQuantizationType.F16 and largest > LARGEST_F16:
        raise InputError(
            f"{tensor.source!r} holds {largest:.3g}, more than f16 can keep.",
            code="bad_weights",
            remedy="Convert to f32 or q8_0.",
        )


def _pad(stream: BinaryIO) -> None:
    behind = -stream.tell() % gguf.GGUF_DEFAULT_ALIGNMENT
    stream.write(bytes(behind))


@contextmanager
def _whole_or_nothing(path: Path) -> Iterator[Path]:
    """A temporary file beside ``path`` that takes its name at the end, or vanishes."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        temporary.unlink(missing_ok=True)
