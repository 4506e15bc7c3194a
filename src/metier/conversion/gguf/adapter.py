"""A PEFT LoRA folder into a GGUF adapter for a given base.

It knows PEFT's settings and names, and refuses every setting that llama.cpp's adapters cannot
express, and every adapter whose matrices do not fit the base. Source of the scale: PEFT's
``LoraLayer``: alpha / rank, or alpha / sqrt(rank) with rsLoRA; llama.cpp applies alpha / rank.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np

from metier.conversion.gguf.folder import StoredTensors, one_file, read_object, refuse
from metier.conversion.gguf.layout import PRODUCTS, rotated_rows
from metier.conversion.gguf.writing import Cancelled, DType, Outgoing, never, write_gguf
from metier.errors import InputError, NotFoundError
from metier.formats.gguf import GgufHeader
from metier.messages import Progress, Report, silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]
    Rows = NDArray[np.intp]

SETTINGS = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
LARGEST_ALPHA = 1e6
FAMILIES = ("llama", "qwen2", "qwen3")
_NAME = re.compile(
    r"base_model\.model\.(?:model\.layers\.(\d+)\.([a-z_.]+)|(lm_head))"
    r"\.lora_([AB])(?:\.default)?\.weight"
)
_REFUSED = {
    "use_dora": "DoRA",
    "modules_to_save": "modules_to_save",
    "fan_in_fan_out": "fan_in_fan_out",
    "lora_bias": "lora_bias",
    "use_qalora": "QALoRA",
    "trainable_token_indices": "trainable_token_indices",
    "target_parameters": "target_parameters",
    "alora_invocation_tokens": "activated LoRA",
    "megatron_config": "megatron_config",
    "arrow_config": "Arrow",
    "layer_replication": "layer_replication",
}
"""Settings that change what an adapter computes beyond LoRA."""
_PLAIN_STARTS = (None, True, False, "gaussian", "eva", "orthogonal")
"""Ways to start training that leave the base as it is."""


@dataclass(frozen=True, slots=True)
class ConvertedAdapter:
    """An adapter that was converted.

    Attributes:
        path: The GGUF file.
        architecture: The family of its base.
        rank: The largest rank of its matrices.
        alpha: What the file says, rsLoRA worked in.
        modules: The adapted matrices, by their GGUF names.
        dtype: How its matrices are kept.
    """

    path: Path
    architecture: str
    rank: int
    alpha: float
    modules: tuple[str, ...]
    dtype: DType


@dataclass(frozen=True, slots=True)
class _Pair:
    """The two factors of one matrix: names in the folder, and what B is multiplied by."""

    first: str
    second: str
    rank: int
    scale: float = 1.0


def convert_adapter(
    source: Path,
    base: GgufHeader,
    target: Path,
    *,
    dtype: DType = "f16",
    name: str | None = None,
    report: Report = silent,
    cancelled: Cancelled = never,
) -> ConvertedAdapter:
    """Convert the adapter in ``source`` for the base whose header is ``base``.

    Args:
        source: A folder with adapter_config.json and adapter_model.safetensors.
        base: The header of the base's GGUF file; of several shards, one that joins their tensors.
        target: The GGUF file to write; it appears when it is whole.
        dtype: How the factors are kept.
        name: What ``general.name`` says; by default the folder's name.
        report: Told of progress, stage ``convert``.
        cancelled: Asked between slices.

    Raises:
        NotFoundError: The folder or one of its files is missing.
        InputError: ``bad_adapter_folder`` (what PEFT can and llama.cpp cannot), ``wrong_base``
            (matrices that the base does not have, or of other sizes), ``unknown_architecture``,
            ``pickled_weights``, ``bad_weights`` or ``cancelled``.
        CorruptError: The safetensors file is not sound (``bad_safetensors``).
        StorageError: The target could not be written.
    """
    if not source.is_dir():
        raise NotFoundError(f"There is no folder {source}.", code="folder_missing")
    report(Progress("convert", f"Checking {source.name}", 0.0))
    architecture = str(base.metadata.get("general.architecture"))
    if architecture not in FAMILIES:
        raise _refuse(
            f"The base is a {architecture}; adapters are converted for {', '.join(FAMILIES)}.",
            code="unknown_architecture",
        )
    settings = read_object(source / SETTINGS)
    _check_settings(settings)
    tensors = _open(source)
    alpha, pairs = _scaled(settings, _pairs(tensors))
    outgoing: list[Outgoing] = []
    for module, pair in pairs.items():
        _check_fit(module, pair, tensors, base)
        outgoing += _factors(module, pair, tensors, _heads(module, base, architecture))

    def describe(writer: gguf.GGUFWriter) -> None:
        writer.add_type(gguf.GGUFType.ADAPTER)
        writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
        writer.add_name(name or source.resolve().name)

    write_gguf(target, architecture, describe, outgoing, dtype, report=report, cancelled=cancelled)
    report(Progress("convert", f"{target.name} is ready", 1.0))
    rank = max(pair.rank for pair in pairs.values())
    return ConvertedAdapter(target, architecture, rank, alpha, tuple(pairs), dtype)


def _refuse(
    message: str, remedy: str | None = None, *, code: str = "bad_adapter_folder"
) -> InputError:
    return refuse(message, remedy, code=code)


def _check_settings(settings: Mapping[str, Any]) -> None:
    kind = settings.get("peft_type")
    if kind != "LORA":
        raise _refuse(f"{SETTINGS}: the adapter is a {kind!s:.40}, not LORA.")
    for setting, called in _REFUSED.items():
        if settings.get(setting):
            raise _refuse(
                f"{SETTINGS}: the adapter uses {called}, which a GGUF adapter cannot express.",
                "Merge it into its base and convert the merged folder.",
            )
    if settings.get("bias", "none") != "none":
        raise _refuse(f"{SETTINGS}: the adapter has biases (bias = {settings['bias']!s:.20}).")
    start = settings.get("init_lora_weights")
    if start not in _PLAIN_STARTS:
        raise _refuse(
            f"{SETTINGS}: init_lora_weights is {start!s:.40}, which changes the base's weights.",
            "Save the adapter as a plain LoRA over the original base.",
        )


def _open(source: Path) -> StoredTensors:
    if not (source / WEIGHTS).is_file():
        if (source / "adapter_model.bin").is_file():
            raise _refuse(
                "The adapter's weights are a pickle (adapter_model.bin), which can run code.",
                "Save it in safetensors format.",
                code="pickled_weights",
            )
        raise NotFoundError(f"{source.name} has no {WEIGHTS}.", code="file_missing")
    return one_file(source / WEIGHTS)


def _pairs(tensors: StoredTensors) -> dict[str, _Pair]:
    """GGUF name of each adapted matrix to its factors, sorted by layer and place."""
    sides: dict[tuple[int, str], dict[str, str]] = {}
    for name in tensors.files:
        found = _NAME.fullmatch(name)
        part = found and (found[3] or found[2])
        if not found or (part != "lm_head" and part not in PRODUCTS):
            raise _refuse(
                f"{name!r} is no factor of a matrix that is adapted here.",
                "Known: attention and feed-forward projections, and lm_head.",
            )
        layer = int(found[1]) if found[1] else 1 << 30
        side = sides.setdefault((layer, str(part)), {})
        if found[4] in side:
            raise _refuse(f"{name!r} is there twice.")
        side[found[4]] = name
    if not sides:
        raise _refuse(f"{WEIGHTS} holds no factors.")
    pairs: dict[str, _Pair] = {}
    for (layer, part), side in sorted(sides.items()):
        missing = {"A", "B"} - set(side)
        if missing:
            raise _refuse(f"{next(iter(side.values()))!r} is there without its {missing.pop()}.")
        shapes = [tensors.place(side[letter]).shape for letter in "AB"]
        two = [len(shape) for shape in shapes] == [2, 2]
        if not two or shapes[0][0] != shapes[1][1] or 0 in (*shapes[0], *shapes[1]):
            raise _refuse(f"The factors of {side['A']!r} do not fit each other.")
        module = "output" if part == "lm_head" else f"blk.{layer}.{PRODUCTS[part]}"
        pairs[module] = _Pair(side["A"], side["B"], shapes[0][0])
    return pairs


def _scaled(settings: Mapping[str, Any], pairs: dict[str, _Pair]) -> tuple[float, dict[str, _Pair]]:
    """What the file's alpha is, and the pairs with what B needs beyond it.

    llama.cpp scales each matrix by alpha / its own rank. Where PEFT's patterns or rsLoRA give a
    matrix another scale, its B is multiplied by the quotient.
    """
    alphas = {module: _alpha(settings, pair) for module, pair in pairs.items()}
    root = bool(settings.get("use_rslora"))
    wanted = {
        module: alphas[module] / (math.sqrt(pair.rank) if root else pair.rank)
        for module, pair in pairs.items()
    }
    first = next(iter(pairs))
    alpha = wanted[first] * pairs[first].rank
    scaled = {}
    for module, pair in pairs.items():
        quotient = wanted[module] * pair.rank / alpha
        exact = math.isclose(quotient, 1.0, rel_tol=1e-12)
        scale = 1.0 if exact else quotient
        scaled[module] = _Pair(pair.first, pair.second, pair.rank, scale)
    return alpha, scaled


def _alpha(settings: Mapping[str, Any], pair: _Pair) -> float:
    module = pair.first.removeprefix("base_model.model.").partition(".lora_")[0]
    rank = _by_pattern(settings, "rank_pattern", module, settings.get("r"))
    if rank != pair.rank:
        raise _refuse(f"{pair.first!r} has the rank {pair.rank}; {SETTINGS} says {rank!s:.20}.")
    alpha = _by_pattern(settings, "alpha_pattern", module, settings.get("lora_alpha"))
    fits = isinstance(alpha, int | float) and not isinstance(alpha, bool)
    if not fits or not 1 / LARGEST_ALPHA <= abs(alpha) <= LARGEST_ALPHA:
        raise _refuse(f"{SETTINGS}: lora_alpha is {alpha!s:.40}, not a number that can be one.")
    return float(alpha)


def _by_pattern(settings: Mapping[str, Any], which: str, module: str, otherwise: object) -> Any:
    """PEFT's rule: the first key that is the module's name, or its end after a dot."""
    patterns = settings.get(which) or {}
    if not isinstance(patterns, Mapping):
        raise _refuse(f"{SETTINGS}: {which} is no object.")
    for key, value in patterns.items():
        if not re.fullmatch(r"[A-Za-z0-9_.]+", key):
            raise _refuse(f"{SETTINGS}: {which} has a pattern, {key[:60]!r}; only names are known.")
        if module == key or module.endswith("." + key):
            return value
    return otherwise


def _check_fit(module: str, pair: _Pair, tensors: StoredTensors, base: GgufHeader) -> None:
    sizes = {tensor.name: tensor.shape for tensor in base.tensors}
    found = sizes.get(f"{module}.weight")
    if found is None:
        raise _refuse(
            f"The adapter changes {module}.weight, which the base does not have.",
            "Take the base that the adapter was trained on.",
            code="wrong_base",
        )
    columns, rows = tensors.place(pair.first).shape[1], tensors.place(pair.second).shape[0]
    if found != (columns, rows):
        raise _refuse(
            f"The adapter's {module}.weight is {rows} x {columns}; the base's is "
            f"{found[1] if len(found) > 1 else 1} x {found[0]}.",
            "Take the base that the adapter was trained on.",
            code="wrong_base",
        )


def _heads(module: str, base: GgufHeader, architecture: str) -> int:
    """Heads over whose rows B must follow the base's order; 0 for none."""
    keys = {"attn_q": "head_count", "attn_k": "head_count_kv"}
    key = keys.get(module.rpartition(".")[2])
    if architecture != "llama" or key is None:
        return 0
    heads = base.metadata.get(
        f"llama.attention.{key}", base.metadata.get("llama.attention.head_count")
    )
    if not isinstance(heads, int) or heads < 1:
        raise _refuse("The base does not say how many attention heads it has.", code="bad_gguf")
    return heads


def _factors(module: str, pair: _Pair, tensors: StoredTensors, heads: int) -> list[Outgoing]:
    rows = tensors.place(pair.second).shape[0]
    if heads and rows % (2 * heads):
        raise _refuse(f"{pair.second!r} has {rows} rows for {heads} heads.", code="wrong_base")
    scale = np.float32(pair.scale)

    def second(order: Rows) -> FloatArray:
        return tensors.rows(pair.second, order) * scale

    return [
        Outgoing(
            f"{module}.weight.lora_a",
            pair.first,
            tensors.place(pair.first).shape,
            np.arange(pair.rank),
            lambda order: tensors.rows(pair.first, order),
        ),
        Outgoing(
            f"{module}.weight.lora_b",
            pair.second,
            tensors.place(pair.second).shape,
            rotated_rows(rows, heads),
            second,
        ),
    ]
