"""GGUF headers: real ones are read whole and quickly, and no bytes can do more than be refused.

The attacks that trust.md names are here by their numbers.
"""

from __future__ import annotations

import struct
import time
import tracemalloc
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from metier.errors import InputError, MetierError, NotFoundError
from metier.formats import LongArray, check_gguf, read_gguf
from metier.formats.ggml import FILE_TYPES, TENSOR_TYPES
from tiny_gguf import tiny_adapter, tiny_embedder, tiny_model

LONGEST = 1.0
"""Seconds of processor time that any header may take."""
MOST_MEMORY = 256 << 20

U32, U64, TEXT, ARRAY = 4, 10, 8, 9


def text(value: str | bytes) -> bytes:
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(data)) + data


def number(value: int) -> bytes:
    return struct.pack("<II", U32, value)


def array(kind: int, length: int, data: bytes) -> bytes:
    return struct.pack("<IIQ", ARRAY, kind, length) + data


def tensor(
    name: str | bytes = "t",
    shape: Sequence[int] = (32,),
    kind: int = 0,
    offset: int = 0,
    dimensions: int | None = None,
) -> bytes:
    count = len(shape) if dimensions is None else dimensions
    sizes = struct.pack(f"<{len(shape)}Q", *shape)
    return text(name) + struct.pack("<I", count) + sizes + struct.pack("<IQ", kind, offset)


def header(
    keys: Sequence[tuple[str | bytes, bytes]] = (),
    tensors: Sequence[bytes] = (),
    body: int = 4096,
    **other: Any,
) -> bytes:
    """A file with this header, padded, and so many bytes of data; counts may lie."""
    front = other.get("magic", b"GGUF") + struct.pack(
        "<IQQ",
        other.get("version", 3),
        other.get("tensor_count", len(tensors)),
        other.get("key_count", len(keys)),
    )
    front += b"".join(text(key) + value for key, value in keys) + b"".join(tensors)
    return front.ljust(-(-len(front) // 32) * 32, b"\0") + b"\0" * body


def written(folder: Path, data: bytes) -> Path:
    path = folder / "model.gguf"
    path.write_bytes(data)
    return path


def refused(folder: Path, data: bytes, why: str) -> InputError:
    began = time.process_time()
    with pytest.raises(InputError, match=why) as caught:
        read_gguf(written(folder, data))
    assert time.process_time() - began < LONGEST
    assert caught.value.code == "bad_gguf"
    assert "byte" in caught.value.message
    return caught.value


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Files that the gguf package wrote: a model, an adapter, an embedding model."""
    folder = tmp_path_factory.mktemp("real")
    model = tiny_model(folder)
    return [model, tiny_adapter(folder, model, seed=1), tiny_embedder(folder)]


def test_real_files_are_read_as_their_writer_reads_them(real: list[Path]) -> None:
    for path in real:
        found = read_gguf(path, long_arrays=True)
        theirs = gguf.GGUFReader(path)
        for field in theirs.fields.values():
            if field.name.startswith("GGUF."):
                continue
            value = field.contents()
            wanted = tuple(value) if isinstance(value, list) else value
            assert found.metadata[field.name] == wanted, field.name
        assert len(found.tensors) == len(theirs.tensors)
        for ours, other in zip(found.tensors, theirs.tensors, strict=True):
            assert (ours.name, ours.type) == (other.name, other.tensor_type.name)
            assert ours.shape == tuple(int(size) for size in other.shape)
            assert (ours.offset, ours.bytes) == (int(other.data_offset), int(other.n_bytes))
        assert found.data_offset == theirs.data_offset
        check_gguf(path)


def test_types_are_those_of_the_gguf_package() -> None:
    theirs = {
        int(kind): (kind.name, *gguf.GGML_QUANT_SIZES[kind])
        for kind in gguf.GGMLQuantizationType
        if kind.name != "Q8_1"  # no file has it, and their size of it is not ggml's
    }
    assert {kind: TENSOR_TYPES[kind] for kind in theirs} == theirs
    for kind in gguf.LlamaFileType:
        if kind.name != "GUESSED":
            name = kind.name.removeprefix("MOSTLY_").removeprefix("ALL_").removesuffix("_MOE")
            assert FILE_TYPES[int(kind)] == name


def test_long_arrays_are_passed_over_unless_they_are_wanted(tmp_path: Path) -> None:
    words = b"".join(text(f"w{place}") for place in range(2000))
    keys = [
        ("tokenizer.ggml.tokens", array(TEXT, 2000, words)),
        ("numbers", array(U32, 1025, b"\1\0\0\0" * 1025)),
        ("short", array(U32, 2, b"\1\0\0\0\2\0\0\0")),
        ("after", number(7)),
    ]
    path = written(tmp_path, header(keys))
    found = read_gguf(path).metadata
    assert found["tokenizer.ggml.tokens"] == LongArray("string", 2000)
    assert found["numbers"] == LongArray("uint32", 1025)
    assert (found["short"], found["after"]) == ((1, 2), 7)
    whole = read_gguf(path, long_arrays=True).metadata
    assert whole["tokenizer.ggml.tokens"][1999] == "w1999"
    assert whole["numbers"] == (1,) * 1025


def test_every_type_of_value(tmp_path: Path) -> None:
    inner = struct.pack("<IQ", U32, 1) + b"\5\0\0\0"
    keys = [
        ("u8", struct.pack("<IB", 0, 255)),
        ("i8", struct.pack("<Ib", 1, -1)),
        ("u16", struct.pack("<IH", 2, 65535)),
        ("i16", struct.pack("<Ih", 3, -2)),
        ("i32", struct.pack("<Ii", 5, -3)),
        ("f32", struct.pack("<If", 6, 0.5)),
        ("yes", struct.pack("<IB", 7, 1)),
        ("u64", struct.pack("<IQ", U64, (1 << 64) - 1)),
        ("i64", struct.pack("<Iq", 11, -(1 << 63))),
        ("f64", struct.pack("<Id", 12, 0.25)),
        ("nan", struct.pack("<If", 6, float("nan"))),
        ("text", struct.pack("<I", TEXT) + text("ü")),
        ("half", struct.pack("<I", TEXT) + text(b"\xc3")),
        ("nested", struct.pack("<IIQ", ARRAY, ARRAY, 2) + inner * 2),
        ("empty", array(TEXT, 0, b"")),
    ]
    found = read_gguf(written(tmp_path, header(keys))).metadata
    assert dict(found) == {
        "u8": 255, "i8": -1, "u16": 65535, "i16": -2, "i32": -3, "f32": 0.5, "yes": True,
        "u64": (1 << 64) - 1, "i64": -(1 << 63), "f64": 0.25, "nan": None, "text": "ü",
        "half": "\ufffd", "nested": ((5,), (5,)), "empty": (),
    }  # fmt: skip


def test_a_gap_token_is_found_wherever_the_window_ends(tmp_path: Path) -> None:
    for before in (0, 1, (1 << 20) - 40, (1 << 20) - 30, (1 << 20) - 25, (1 << 20) - 9):
        words = text("x" * before) + text("<|fim_prefix|>") + text("y") * 1500
        keys = [("tokenizer.ggml.tokens", array(TEXT, 1502, words)), ("after", number(7))]
        found = read_gguf(written(tmp_path, header(keys)))
        assert dict(found.infill) == {"<|fim_prefix|>": 1}
        assert found.metadata["after"] == 7


def test_a_vocabulary_of_150_000_tokens_is_read_quickly(tmp_path: Path) -> None:
    """Well under 0.3 s on a quiet machine; processor time is what a busy one can promise."""
    words = b"".join(text(f"token{place}") for place in range(152_000))
    keys = [
        ("tokenizer.ggml.tokens", array(TEXT, 152_000, words)),
        ("tokenizer.ggml.token_type", array(5, 152_000, b"\1\0\0\0" * 152_000)),
        ("tokenizer.ggml.merges", array(TEXT, 152_000, words)),
    ]
    path = written(tmp_path, header(keys))
    began = time.process_time()
    found = read_gguf(path)
    assert time.process_time() - began < 0.3
    assert found.metadata["tokenizer.ggml.merges"] == LongArray("string", 152_000)


def test_the_start_of_a_file_can_be_read_alone(real: list[Path], tmp_path: Path) -> None:
    whole = real[0].read_bytes()
    found = read_gguf(real[0])
    path = written(tmp_path, whole[: found.data_offset])
    assert read_gguf(path, file_bytes=len(whole)) == found
    with pytest.raises(InputError, match="ends at byte"):
        read_gguf(path)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "middle of its header"),
        (b"GGU", "middle of its header"),
        (header(magic=b"GGML"), "does not begin"),
        (header(version=1), "version 1"),
        (header(version=4), "version 4"),
        (header(version=0x03000000), "big endian"),
        (header([("a", number(1)), ("a", number(2))]), "twice"),
        (header([("", number(1))]), "0 bytes long"),
        (header([("a\0b", number(1))]), "zero byte"),
        (header([(b"\xff", number(1))]), "not UTF-8"),
        (header([("k" * 65_536, number(1))]), "65536 bytes long"),
        (header([("a", struct.pack("<I", 13))]), "unknown type 13"),
        (header([("a", array(13, 1, b""))]), "unknown type 13"),
        (header([("a", struct.pack("<IB", 7, 2))]), "neither 0 nor 1"),
        (header([("general.alignment", number(0))]), "alignment"),
        (header([("general.alignment", number(48))]), "power of two"),
        (header([("general.alignment", number(1 << 17))]), "alignment"),
        (header([("general.alignment", struct.pack("<I", TEXT) + text("32"))]), "alignment"),
        (header(tensors=[tensor(), tensor()]), "twice"),
        (header(tensors=[tensor("a"), tensor("b", offset=64)]), "overlaps"),
        (header(tensors=[tensor("a"), tensor("b", offset=130)]), "multiple of 32"),
        (header(tensors=[tensor(offset=4064)], body=4000), "the file at byte"),
        (header(tensors=[tensor(kind=4)]), "unknown type 4"),
        (header(tensors=[tensor(kind=9999)]), "unknown type 9999"),
        (header(tensors=[tensor(shape=(33,), kind=8)]), "multiples of 32"),
        (header(tensors=[tensor(shape=(1, 1, 1, 1, 1))]), "5 dimensions"),
        (header(tensors=[tensor(shape=(), dimensions=0)]), "0 dimensions"),
        (header(tensors=[tensor("n" * 64)]), "64 bytes long"),
        (header(tensors=[tensor("")]), "0 bytes long"),
        (header(tensors=[tensor("a\0")]), "zero byte"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    refused(tmp_path, data, why)


def test_cve_2025_53630_sizes_that_add_up_beyond_64_bits(tmp_path: Path) -> None:
    """llama.cpp added the sizes of all tensors without a check, and allocated the remainder."""
    half = (1 << 62) // 4
    tensors = [tensor(f"t{place}", (half,), offset=place * (half * 4)) for place in range(4)]
    refused(tmp_path, header(tensors=tensors), "impossible shape|beyond every file|the file at")
    huge = [tensor("a", (1 << 61,), 28), tensor("b", (1 << 61,), 28, offset=1 << 63)]
    refused(tmp_path, header(tensors=huge), "impossible shape|beyond every file")


def test_cve_2026_27940_the_bypass_by_padding(tmp_path: Path) -> None:
    """The first fix checked the sum, and the padding to the alignment passed it again."""
    size = (1 << 63) - 32
    for offset in (0, size - 32, (1 << 64) - 32):
        tensors = [tensor("a", (32,)), tensor("b", (size,), 24, offset=offset)]
        refused(tmp_path, header(tensors=tensors), "overlaps|beyond every file|the file at byte")


def test_cve_2026_21869_negative_counts(tmp_path: Path) -> None:
    """A signed number below zero where a count is read passes 'not more than'."""
    minus = (1 << 64) - 1
    refused(tmp_path, header(tensor_count=minus), "tensors")
    refused(tmp_path, header(key_count=minus), "keys")
    refused(tmp_path, header([("a", array(U32, minus, b""))]), "more than the file holds")
    refused(tmp_path, header([("a", array(TEXT, minus, b""))]), "more than the file holds")
    refused(tmp_path, header([("a", array(ARRAY, minus, b""))]), "more than the file holds")
    refused(tmp_path, header([("a", struct.pack("<IQ", TEXT, minus))]), "too long")
    refused(tmp_path, header(tensors=[tensor(shape=(minus,))]), "impossible shape")
    refused(tmp_path, header(tensors=[tensor(shape=(minus, minus))]), "impossible shape")
    refused(tmp_path, header(tensors=[tensor(shape=(0,))]), "impossible shape")


def test_cve_2026_7482_a_tensor_that_reads_beyond_the_file(tmp_path: Path) -> None:
    """Ollama converted a tensor larger than its file, and the heap behind it came along."""
    refused(tmp_path, header(tensors=[tensor(shape=(1 << 20,))]), "the file at byte")
    refused(tmp_path, header(tensors=[tensor(offset=1 << 40)]), "the file at byte")
    refused(tmp_path, header(tensors=[tensor(offset=(1 << 64) - 128)]), "beyond every file")


def test_huge_counts_take_neither_time_nor_memory(tmp_path: Path) -> None:
    many = 1 << 40
    tracemalloc.start()
    try:
        refused(tmp_path, header(tensor_count=many), "tensors")
        refused(tmp_path, header(key_count=many), "keys")
        refused(tmp_path, header([("a", array(0, many, b""))]), "more than the file holds")
        refused(tmp_path, header([("a", array(TEXT, 1 << 22, b"\0" * (8 << 22)))]), "texts")
        refused(tmp_path, header([("a", array(0, 1 << 22, b"\0" * (1 << 22)))] * 2), "twice")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The largest of these files is 32 MB, and the test holds it twice.
    assert peak < MOST_MEMORY


def test_arrays_of_arrays_end_somewhere(tmp_path: Path) -> None:
    deep = struct.pack("<IQ", ARRAY, 1) * 50
    refused(tmp_path, header([("a", struct.pack("<I", ARRAY) + deep)]), "nested")
    wide = struct.pack("<IIQ", ARRAY, ARRAY, 100_000) + struct.pack("<IQ", U32, 0) * 100_000
    path = written(tmp_path, header([("a", wide)]))
    began = time.process_time()
    assert len(read_gguf(path).metadata["a"]) == 100_000
    assert time.process_time() - began < LONGEST


def test_kept_texts_have_a_budget(tmp_path: Path) -> None:
    long = struct.pack("<I", TEXT) + text(b"a" * (16 << 20))
    data = header([(str(place), long) for place in range(5)])
    refused(tmp_path, data, "too long")
    refused(tmp_path, header([("a", struct.pack("<I", TEXT) + text(b"a" * 17_000_000))]), "long")


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_gguf(tmp_path / "missing.gguf")


fuzz = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def harmless(path: Path) -> None:
    """Success or an error of ours, within a second and within the memory that is allowed."""
    for long_arrays in (False, True):
        began = time.process_time()
        with suppress(MetierError):
            read_gguf(path, long_arrays=long_arrays)
        assert time.process_time() - began < LONGEST


@fuzz
@given(
    place=st.integers(0, 10**9),
    patch=st.binary(max_size=12)
    | st.integers(0, (1 << 64) - 1).map(lambda n: struct.pack("<Q", n)),
    cut=st.integers(0, 12),
    which=st.integers(0, 2),
)
@example(place=8, patch=b"\xff" * 8, cut=8, which=0)
@example(place=16, patch=b"\xff" * 8, cut=8, which=1)
def test_fuzz_changed_headers(
    real: list[Path], tmp_path: Path, place: int, patch: bytes, cut: int, which: int
) -> None:
    found = real[which].read_bytes()
    front = read_gguf(real[which]).data_offset
    at = place % front
    harmless(written(tmp_path, found[:at] + patch + found[at + cut :]))


@fuzz
@given(st.binary(max_size=400))
def test_fuzz_any_bytes(tmp_path: Path, data: bytes) -> None:
    harmless(written(tmp_path, data))
    harmless(written(tmp_path, b"GGUF\x03\0\0\0" + data))
    counts = struct.pack("<QQ", data.count(0) % 5, data.count(1) % 5)
    harmless(written(tmp_path, b"GGUF\x03\0\0\0" + counts + data))


values = st.one_of(
    st.integers(0, 14).map(lambda kind: struct.pack("<I", kind)),
    st.binary(max_size=20).map(lambda data: struct.pack("<I", TEXT) + text(data)),
    st.integers(0, (1 << 32) - 1).map(number),
    st.builds(
        array,
        st.integers(0, 14),
        st.integers(0, 6) | st.integers(0, (1 << 64) - 1),
        st.binary(max_size=60),
    ),
)
sizes = st.integers(0, 300) | st.integers(0, (1 << 64) - 1)


@fuzz
@given(
    st.lists(st.tuples(st.sampled_from(["a", "general.alignment", "b"]), values), max_size=4),
    st.lists(
        st.builds(
            tensor,
            st.sampled_from(["t", "u", "v"]),
            st.lists(sizes, max_size=5),
            st.integers(0, 42),
            sizes,
        ),
        max_size=4,
    ),
    st.integers(0, 2000),
)
def test_fuzz_headers(
    tmp_path: Path, keys: list[tuple[str, bytes]], tensors: list[bytes], body: int
) -> None:
    harmless(written(tmp_path, header(keys, tensors, body)))


def test_memory_of_changed_headers_is_bounded(real: list[Path], tmp_path: Path) -> None:
    """Every count of a real header set to the largest number and to its file's size."""
    found = real[0].read_bytes()
    front = read_gguf(real[0]).data_offset
    rng = np.random.default_rng(0)
    tracemalloc.start()
    try:
        for at in rng.integers(0, front, 25):
            for value in (len(found), (1 << 31) - 1, 1 << 24):
                patch = struct.pack("<Q", value)
                path = written(tmp_path, found[:at] + patch + found[at + 8 :])
                for long_arrays in (False, True):
                    with suppress(MetierError):
                        read_gguf(path, long_arrays=long_arrays)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_MEMORY // 4
