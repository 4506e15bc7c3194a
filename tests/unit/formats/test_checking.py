"""The door: what is let in, what is refused, and that no bytes can do more than be refused."""

from __future__ import annotations

import json
import pickle
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from safetensors.numpy import save

from metier.errors import InputError, MetierError, NotFoundError
from metier.formats import (
    MAX_HEADER_BYTES,
    check_json,
    check_onnx,
    check_part,
    check_safetensors,
    check_toml,
    refuse_unsafe,
)

LONGEST = 2.0
"""Seconds that a check of a small file may take on a busy machine."""


def written(folder: Path, data: bytes, name: str = "part") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def tensors(header: Any, body: bytes = b"") -> bytes:
    """A safetensors file with this header, taken as it is if it is bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def entry(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def model(**changes: Any) -> onnx.ModelProto:
    """A small model with a weight in the graph, one in a subgraph and one in a function."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])
    weight = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    inner = helper.make_graph([], "inner", [], [value], initializer=[weight])
    nodes = [
        helper.make_node("Constant", [], ["c"], value=weight),
        helper.make_node("If", ["c"], ["i"], then_branch=inner, else_branch=inner),
        helper.make_node("Add", ["x", "w"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "outer",
        [value],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
        initializer=[weight],
    )
    function = helper.make_function(
        "d", "f", ["a"], ["b"], [helper.make_node("Constant", [], ["b"], value=weight)], []
    )
    return helper.make_model(graph, functions=[function], ir_version=10, **changes)


def test_a_real_safetensors_file(tmp_path: Path) -> None:
    arrays = {
        "half": np.arange(6, dtype=np.float16).reshape(2, 3),
        "empty": np.zeros((0, 4), np.float32),
        "bytes": np.arange(5, dtype=np.int8),
        "scalar": np.array(3.5),
    }
    data = save(arrays, metadata={"format": "np"})
    found = check_safetensors(written(tmp_path, data))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        tensor = found[name]
        assert tensor.shape == array.shape
        assert data[tensor.begin : tensor.end] == array.tobytes()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 7,
        struct.pack("<Q", 2) + b"{",
        struct.pack("<Q", 1 << 63) + b"{}",
        struct.pack("<Q", MAX_HEADER_BYTES + 1) + b"{}" * 40,
        tensors(b" {}"),
        tensors(b"[]"),
        tensors(b"{"),
        tensors(b"{\xff}"),
        tensors(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        tensors(b'{"a":' + b"9" * 5000 + b"}"),
        tensors(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{}}', b"x"),
        tensors({"__metadata__": []}),
        tensors({"__metadata__": {"a": 1}}),
        tensors({"a": entry()}, b"\0" * 7),
        tensors({"a": entry()}, b"\0" * 9),
        tensors({"a": entry(dtype="PICKLE")}, b"\0" * 8),
        tensors({"a": entry(dtype=3)}, b"\0" * 8),
        tensors({"a": entry(shape=[-2])}, b"\0" * 8),
        tensors({"a": entry(shape=[True, 2])}, b"\0" * 8),
        tensors({"a": entry(shape=[2.0])}, b"\0" * 8),
        tensors({"a": entry(shape="2")}, b"\0" * 8),
        tensors({"a": entry(shape=[3])}, b"\0" * 8),
        tensors({"a": entry(shape=[1] * 17 + [2])}, b"\0" * 8),
        tensors({"a": entry(shape=[1 << 62, 4], offsets=[0, 0])}),
        tensors({"a": entry(offsets=[8, 0])}, b"\0" * 8),
        tensors({"a": entry(offsets=[0, 8, 8])}, b"\0" * 8),
        tensors({"a": entry(offsets=[1, 9])}, b"\0" * 9),
        tensors({"a": entry(), "b": entry(offsets=[4, 12])}, b"\0" * 12),
        tensors({"a": entry(), "b": entry(offsets=[16, 24])}, b"\0" * 24),
        tensors({"a": entry(offsets=[0, 1 << 64])}, b"\0" * 8),
        tensors({"a": {**entry(), "extra": 1}}, b"\0" * 8),
        tensors({"a": [1]}, b""),
    ],
)
def test_a_safetensors_file_that_lies_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        check_safetensors(written(tmp_path, data))
    assert caught.value.code == "bad_safetensors"


def test_a_header_of_too_many_tensors_is_refused(tmp_path: Path) -> None:
    header = {str(number): entry(shape=[0], offsets=[0, 0]) for number in range(50_001)}
    with pytest.raises(InputError, match="more than"):
        check_safetensors(written(tmp_path, tensors(header)))


def test_a_real_onnx_file(tmp_path: Path) -> None:
    found = check_onnx(written(tmp_path, model().SerializeToString()))
    assert found.ir_version == 10
    assert found.nodes == 4
    assert ("", onnx.defs.onnx_opset_version()) in found.opsets


def outside(tensor: TensorProto) -> None:
    """Let a tensor name another file for its data."""
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")


def sparse(made: onnx.ModelProto) -> TensorProto:
    made.graph.sparse_initializer.add().values.CopyFrom(made.graph.initializer[0])
    return made.graph.sparse_initializer[0].values


def training(made: onnx.ModelProto) -> TensorProto:
    made.training_info.add().algorithm.initializer.append(made.graph.initializer[0])
    return made.training_info[0].algorithm.initializer[0]


def many(made: onnx.ModelProto) -> TensorProto:
    attribute = made.graph.node[0].attribute.add(name="many")
    attribute.tensors.append(made.graph.initializer[0])
    return attribute.tensors[0]


@pytest.mark.parametrize(
    "where",
    [
        lambda made: made.graph.initializer[0],
        lambda made: made.graph.node[0].attribute[0].t,
        lambda made: made.graph.node[1].attribute[0].g.initializer[0],
        lambda made: made.functions[0].node[0].attribute[0].t,
        sparse,
        training,
        many,
    ],
)
def test_external_data_is_found_wherever_it_hides(tmp_path: Path, where: Any) -> None:
    for field in ("both", "location", "entries"):
        made = model()
        tensor = where(made)
        outside(tensor)
        if field == "location":
            tensor.ClearField("external_data")
        if field == "entries":
            tensor.ClearField("data_location")
        with pytest.raises(InputError, match="another file"):
            check_onnx(written(tmp_path, made.SerializeToString()))


def test_a_graph_hidden_in_a_second_field_is_walked_too(tmp_path: Path) -> None:
    """Protobuf merges repeated occurrences of one field; a parser of the last one misses that."""
    hidden = onnx.ModelProto()
    hidden.graph.initializer.add(name="h")
    outside(hidden.graph.initializer[0])
    data = hidden.SerializeToString() + model().SerializeToString()
    with pytest.raises(InputError, match="another file"):
        check_onnx(written(tmp_path, data))


def deep(levels: int) -> bytes:
    made = model()
    graph = made.graph
    for _ in range(levels):
        attribute = graph.node.add().attribute.add(name="g")
        graph = attribute.g
    return made.SerializeToString()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"\x08",
        b"\x08" + b"\xff" * 11,
        b"\x0b",
        b"\x3a\xff\xff\xff\xff\x0f",
        b"\x08\x0a",
        b"\x09\x00",
        b"\x0d\x00\x00\x00",
        b"hello, world",
        pickle.dumps({"a": 1}),
        model().SerializeToString()[:-3],
        model().SerializeToString() + b"\x08",
        deep(30),
        b"\x08\x0a" * 250_001,
    ],
    ids=range(15),
)
def test_what_is_no_model_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        check_onnx(written(tmp_path, data))
    assert caught.value.code == "bad_onnx"


def test_fixed_fields_and_unknown_fields_are_skipped(tmp_path: Path) -> None:
    data = model().SerializeToString() + b"\xf1\x7f" + b"\0" * 8 + b"\xf5\x7f" + b"\0" * 4
    assert check_onnx(written(tmp_path, data)).nodes == 4


@pytest.mark.parametrize(
    "name",
    [
        "model.bin", "model.PT", "a.pkl", "b.joblib", "c.ckpt", "d.py", "e.so", "f.tar", "g.zip",
        "h.keras", "i.h5", "j.npz", "k.js", "l.sh", "m.pickle", "n.pth", "deep/o.pyc", "p.json.gz",
    ],
)  # fmt: skip
def test_unsafe_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        refuse_unsafe(written(tmp_path, b"{}"), name)
    assert caught.value.code == "unsafe_part"
    assert name in caught.value.message


@pytest.mark.parametrize(
    "data",
    [
        *(pickle.dumps([1], protocol=number) for number in range(2, 6)),
        b"PK\x03\x04rest",
        b"\x7fELF\x02",
        b"#!/bin/sh\n",
        b"MZ\x90",
        b"\x93NUMPY\x01",
        b"\x1f\x8b\x08",
        b"\x89HDF\r\n",
    ],
)
def test_unsafe_bytes_are_refused_whatever_their_name(tmp_path: Path, data: bytes) -> None:
    for name in ("card.json", "notes.md", "model.onnx", "README"):
        with pytest.raises(InputError) as caught:
            check_part(name, written(tmp_path, data))
        assert caught.value.code == "unsafe_part"
    with pytest.raises(InputError):
        check_part("w.safetensors", written(tmp_path, data))


def test_a_file_is_judged_by_its_own_name_if_no_other_is_given(tmp_path: Path) -> None:
    refuse_unsafe(written(tmp_path, b"{}", "a.json"))
    with pytest.raises(InputError):
        refuse_unsafe(written(tmp_path, b"{}", "a.pkl"))


def test_a_safetensors_length_that_looks_like_a_signature_is_no_program(tmp_path: Path) -> None:
    """A header of 8,483 bytes starts with '#!', one of 640 bytes like a pickle."""
    for length in (0x2123, 0x0280, 0x5A4D):
        header = json.dumps({"a": entry()}).encode().ljust(length)
        check_part("w.safetensors", written(tmp_path, tensors(header, b"\0" * 8)))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("card.json", b'{"a": [1, 2]}'),
        ("list.json", b"[]"),
        ("recipe.toml", b"a = 1\n"),
        ("results/special.jsonl", b'{"a": 1}\n'),
        ("notes.md", b"# Notes\n"),
        ("words.txt", b""),
        ("LICENSE", b"Apache"),
        ("deep/NOTICE", b""),
        ("w.safetensors", save({"a": np.zeros(2)})),
        ("m.ONNX", model().SerializeToString()),
    ],
)
def test_every_known_format_passes(tmp_path: Path, name: str, data: bytes) -> None:
    check_part(name, written(tmp_path, data))


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.json", b"{", "bad_json"),
        ("a.json", b"\xff", "bad_json"),
        ("a.json", b'{"a": 1, "a": 2}', "bad_json"),
        ("a.json", b"[" * 200_000, "bad_json"),
        ("a.toml", b"a = ", "bad_toml"),
        ("a.toml", b"a = 1\na = 2", "bad_toml"),
        ("a.toml", b"\xff", "bad_toml"),
        ("a.toml", b"a = " + b"[" * 100_000, "bad_toml"),
        ("a.toml", b"#" * (1 << 20) + b"#", "bad_toml"),
        ("a.gguf", b"GGUF", "bad_gguf"),
        ("noname", b"", "unknown_format"),
        (".hidden", b"", "unknown_format"),
    ],
)
def test_malformed_and_unknown_parts_are_refused(
    tmp_path: Path, name: str, data: bytes, code: str
) -> None:
    with pytest.raises(InputError) as caught:
        check_part(name, written(tmp_path, data))
    assert caught.value.code == code
    assert caught.value.remedy


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    for check in (check_safetensors, check_onnx, check_json, check_toml, refuse_unsafe):
        with pytest.raises(NotFoundError):
            check(tmp_path / "missing")
        with pytest.raises(NotFoundError):
            check(tmp_path)


fuzz = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def harmless(check: Any, path: Path) -> None:
    """The check says yes or raises an error of ours, and does not take long."""
    began = time.process_time()
    with suppress(MetierError):
        check(path)
    assert time.process_time() - began < LONGEST


SAFE = save({"a": np.zeros((2, 3), np.float32), "b": np.ones(5, np.int8)})
MODEL = model().SerializeToString()


@fuzz
@given(st.binary(max_size=300))
@example(b"\xff" * 64)
def test_fuzz_any_bytes(tmp_path: Path, data: bytes) -> None:
    path = written(tmp_path, data)
    for check in (check_safetensors, check_onnx, check_json, check_toml, refuse_unsafe):
        harmless(check, path)


@fuzz
@given(st.integers(0, 10**9), st.binary(max_size=12), st.integers(0, 12))
def test_fuzz_changed_files(tmp_path: Path, at: int, patch: bytes, cut: int) -> None:
    for data, check in ((SAFE, check_safetensors), (MODEL, check_onnx)):
        place = at % len(data)
        harmless(check, written(tmp_path, data[:place] + patch + data[place + cut :]))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)


@fuzz
@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "__metadata__"]),
        st.fixed_dictionaries(
            {},
            optional={
                "dtype": st.sampled_from(["F32", "F4", "U8", "X"]) | json_values,
                "shape": st.lists(st.integers(-1, 1 << 40), max_size=3) | json_values,
                "data_offsets": st.lists(st.integers(-1, 40), max_size=3) | json_values,
            },
        ),
    ),
    st.binary(max_size=40),
)
def test_fuzz_headers(tmp_path: Path, header: dict[str, Any], body: bytes) -> None:
    harmless(check_safetensors, written(tmp_path, tensors(header, body)))


@st.composite
def protobuf(draw: st.DrawFn, depth: int = 4) -> bytes:
    """Messages with fields that ONNX has, nested at random."""
    parts = b""
    for _ in range(draw(st.integers(0, 4))):
        number = draw(st.sampled_from([1, 2, 5, 6, 7, 8, 10, 11, 13, 14, 15, 20, 22, 25]))
        if depth and draw(st.booleans()):
            inner = draw(protobuf(depth=depth - 1))
            parts += varint(number << 3 | 2) + varint(len(inner)) + inner
        else:
            parts += varint(number << 3) + varint(draw(st.integers(0, 1 << 64)))
    return parts


def varint(value: int) -> bytes:
    parts = b""
    while value > 0x7F:
        parts += bytes([value & 0x7F | 0x80])
        value >>= 7
    return parts + bytes([value])


@fuzz
@given(protobuf())
def test_fuzz_protobuf(tmp_path: Path, data: bytes) -> None:
    harmless(check_onnx, written(tmp_path, data))
