"""From what a catalogue, a card or a GGUF header says to the facts that an estimate needs.

A header says everything exactly. A catalogue's entry says a size and a number of parameters: the
rest is taken to be as it usually is for models of that size, on the side of more memory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from types import MappingProxyType

from metier.finding import Entry
from metier.fitting.values import Engine, ModelFacts
from metier.formats import GgufFacts, GgufHeader, GgufTensor
from metier.scheduler import Shape, scratch_bytes
from metier.scheduler.sizing import SLOTS

BITS = {
    "F32": 32.0, "F16": 16.0, "BF16": 16.0, "Q8_0": 8.5, "Q6_K": 6.56, "Q5_K": 5.6, "Q5_1": 6.0,
    "Q5_0": 5.5, "Q4_K": 4.7, "Q4_1": 5.0, "Q4_0": 4.5, "IQ4_XS": 4.25, "IQ4_NL": 4.5,
    "MXFP4": 4.25, "Q3_K": 3.7, "IQ3_S": 3.4, "IQ3_XXS": 3.1, "Q2_K": 2.9, "IQ2_S": 2.5,
    "IQ2_XS": 2.3, "IQ2_XXS": 2.1, "IQ1_M": 1.75, "IQ1_S": 1.6,
}  # fmt: skip
"""Bits of a weight in a file that is called so; the mixed ones as their medium variant is."""
USUAL_VOCABULARY = 152_000
"""Tokens, as most models of the last years have them: decides the buffers while computing."""
WRITES = frozenset({"chat", "complete", "generate", "extract", "describe-image"})
"""Tasks that are answered in written tokens."""
ENCODER_BUFFERS = 48 << 20
"""Bytes that ONNX Runtime takes beside an encoder's weights."""
_VARIANT = re.compile(r"(?<=_K)_(?:XS|S|M|L|XL)$|(?<=IQ3)_M$|(?<=IQ2)_M$")
_ACTIVE = re.compile(r"(?:^|[-_/. ])a(\d+(?:\.\d+)?)([bm])(?:$|[-_/. :])", re.IGNORECASE)
_ENCODED = frozenset({"embed", "classify", "rerank"})


def of_entry(entry: Entry) -> ModelFacts:
    """What a catalogue's entry says of a model that is not here."""
    kind = quantization_type(entry.quantization)
    writes = entry.task in WRITES
    if not entry.pull:
        return _entry_facts(entry, "none", kind, "Metier has no engine for it yet.")
    if kind or writes:
        return _entry_facts(entry, "llamacpp", kind, "")
    if entry.task in _ENCODED:
        return _entry_facts(entry, "encoder", "F32", "")
    why = f"Metier has no engine for the task {entry.task} of models from elsewhere."
    return _entry_facts(entry, "none", kind, why)


def of_headers(
    facts: GgufFacts, headers: Sequence[GgufHeader], shape: Shape, *, writes: bool
) -> ModelFacts:
    """What the headers of a GGUF model say, exactly.

    Args:
        facts: What they mean.
        headers: One of each shard.
        shape: What its memory follows from, its files' sizes included.
        writes: Whether it is asked to write.
    """
    tensors = [tensor for header in headers for tensor in header.tensors]
    tied = not any(tensor.name.startswith("output.") for tensor in tensors)
    metadata = headers[0].metadata
    used = metadata.get(f"{facts.architecture}.expert_used_count")
    experts = metadata.get(f"{facts.architecture}.expert_count")
    share = used / experts if isinstance(used, int) and isinstance(experts, int) and experts else 1
    read: Counter[str] = Counter()
    multiplied = 0
    for tensor in tensors:
        if len(tensor.shape) < 2 or (tensor.name.startswith("token_embd.") and not tied):
            continue
        part = share if "_exps." in tensor.name else 1
        read[tensor.type] += int(tensor.bytes * part)
        if not tensor.name.startswith(("token_embd.", "output.")):
            multiplied += int(_elements(tensor) * part)
    return ModelFacts("llamacpp", writes, shape, read=dict(read), multiplied=multiplied, exact=True)


@lru_cache(maxsize=512)
def quantization_type(name: str) -> str:
    """The type of most of a file's tensors by its quantisation's name; "" if it is none.

    ``Q4_K_M`` and ``UD-Q4_K_XL`` are mostly ``Q4_K``.
    """
    known = _VARIANT.sub("", name.strip().upper().removeprefix("UD-"))
    if known in ("IQ3", "IQ2"):
        return f"{known}_S"
    known = {"FP16": "F16", "FP32": "F32", "IQ3_XS": "IQ3_S"}.get(known, known)
    return known if known in BITS else ""


def usual_cache_bytes(parameters: int) -> int:
    """Bytes of keys and values of one token, as models of that size usually have.

    The middle of 19 well-known models from 135 million to 32 billion parameters (12 kB to 262 kB);
    two of three lie within a factor of two.
    """
    return int(55_000 * (max(parameters, 1) / 1e9) ** 0.4)


def active_parameters(name: str, parameters: int) -> int:
    """Parameters that one token uses: a mixture of experts often says so in its name (``A3B``)."""
    found = _ACTIVE.search(name)
    if found is None:
        return parameters
    active = int(float(found[1]) * (1e9 if found[2].lower() == "b" else 1e6))
    return min(active, parameters) if parameters else active


def _entry_facts(entry: Entry, engine: Engine, kind: str, why_not: str) -> ModelFacts:
    parameters, size = entry.parameters or 0, entry.size_bytes or 0
    bits = BITS.get(kind)
    if not size and parameters and bits:
        size = int(parameters * bits / 8)
    if not parameters and size:
        parameters = int(size * 8 / (bits or BITS["Q4_K"]))
    if not size:
        return ModelFacts(engine, entry.task in WRITES, why_not=why_not)
    active = active_parameters(entry.name, parameters)
    share = active / parameters if parameters else 1.0
    if engine == "encoder":
        resident = size + ENCODER_BUFFERS
        return ModelFacts(engine, writes=False, resident=resident, multiplied=active)
    writes = entry.task in WRITES
    width = int(2048 * (parameters / 1e9) ** (1 / 3))
    shape = Shape(
        weights=size,
        trained=entry.context or 0,
        cache=usual_cache_bytes(parameters) if writes else 0,
        scratch=scratch_bytes(USUAL_VOCABULARY, width, 4 * width),
        slots=SLOTS if writes else 1,
    )
    read = MappingProxyType({kind or "Q4_K": int(size * share)})
    return ModelFacts(engine, writes, shape, read=read, multiplied=active, why_not=why_not)


def of_encoder(weights: int, multiplied: int) -> ModelFacts:
    """An encoder, or a specialist over one: ONNX Runtime keeps its weights in our process.

    Args:
        weights: Bytes of its parts, the base's among them.
        multiplied: Its numbers without the embeddings, which are looked up; 0 if not known.
    """
    resident = weights + ENCODER_BUFFERS
    return ModelFacts("encoder", False, resident=resident, multiplied=multiplied, exact=True)


def of_tables(weights: int) -> ModelFacts:
    """A specialist of arrays alone, or a document pack: its bytes are what it takes."""
    return ModelFacts("tables", False, resident=weights, exact=True)


def of_prompting(own: int) -> ModelFacts:
    """A chat specialist: a prompt, documents and tools of ``own`` bytes, over any base."""
    return ModelFacts("tables", False, resident=own, exact=True, over_base=True)


def _elements(tensor: GgufTensor) -> int:
    product = 1
    for size in tensor.shape:
        product *= size
    return product
