"""A Hugging Face folder of a llama, qwen2 or qwen3 model into one GGUF file.

It joins the folder's shape, tensors and vocabulary with what people and engines ask of a model:
template, context length, ends, name and licence. Same folder, same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from metier.conversion.gguf.folder import (
    StoredTensors,
    open_weights,
    read_object,
    read_optional,
    read_text,
    refuse,
    refuse_code,
)
from metier.conversion.gguf.layout import Planned, check_plan, llama3_factors, plan
from metier.conversion.gguf.shape import Shape, read_shape
from metier.conversion.gguf.vocabulary import Vocabulary, read_vocabulary
from metier.conversion.gguf.writing import (
    FILE_TYPES,
    Cancelled,
    DType,
    Outgoing,
    never,
    write_gguf,
)
from metier.errors import NotFoundError
from metier.messages import Progress, Report, silent

_LICENCE = re.compile(r"^license:\s*([A-Za-z0-9][A-Za-z0-9.+_-]{0,60})\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Converted:
    """A model that was converted.

    Attributes:
        path: The GGUF file.
        architecture: Its family.
        parameters: Numbers in its tensors.
        context: Tokens that it was trained for.
        dtype: How its matrices are kept.
        template: Whether it has a chat template.
    """

    path: Path
    architecture: str
    parameters: int
    context: int
    dtype: DType
    template: bool


def convert_folder(
    source: Path,
    target: Path,
    *,
    dtype: DType = "f16",
    name: str | None = None,
    report: Report = silent,
    cancelled: Cancelled = never,
) -> Converted:
    """Convert the model in ``source``, whose files are only read.

    Args:
        source: A folder with config.json, tokenizer.json and safetensors.
        target: The GGUF file to write; it appears when it is whole.
        dtype: How matrices are kept; vectors stay float32.
        name: What ``general.name`` says; by default the folder's name.
        report: Told of progress, stage ``convert``.
        cancelled: Asked between slices of tensors.

    Raises:
        NotFoundError: The folder or one of its files is missing.
        InputError: ``unknown_architecture``, ``unknown_tokenizer``, ``remote_code``,
            ``pickled_weights``, ``tensor_missing``, ``bad_weights``, ``bad_model_folder`` or
            ``cancelled``; the message names file, setting or tensor.
        CorruptError: A safetensors file is not sound (``bad_safetensors``).
        StorageError: The target could not be written.
    """
    if not source.is_dir():
        raise NotFoundError(f"There is no folder {source}.", code="folder_missing")
    report(Progress("convert", f"Checking {source.name}", 0.0))
    config = read_object(source / "config.json")
    settings = read_optional(source / "tokenizer_config.json")
    refuse_code("tokenizer_config.json", settings)
    shape = read_shape(config)
    tensors = open_weights(source)
    planned = plan(shape)
    check_plan(planned, shape, tensors)
    vocabulary = read_vocabulary(read_object(source / "tokenizer.json"), settings, shape.vocabulary)
    templates = read_templates(source, settings)
    ends = read_ends(config, read_optional(source / "generation_config.json"), settings, vocabulary)
    licence = read_licence(source)

    def describe(writer: gguf.GGUFWriter) -> None:
        writer.add_name(name or source.resolve().name)
        if licence:
            writer.add_license(licence)
        writer.add_file_type(FILE_TYPES[dtype])
        if dtype == "q8_0":
            writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
        describe_shape(writer, shape)
        describe_vocabulary(writer, vocabulary, ends)
        if templates:
            writer.add_chat_template(templates)

    outgoing = [_outgoing(item, tensors) for item in planned]
    if shape.rope.kind == "llama3":
        outgoing.insert(0, _computed("rope_freqs.weight", llama3_factors(shape)))
    write_gguf(
        target, shape.architecture, describe, outgoing, dtype, report=report, cancelled=cancelled
    )
    report(Progress("convert", f"{target.name} is ready", 1.0))
    return Converted(
        path=target,
        architecture=shape.architecture,
        parameters=sum(int(np.prod(item.shape)) for item in planned),
        context=shape.context,
        dtype=dtype,
        template=bool(templates),
    )


def _outgoing(item: Planned, tensors: StoredTensors) -> Outgoing:
    return Outgoing(
        name=item.name,
        source=item.source,
        shape=item.shape,
        order=item.order,
        rows=lambda order: tensors.rows(item.source, order),
    )


def _computed(name: str, values: np.ndarray[Any, np.dtype[np.float32]]) -> Outgoing:
    return Outgoing(name, name, values.shape, np.arange(len(values)), lambda order: values[order])


def describe_shape(writer: gguf.GGUFWriter, shape: Shape) -> None:
    """Write the sizes of a decoder into the metadata."""
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.groups)
    writer.add_key_length(shape.head)
    writer.add_value_length(shape.head)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_rope_dimension_count(shape.head)
    writer.add_rope_freq_base(shape.rope.base)
    rope = shape.rope
    if rope.kind == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope.factor)
    if rope.kind == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope.factor)
        writer.add_rope_scaling_orig_ctx_len(rope.original)
        writer.add_rope_scaling_yarn_beta_fast(rope.fast)
        writer.add_rope_scaling_yarn_beta_slow(rope.slow)


def describe_vocabulary(
    writer: gguf.GGUFWriter, vocabulary: Vocabulary, ends: Mapping[str, int]
) -> None:
    """Write a vocabulary and its ends into the metadata."""
    writer.add_tokenizer_model(vocabulary.model)
    writer.add_tokenizer_pre(vocabulary.pre)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.kinds)
    if vocabulary.scores:
        writer.add_token_scores(vocabulary.scores)
    if vocabulary.merges:
        writer.add_token_merges(vocabulary.merges)
    if vocabulary.add_space is not None:
        writer.add_add_space_prefix(vocabulary.add_space)
    writer.add_add_bos_token(vocabulary.add_bos)
    writer.add_add_eos_token(vocabulary.add_eos)
    for kind, number in ends.items():
        writer.add_uint32(f"tokenizer.ggml.{kind}_token_id", number)


def read_templates(source: Path, settings: Mapping[str, Any]) -> str | list[dict[str, str]] | None:
    """The chat templates of a folder: chat_template.jinja, or what tokenizer_config.json has."""
    alone = read_text(source / "chat_template.jinja")
    found = alone if alone is not None else settings.get("chat_template")
    if found is None or isinstance(found, str):
        return found or None
    named = isinstance(found, list) and all(
        isinstance(entry, dict)
        and isinstance(entry.get("name"), str)
        and isinstance(entry.get("template"), str)
        for entry in found
    )
    if not named:
        raise refuse("tokenizer_config.json: chat_template is no text and no list of templates.")
    return [{"name": entry["name"], "template": entry["template"]} for entry in found]


def read_ends(
    config: Mapping[str, Any],
    generation: Mapping[str, Any],
    settings: Mapping[str, Any],
    vocabulary: Vocabulary,
) -> dict[str, int]:
    """The numbers of the tokens with a part to play: bos, eos, eot, padding, unknown.

    tokenizer_config.json comes first (its end is the one that the chat template writes), then
    generation_config.json and config.json; a further end becomes eot.
    """
    found: dict[str, int] = {}
    listed = {
        name: _numbers(generation.get(f"{name}_token_id"))
        or _numbers(config.get(f"{name}_token_id"))
        for name in ("bos", "eos", "pad")
    }
    for name, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"), ("unk", "unknown")):
        entry = settings.get(f"{name}_token")
        text = entry.get("content") if isinstance(entry, Mapping) else entry
        number = vocabulary.number(text) if isinstance(text, str) else None
        if number is None and listed.get(name):
            number = listed[name][0]
        if number is None:
            continue
        if number >= len(vocabulary.tokens):
            raise refuse(f"The {name} token has the number {number}, which is no token.")
        found[key] = number
    further = [number for number in listed["eos"] if number != found.get("eos")]
    if further and further[0] < len(vocabulary.tokens):
        found["eot"] = further[0]
    return found


def _numbers(value: object) -> list[int]:
    values = value if isinstance(value, list) else [value]
    return [
        entry
        for entry in values
        if isinstance(entry, int) and not isinstance(entry, bool) and entry >= 0
    ]


def read_licence(source: Path) -> str:
    """The licence that the front matter of README.md names, or ""."""
    path = source / "README.md"
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        start = stream.read(64 << 10).decode("utf-8", "replace").replace("\r\n", "\n")
    if not start.startswith("---\n"):
        return ""
    found = _LICENCE.search(start.partition("\n---")[0])
    return found.group(1) if found else ""
