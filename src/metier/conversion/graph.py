"""Writes the fp32 ONNX graph of a BERT sentence encoder whose weights stay in its safetensors.

It knows the arithmetic of BERT (Devlin et al. 2019, section 3) and which ONNX operators run it
fastest on a CPU. It copies no weight: every large tensor is *external data* that names a byte range
of ``model.safetensors``, so upstream's file is mapped into memory as it is, and the graph itself is
a few kilobytes. It does not run the graph.

The graph has one input, ``ids`` (int64, batch x tokens), and one output, ``vector`` (float32, batch
x hidden, unit length). There is no attention mask: a batch holds texts of one length, so no vector
depends on padding or on the texts it is computed with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from metier.conversion.upstream import WEIGHTS, Upstream

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONTRIB = "com.microsoft"
"""The operator domain of ONNX Runtime's own operators (MultiHeadAttention, Gelu with exact erf)."""

OPSET, CONTRIB_OPSET, IR_VERSION = 18, 1, 10
_WORDS = "embeddings.word_embeddings.weight"


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

    def tensor(self, name: str) -> str:
        """Refer to an upstream tensor (without the prefix), in place where it is float32."""
        stored = self.upstream.prefix + name
        place = self.upstream.tensors.places.get(stored)
        if place is None or place.dtype != "F32":
            return self.constant(name, self.upstream.tensors.array(stored))
        if name not in self.constants:
            proto = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=place.shape)
            proto.data_location = TensorProto.EXTERNAL
            facts = {"location": WEIGHTS, "offset": place.offset, "length": place.length}
            for key, value in facts.items():
                proto.external_data.add(key=key, value=str(value))
            self.constants[name] = proto
        return name

    def array(self, name: str) -> NDArray[np.float32]:
        """The values of an upstream tensor (without the prefix)."""
        return self.upstream.tensors.array(self.upstream.prefix + name)

    def layer_norm(self, states: str, name: str, output: str) -> str:
        """Layer normalisation with the upstream parameters ``<name>.weight`` and ``.bias``."""
        return self.node(
            "LayerNormalization",
            [states, self.tensor(f"{name}.weight"), self.tensor(f"{name}.bias")],
            output,
            axis=-1,
            epsilon=self.upstream.epsilon,
        )

    def model(self, description: str) -> ModelProto:
        """The finished graph; the same calls give the same bytes."""
        hidden = self.upstream.hidden
        graph = helper.make_graph(
            self.nodes,
            "encoder",
            [helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "tokens"])],
            [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["batch", hidden])],
            list(self.constants.values()),
        )
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)],
            ir_version=IR_VERSION,
            producer_name="metier",
            doc_string=description,
        )


def build_fp32(upstream: Upstream) -> ModelProto:
    """The fp32 graph of ``upstream``; it must be loaded from the folder of ``model.safetensors``.

    Linear layers are ``Gemm`` with the weights as PyTorch stores them (out x in), which ONNX
    Runtime repacks once at loading. Layer normalisation stands as its own node: the fused
    ``SkipLayerNormalization`` is four times slower on a CPU (decision 0041).
    """
    writer = GraphWriter(upstream)
    states = write_embeddings(
        writer, writer.node("Gather", [writer.tensor(_WORDS), "ids"], "words")
    )
    for layer in range(upstream.layers):
        states = _layer(writer, layer, states)
    write_pooling(writer, states)
    return writer.model(f"{upstream.name}, fp32, {upstream.pooling} pooling")


def write_embeddings(writer: GraphWriter, words: str) -> str:
    """Add position and token type 0 to the word embeddings (batch x tokens x hidden) and normalise.

    Also writes the shape constants that the layers use. Returns the states, flattened to rows.
    """
    hidden = writer.upstream.hidden
    writer.constant("zero", np.array([0], np.int64))
    writer.constant("one", np.array([1], np.int64))
    writer.constant("rows", np.array([-1, hidden], np.int64))
    writer.node("Shape", ["ids"], "tokens", start=1, end=2)
    writer.node("Shape", ["ids"], "batch_tokens", start=0, end=2)
    writer.constant("width", np.array([hidden], np.int64))
    writer.node("Concat", ["batch_tokens", "width"], "cube", axis=0)
    kinds = writer.array("embeddings.token_type_embeddings.weight")[0]
    positions = writer.array("embeddings.position_embeddings.weight")[: writer.upstream.max_tokens]
    writer.constant("positions", positions + kinds)
    writer.node("Slice", ["positions", "zero", "tokens"], "here")
    writer.node("Add", [words, "here"], "embedded")
    writer.node("Reshape", ["embedded", "rows"], "embedded_rows")
    return writer.layer_norm("embedded_rows", "embeddings.LayerNorm", "states_0")


def write_attention(writer: GraphWriter, layer: int, parts: dict[str, str]) -> str:
    """Multi-head self-attention over ``parts`` (query, key, value rows); returns context rows."""
    cubes = [
        writer.node("Reshape", [rows, "cube"], f"{name}_cube_{layer}")
        for name, rows in parts.items()
    ]
    context = writer.node(
        "MultiHeadAttention",
        cubes,
        f"context_cube_{layer}",
        domain=CONTRIB,
        num_heads=writer.upstream.heads,
    )
    return writer.node("Reshape", [context, "rows"], f"context_{layer}")


def write_pooling(writer: GraphWriter, states: str) -> None:
    """Pool the last states (rows) to one unit vector per text, the output ``vector``."""
    cube = writer.node("Reshape", [states, "cube"], "last")
    if writer.upstream.pooling == "mean":
        pooled = writer.node("ReduceMean", [cube, "one"], "pooled", keepdims=0)
    else:
        first = writer.constant("first", np.array(0, np.int64))
        pooled = writer.node("Gather", [cube, first], "pooled", axis=1)
    writer.node("LpNormalization", [pooled], "vector", axis=-1, p=2)


def _layer(writer: GraphWriter, layer: int, states: str) -> str:
    path = f"encoder.layer.{layer}"
    parts = {
        part: _linear(writer, states, f"{path}.attention.self.{part}", f"{part}_{layer}")
        for part in ("query", "key", "value")
    }
    context = write_attention(writer, layer, parts)
    mixed = _linear(writer, context, f"{path}.attention.output.dense", f"mixed_{layer}")
    summed = writer.node("Add", [mixed, states], f"mixed_sum_{layer}")
    middle = writer.layer_norm(summed, f"{path}.attention.output.LayerNorm", f"middle_{layer}")
    wide = _linear(writer, middle, f"{path}.intermediate.dense", f"wide_{layer}")
    active = writer.node("Gelu", [wide], f"active_{layer}", domain=CONTRIB)
    narrow = _linear(writer, active, f"{path}.output.dense", f"narrow_{layer}")
    summed = writer.node("Add", [narrow, middle], f"narrow_sum_{layer}")
    return writer.layer_norm(summed, f"{path}.output.LayerNorm", f"states_{layer + 1}")


def _linear(writer: GraphWriter, rows: str, name: str, output: str) -> str:
    weight, bias = writer.tensor(f"{name}.weight"), writer.tensor(f"{name}.bias")
    return writer.node("Gemm", [rows, weight, bias], output, transB=1)
