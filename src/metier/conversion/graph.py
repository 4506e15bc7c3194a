"""Writes the ONNX graph of a BERT sentence encoder, and its fp32 form that holds no weight itself.

It knows the structure of BERT (Devlin et al. 2019, section 3) and which ONNX operators run it
fastest on a CPU. How the linear layers multiply is a ``Products``: in fp32 here, in int8 in
``quantisation``. It does not run what it writes.

Every graph has two inputs, ``ids`` (int64, batch x tokens) and ``mask`` (int32, the same shape, 1
for a token and 0 for padding on the right), and one output, ``vector`` (float32, batch x hidden,
unit length).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from metier.conversion.upstream import WEIGHTS, Upstream

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONTRIB = "com.microsoft"
"""The domain of ONNX Runtime's own operators (MultiHeadAttention, FusedMatMul, exact Gelu)."""

OPSET, CONTRIB_OPSET, IR_VERSION = 18, 1, 10
WORDS = "embeddings.word_embeddings.weight"

Place = Literal["attention", "context", "wide", "narrow"]
"""What a product reads: the layer's input, the attention's output, the feed-forward layer's input,
and its activations."""


class Products(Protocol):
    """How the linear layers of a graph multiply."""

    def words(self) -> str:
        """The word embeddings of ``ids``: batch x tokens x hidden, float32."""

    def feed(self, states: str, place: Place, layer: int, /) -> str:
        """Make ``states`` ready for the products at ``place``."""

    def product(self, fed: str, place: Place, layer: int, name: str, /) -> str:
        """``fed`` times the upstream weight ``<name>.weight`` plus ``<name>.bias``."""

    def residual(self, states: str, active: str, layer: int, /) -> str:
        """``states`` plus what the product at ``narrow`` leaves out of ``active``, if anything."""


@dataclass(slots=True)
class GraphWriter:
    """Nodes and constants of a graph while it is written, in a fixed order.

    Attributes:
        upstream: The encoder whose tensors are named.
        nodes: The nodes so far.
        constants: The initializers so far, by name.
    """

    upstream: Upstream
    nodes: list[NodeProto] = field(default_factory=list)
    constants: dict[str, TensorProto] = field(default_factory=dict)

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Append a node with one output; returns the output's name."""
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """Store ``array`` in the graph itself; returns its name."""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.asarray(array, order="C"), name)
        return name

    def external(self, name: str) -> str:
        """Refer to the bytes of an upstream tensor in ``model.safetensors``.

        A tensor that upstream stores in another type than float32 goes into the graph, converted.
        """
        place = self.upstream.tensors.places.get(self.upstream.prefix + name)
        if place is None or place.dtype != "F32":
            return self.constant(name, self.upstream.array(name))
        if name not in self.constants:
            proto = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=place.shape)
            proto.data_location = TensorProto.EXTERNAL
            facts = {"location": WEIGHTS, "offset": place.offset, "length": place.length}
            for key, value in facts.items():
                proto.external_data.add(key=key, value=str(value))
            self.constants[name] = proto
        return name

    def model(self, description: str) -> ModelProto:
        """The finished graph; the same calls give the same bytes."""
        shape, hidden = ["batch", "tokens"], self.upstream.hidden
        graph = helper.make_graph(
            self.nodes,
            "encoder",
            [
                helper.make_tensor_value_info("ids", TensorProto.INT64, shape),
                helper.make_tensor_value_info("mask", TensorProto.INT32, shape),
            ],
            [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["batch", hidden])],
            list(self.constants.values()),
        )
        return helper.make_model(
            graph,
            opset_imports=[
                helper.make_opsetid("", OPSET),
                helper.make_opsetid(CONTRIB, CONTRIB_OPSET),
            ],
            ir_version=IR_VERSION,
            producer_name="metier",
            doc_string=description,
        )


def write_encoder(writer: GraphWriter, products: Products) -> None:
    """Write the whole encoder, from ``ids`` and ``mask`` to ``vector``.

    Layer normalisation stands as its own node: the fused ``SkipLayerNormalization`` takes four
    times as long on a CPU (decision 0041).
    """
    states = _embeddings(writer, products.words())
    for layer in range(writer.upstream.layers):
        states = _layer(writer, products, layer, states)
    _pooling(writer, states)


def build_fp32(upstream: Upstream) -> ModelProto:
    """The fp32 graph of ``upstream``.

    Every weight is *external data* that names a byte range of ``model.safetensors``, so that file
    is mapped into memory as upstream published it; the graph must be loaded from its folder.
    """
    writer = GraphWriter(upstream)
    write_encoder(writer, _ExactProducts(writer))
    return writer.model(f"{upstream.name}, fp32, {upstream.pooling} pooling")


@dataclass(frozen=True, slots=True)
class _ExactProducts:
    """Products in fp32, with the weights as they are stored (out x in)."""

    writer: GraphWriter

    def words(self) -> str:
        return self.writer.node("Gather", [self.writer.external(WORDS), "ids"], "words")

    def feed(self, states: str, _place: Place, _layer: int, /) -> str:
        return states

    def product(self, fed: str, _place: Place, _layer: int, name: str, /) -> str:
        weight, bias = self.writer.external(f"{name}.weight"), self.writer.external(f"{name}.bias")
        product = self.writer.node(
            "FusedMatMul", [fed, weight], f"{name}.product", domain=CONTRIB, transB=1
        )
        return self.writer.node("Add", [product, bias], f"{name}.output")

    def residual(self, states: str, _active: str, _layer: int, /) -> str:
        return states


def _embeddings(writer: GraphWriter, words: str) -> str:
    """Add position and token type 0 to the word embeddings and normalise."""
    upstream = writer.upstream
    kinds = upstream.array("embeddings.token_type_embeddings.weight")[0]
    positions = upstream.array("embeddings.position_embeddings.weight")[: upstream.max_tokens]
    writer.constant("positions", positions + kinds)
    writer.constant("start", np.array([0], np.int64))
    writer.node("Shape", ["ids"], "tokens", start=1, end=2)
    writer.node("Slice", ["positions", "start", "tokens"], "here")
    writer.node("Add", [words, "here"], "embedded")
    return _normalised(writer, "embedded", "embeddings.LayerNorm")


def _layer(writer: GraphWriter, products: Products, layer: int, states: str) -> str:
    path = f"encoder.layer.{layer}"
    fed = products.feed(states, "attention", layer)
    parts = [
        products.product(fed, "attention", layer, f"{path}.attention.self.{part}")
        for part in ("query", "key", "value")
    ]
    context = writer.node(
        "MultiHeadAttention",
        [*parts, "", "mask"],
        f"{path}.context",
        domain=CONTRIB,
        num_heads=writer.upstream.heads,
    )
    fed = products.feed(context, "context", layer)
    mixed = products.product(fed, "context", layer, f"{path}.attention.output.dense")
    summed = writer.node("Add", [mixed, states], f"{path}.attention.sum")
    middle = _normalised(writer, summed, f"{path}.attention.output.LayerNorm")
    fed = products.feed(middle, "wide", layer)
    wide = products.product(fed, "wide", layer, f"{path}.intermediate.dense")
    active = writer.node("Gelu", [wide], f"{path}.active", domain=CONTRIB)
    fed = products.feed(active, "narrow", layer)
    narrow = products.product(fed, "narrow", layer, f"{path}.output.dense")
    kept = products.residual(middle, active, layer)
    summed = writer.node("Add", [narrow, kept], f"{path}.sum")
    return _normalised(writer, summed, f"{path}.output.LayerNorm")


def _normalised(writer: GraphWriter, states: str, name: str) -> str:
    """Layer normalisation with the upstream parameters ``<name>.weight`` and ``<name>.bias``."""
    parameters = [
        writer.constant(f"{name}.{part}", writer.upstream.array(f"{name}.{part}"))
        for part in ("weight", "bias")
    ]
    return writer.node(
        "LayerNormalization",
        [states, *parameters],
        f"{name}.output",
        axis=-1,
        epsilon=writer.upstream.epsilon,
    )


def _pooling(writer: GraphWriter, states: str) -> None:
    """Pool the last states to one unit vector per text."""
    if writer.upstream.pooling == "mean":
        # The sum over a text's tokens has the direction of their mean.
        writer.constant("one", np.array([1], np.int64))
        writer.node("Cast", ["mask"], "weights", to=TensorProto.FLOAT)
        writer.node("Unsqueeze", ["weights", "one"], "weight_rows")
        writer.node("MatMul", ["weight_rows", states], "sums")
        pooled = writer.node("Squeeze", ["sums", "one"], "pooled")
    else:
        writer.constant("first", np.array(0, np.int64))
        pooled = writer.node("Gather", [states, "first"], "pooled", axis=1)
    writer.node("LpNormalization", [pooled], "vector", axis=-1, p=2)
