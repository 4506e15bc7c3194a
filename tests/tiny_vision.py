"""A small convolutional vision encoder with random weights, and pictures to show it.

It knows ONNX and the three picture formats; what the encoder makes of a picture is noise with a
little of its colours in it. Nothing here is asserted on for its quality.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

WIDTH = 12
SIZE = 32
COLOURS = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (40, 60, 200)}


def graph(seed: int = 0, *, domain: str = "", width: int = WIDTH) -> bytes:
    """Convolution, rectifier, mean over the map: input ``pixels``, output ``vector``."""
    chance = np.random.default_rng(seed)
    weights = chance.normal(0, 0.3, (width, 3, 5, 5)).astype(np.float32)
    operator = "Relu" if not domain else "Strange"
    nodes = [
        helper.make_node("Conv", ["pixels", "w"], ["map"], strides=[2, 2]),
        helper.make_node(operator, ["map"], ["bent"], domain=domain),
        helper.make_node("GlobalAveragePool", ["bent"], ["vector"]),
    ]
    made = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, width, 1, 1])],
        [numpy_helper.from_array(weights, "w")],
    )
    opsets = [helper.make_opsetid("", 17)]
    if domain:
        opsets.append(helper.make_opsetid(domain, 1))
    model = helper.make_model(made, opset_imports=opsets, ir_version=9)
    return bytes(model.SerializeToString())


def endless() -> bytes:
    """The same input and output around a loop of 2 to the 62nd turns."""
    turn = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Identity", ["v"], ["w"])],
        "turn",
        [
            helper.make_tensor_value_info("turns", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, None),
        ],
    )
    most = numpy_helper.from_array(np.array(1 << 62, np.int64), "most")
    made = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["pixels"], ["mean"]),
            helper.make_node("Loop", ["most", "", "mean"], ["vector"], body=turn),
        ],
        "endless",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, 3, 1, 1])],
        [most],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def greedy(gigabytes: int = 64) -> bytes:
    """The same input and output around a constant of many gigabytes, in a few hundred bytes."""
    shape = numpy_helper.from_array(np.array([gigabytes, 1 << 28], np.int64), "shape")
    made = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["pixels"], ["mean"]),
            helper.make_node("ReduceMean", ["mean"], ["one"], keepdims=0),
            helper.make_node("Expand", ["one", "shape"], ["huge"]),
            helper.make_node("ReduceMax", ["huge"], ["top"], keepdims=0),
            helper.make_node("Mul", ["mean", "top"], ["vector"]),
        ],
        "greedy",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, 3, 1, 1])],
        [shape],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def folder(place: Path, **changes: Any) -> Path:
    """A folder with ``vision.json`` and ``model.onnx``; ``changes`` override the description."""
    place.mkdir(parents=True, exist_ok=True)
    described = {
        "input": "pixels",
        "output": "vector",
        "size": SIZE,
        "mean": [0.5, 0.5, 0.5],
        "std": [0.25, 0.25, 0.25],
        "licence": "CC0-1.0",
        **changes,
    }
    (place / "vision.json").write_text(json.dumps(described), encoding="utf-8")
    (place / "model.onnx").write_bytes(graph())
    return place


def pixels(colour: str, seed: int, side: int = 24) -> np.ndarray[Any, Any]:
    """A picture of a colour with noise and a bright bar: uint8, shape (side, side, 3)."""
    chance = np.random.default_rng(seed)
    picture = np.tile(np.array(COLOURS[colour], np.float64), (side, side, 1))
    picture += chance.normal(0, 30, picture.shape)
    picture[:, int(chance.integers(side))] = 250
    return np.clip(picture, 0, 255).astype(np.uint8)


def png(picture: np.ndarray[Any, Any]) -> bytes:
    """A PNG of eight-bit RGB pixels, written by hand: PNG 3rd edition, sections 5 and 11."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    height, width = picture.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in picture)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def encoded(picture: np.ndarray[Any, Any], kind: str, **how: Any) -> bytes:
    """The picture as Pillow writes it."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(picture).save(out, kind, **how)
    return out.getvalue()


def labelled(place: Path, *, train: int = 12, test: int = 6) -> Path:
    """A folder ``train/red/0.png`` …; no two pictures are the same."""
    seed = 0
    for split, number in (("train", train), ("test", test)):
        for colour in COLOURS:
            inside = place / split / colour
            inside.mkdir(parents=True, exist_ok=True)
            for one in range(number):
                (inside / f"{one}.png").write_bytes(png(pixels(colour, seed)))
                seed += 1
    return place
