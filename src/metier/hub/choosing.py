"""Which files of a repository make the model that a person asked for.

It looks at names and sizes only. Code, pickles and archives are never among the answers; a
repository that has nothing else is refused with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from metier.errors import InputError, NotFoundError
from metier.hub.files import RemoteFile, Repository

Kind = Literal["gguf", "gguf-adapter", "peft", "folder"]

PREFERRED = (
    "Q4_K_M", "Q4_K_S", "Q5_K_M", "Q5_K_S", "Q6_K", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1",
    "Q3_K_L", "Q3_K_M", "IQ4_XS", "IQ4_NL", "Q3_K_S", "Q2_K", "F16", "BF16", "F32",
)  # fmt: skip
"""The order in which a quantisation is taken when none is named."""
_PROJECTORS = ("F16", "BF16", "F32", "Q8_0")
_QUANTISATION = re.compile(
    r"(?:^|[._-])(I?Q[1-8]_(?:K_(?:XXS|XS|S|M|L|XL)|K|[01]|XXS|XS|S|M|NL)(?:_[0-9]{1,2})*"
    r"|TQ[12]_0|MXFP4(?:_MOE)?|BF16|F16|FP16|F32|FP32)(?=$|[._-])",
    re.IGNORECASE,
)
_SHARD = re.compile(r"^(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".h5", ".keras")
_DOCUMENTS = re.compile(r"(README|LICEN[CS]E|NOTICE|USE_POLICY)(\.md|\.txt)?", re.IGNORECASE)
_LARGEST_DOCUMENT = 1 << 20
_LARGEST_SETTINGS = 64 << 20
SETTINGS = (
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "vocab.txt",
    "tokenizer.model", "chat_template.jinja", "chat_template.json",
    "model.safetensors.index.json", "modules.json", "sentence_bert_config.json",
    "config_sentence_transformers.json", "1_Pooling/config.json",
)  # fmt: skip
"""Files beside the weights that say how to use them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The files that make one model.

    Attributes:
        kind: ``gguf`` weights, a ``gguf-adapter``, a ``peft`` adapter, or a ``folder`` of
            safetensors whose config.json says what it is.
        weights: The weights' files, the first shard first.
        projector: The part that sees pictures, or ``None``.
        beside: Settings and tokenizer.
        documents: README and licence.
    """

    kind: Kind
    weights: tuple[RemoteFile, ...]
    projector: RemoteFile | None = None
    beside: tuple[RemoteFile, ...] = ()
    documents: tuple[RemoteFile, ...] = ()

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """Everything to fetch."""
        projector = (self.projector,) if self.projector else ()
        return (*self.weights, *projector, *self.beside, *self.documents)


@dataclass(frozen=True, slots=True)
class _Variant:
    """One GGUF model of a repository: its quantisation, its files in order, and their stem."""

    quantisation: str
    files: tuple[RemoteFile, ...]
    stem: str

    @property
    def label(self) -> str:
        """What a person writes behind the colon."""
        return self.quantisation or self.stem


def choose(repository: Repository, selector: str | None = None) -> Choice:
    """The files of the model that is asked for.

    Args:
        repository: What is there.
        selector: A quantisation, a file's name or path, or ``None`` for the default.

    Raises:
        NotFoundError: No such quantisation or file (``no_such_file``); the message lists them.
        InputError: Nothing in it can be loaded safely (``unsafe_weights``), nothing is a model
            (``no_model``), shards are missing (``incomplete_model``), or several files fit
            (``several_models``).
    """
    documents = _documents(repository)
    variants = gguf_files(repository)
    if variants:
        variant = _selected(repository, variants, selector)
        adapter = any("lora" in file.filename.lower() for file in variant.files)
        projector = None if adapter else _projector(repository, variant)
        kind: Kind = "gguf-adapter" if adapter else "gguf"
        return Choice(kind, variant.files, projector, documents=documents)
    if selector is not None:
        raise NotFoundError(
            f"{repository.name} has no GGUF files, so nothing is called {selector!r} in it.",
            code="no_such_file",
            remedy=f"Pull 'hf.co/{repository.name}'.",
        )
    adapter_config = repository.file("adapter_config.json")
    if adapter_config is not None:
        tensors = repository.file("adapter_model.safetensors")
        if tensors is None:
            raise _unsafe(repository)
        return Choice("peft", (tensors,), beside=(adapter_config,), documents=documents)
    return _folder(repository, documents)


def gguf_files(repository: Repository) -> Sequence[_Variant]:
    """The GGUF models of a repository, the preferred first; projectors are left out.

    Raises:
        InputError: Shards of one are missing (code ``incomplete_model``).
    """
    found: dict[str, list[RemoteFile]] = {}
    for file in repository.files:
        if file.path.lower().endswith(".gguf") and not _sees(file):
            match = _SHARD.fullmatch(file.path)
            stem = match.group("stem") if match else file.path[: -len(".gguf")]
            found.setdefault(stem, []).append(file)
    variants = [
        _Variant(_quantisation(stem), tuple(sorted(files, key=lambda file: file.path)), stem)
        for stem, files in found.items()
    ]
    return sorted(variants, key=lambda one: (_rank(one.quantisation), one.stem))


def _selected(
    repository: Repository, variants: Sequence[_Variant], selector: str | None
) -> _Variant:
    fitting = list(variants)
    if selector is not None:
        fitting = _named(variants, selector)
        if not fitting:
            raise NotFoundError(
                f"{repository.name} has no {selector!r}; it has {_listed(variants)}.",
                code="no_such_file",
                remedy=f"Write one of them: 'hf.co/{repository.name}:{variants[0].label}'.",
                details={"there": [one.label for one in variants]},
            )
    best = [one for one in fitting if _rank(one.quantisation) == _rank(fitting[0].quantisation)]
    plain = [one for one in best if "/" not in one.stem] or best
    if len(plain) > 1:
        raise InputError(
            f"{repository.name} has several files that fit: "
            f"{', '.join(one.files[0].path for one in plain[:20])}.",
            code="several_models",
            remedy=f"Name the file: 'hf.co/{repository.name}:{plain[0].files[0].filename}'.",
            details={"there": [one.files[0].path for one in plain]},
        )
    _require_whole(repository, plain[0])
    return plain[0]


def _named(variants: Sequence[_Variant], selector: str) -> list[_Variant]:
    """By path, file name or stem; else by quantisation; spelled in any case."""
    wanted = selector.lower()
    for variant in variants:
        names = {file.path.lower() for file in variant.files}
        names |= {file.filename.lower() for file in variant.files}
        names |= {variant.stem.lower(), variant.stem.rsplit("/", 1)[-1].lower()}
        if wanted in names:
            return [variant]
    exact = [one for one in variants if one.quantisation == _plain(selector)]
    ending = re.compile(rf"(^|[./_-]){re.escape(wanted)}$")
    return exact or [one for one in variants if ending.search(one.stem.lower())]


def _require_whole(repository: Repository, variant: _Variant) -> None:
    numbers = [match for file in variant.files if (match := _SHARD.fullmatch(file.path))]
    if not numbers:
        return
    count = int(numbers[0].group("count"))
    there = {int(match.group("number")) for match in numbers}
    same = all(int(match.group("count")) == count for match in numbers)
    if len(numbers) != len(variant.files) or not same or there != set(range(1, count + 1)):
        raise InputError(
            f"{repository.name} has {len(there)} of the {count} shards of {variant.stem}.",
            code="incomplete_model",
            remedy="Choose another quantisation.",
        )


def _projector(repository: Repository, variant: _Variant) -> RemoteFile | None:
    folder = variant.stem.rpartition("/")[0]
    found = [
        file
        for file in repository.files
        if file.path.lower().endswith(".gguf")
        and _sees(file)
        and file.path.rpartition("/")[0] in (folder, "")
    ]

    def rank(file: RemoteFile) -> tuple[int, str]:
        kind = _quantisation(file.path[: -len(".gguf")])
        return _PROJECTORS.index(kind) if kind in _PROJECTORS else len(_PROJECTORS), file.path

    return min(found, key=rank, default=None)


def _folder(repository: Repository, documents: tuple[RemoteFile, ...]) -> Choice:
    weights = _safetensors(repository)
    config = repository.file("config.json")
    if not weights or config is None:
        raise _unsafe(repository)
    beside = tuple(
        file
        for name in SETTINGS
        if (file := repository.file(name)) is not None
        and (file.size is None or file.size <= _LARGEST_SETTINGS)
    )
    return Choice("folder", weights, beside=beside, documents=documents)


def _safetensors(repository: Repository) -> tuple[RemoteFile, ...]:
    single = repository.file("model.safetensors")
    if single is not None:
        return (single,)
    shards = [
        file
        for file in repository.files
        if re.fullmatch(r"model-\d{5}-of-\d{5}\.safetensors", file.path)
    ]
    if shards:
        count = int(shards[0].path[-17:-12])
        if len(shards) != count:
            raise InputError(
                f"{repository.name} has {len(shards)} of the {count} shards of its weights.",
                code="incomplete_model",
            )
    return tuple(sorted(shards, key=lambda file: file.path))


def _unsafe(repository: Repository) -> InputError:
    pickles = [file.path for file in repository.files if file.path.lower().endswith(_PICKLES)]
    if pickles:
        return InputError(
            f"{repository.name} has its weights only as pickles ({', '.join(pickles[:3])}), and "
            "a pickle can run code when it is loaded.",
            code="unsafe_weights",
            remedy="Look for a repository with .gguf or .safetensors files of the same model.",
        )
    if any(file.path.lower().endswith(".onnx") for file in repository.files):
        return InputError(
            f"{repository.name} has its weights only as ONNX graphs.",
            code="no_model",
            remedy="An encoder is made from model.safetensors; look for a repository with one.",
        )
    return InputError(
        f"{repository.name} has no model that can be run here: no .gguf and no .safetensors "
        "with a config.json.",
        code="no_model",
        remedy="Look for a repository of GGUF files, or of a sentence encoder.",
    )


def _documents(repository: Repository) -> tuple[RemoteFile, ...]:
    return tuple(
        file
        for file in repository.files
        if _DOCUMENTS.fullmatch(file.path)
        and file.size is not None
        and file.size <= _LARGEST_DOCUMENT
    )


def _sees(file: RemoteFile) -> bool:
    return "mmproj" in file.filename.lower()


def _quantisation(stem: str) -> str:
    """The last quantisation in a file's name, else in its folder's; "" if there is none."""
    for part in reversed(stem.split("/")):
        matches: list[str] = _QUANTISATION.findall(part)
        if matches:
            return _plain(matches[-1])
    return ""


def _plain(text: str) -> str:
    """A quantisation in one spelling: upper case, ``FP16`` as ``F16``."""
    return {"FP16": "F16", "FP32": "F32"}.get(text.upper(), text.upper())


def _rank(quantisation: str) -> int:
    return PREFERRED.index(quantisation) if quantisation in PREFERRED else len(PREFERRED)


def _listed(variants: Sequence[_Variant]) -> str:
    labels = [one.label for one in variants]
    return ", ".join(labels[:20]) + (f" and {len(labels) - 20} more" if len(labels) > 20 else "")
