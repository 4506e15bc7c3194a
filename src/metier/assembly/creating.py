"""Making a model from another: an ``Order`` becomes an installed model, all or nothing.

It puts together what is installed, the converter and the checks that bind an adapter to its base.
It reads no Modelfile and no request; every file it is given was found by somebody else. The same
order makes the same bytes.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal, cast

from pydantic import ValidationError

from metier.errors import InputError, NotFoundError
from metier.fleet import Fleet, Installed, doubts, model_of, refuse_wrong_pairing
from metier.fleet.models import check_shards, expect_kind, shard_name
from metier.formats import GgufFacts, GgufHeader, describe, read_gguf
from metier.generating import Order, TemplateLanguage
from metier.localmodel import AdapterPart, LocalModelFile, OpeningMessage
from metier.modelfile import DEPRECATED, typed_parameter
from metier.reference import Digest, Reference

Say = Callable[[str], None]
QUANTIZE = ("f16", "q8_0")
PEFT_CONFIG, PEFT_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_MOST_CONFIG = 1 << 20
_UNSAFE_IN_NAMES = str.maketrans({":": "-", "\\": "-", "/": "-"})


@dataclass(frozen=True, slots=True)
class _Foundation:
    """What a model stands on.

    Attributes:
        model: What is inherited: weights, projector, adapters, template, prompt …
        files: Path inside the model to a file or to the digest of a blob that is here.
        headers: Of the weights.
        names: That the base goes by.
        converted: Whether the weights were converted here.
    """

    model: LocalModelFile
    files: Mapping[str, Path | Digest]
    headers: Sequence[GgufHeader]
    names: tuple[str, ...]
    converted: bool = False

    @property
    def shown(self) -> str:
        """The base as people know it."""
        return self.model.parent or self.model.weights[0]


@dataclass(frozen=True, slots=True)
class _Adapter:
    """A GGUF adapter and the names of the bases that its maker says it is for."""

    name: str
    path: Path
    named: tuple[str, ...] = field(default=())


def create(fleet: Fleet, order: Order, *, report: Say) -> Installed:
    """Make a model and give it its name; what had the name before is replaced.

    Args:
        fleet: Where it stands and what it stands on.
        order: What is wanted.
        report: Gets a sentence for each stage, and for each doubt.

    Raises:
        NotFoundError: The base is not here, with near names.
        InputError: ``wrong_base`` (an adapter of another base, with the reason), ``bad_gguf``,
            ``bad_options`` (a parameter, ``quantize``), ``bad_template``, ``no_capability`` (the
            base has no weights of its own), or what the converter says of a folder.
        StorageError: The disk is full or refuses.
    """
    reference = Reference.parse(order.name)
    parameters = checked_parameters(order.parameters)
    _check_template(order)
    _check_quantize(order)
    with _workplace(fleet) as work:
        base = _foundation(fleet, order, work, report)
        adapters = _adapters(order, base, work, report)
        files: dict[str, bytes | Path | Digest] = dict(base.files)
        parts = list(base.model.adapters)
        for adapter in adapters:
            _bind(adapter, base, report)
            filepath = _free_name(adapter.name, files)
            files[filepath] = adapter.path
            parts.append(AdapterPart(file=filepath))
        model = _described(order, base.model, parameters, tuple(parts))
        report("Writing the manifest.")
        kind: Literal["base", "specialist"] = "specialist" if order.base or adapters else "base"
        return fleet.install_model(reference, model, files, kind=kind, adopt=True)


def checked_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters in their own types; what is ``None`` or deprecated is left out.

    Raises:
        InputError: Code ``bad_options``, naming the parameter.
    """
    found: dict[str, Any] = {}
    for name, value in parameters.items():
        if value is None or name in DEPRECATED:
            continue
        try:
            typed = typed_parameter(name, value)
        except ValueError as error:
            raise InputError(
                f"The parameters are not valid: {error}.",
                code="bad_options",
                remedy="docs/reference/modelfile.md lists them.",
            ) from error
        found[name] = list(typed) if isinstance(typed, tuple) else typed
    return found


def language_of(template: str) -> TemplateLanguage:
    """A Modelfile's template is in Ollama's language, unless it has the marks of Jinja."""
    return "jinja" if "{%" in template or "{#" in template else "go"


def _check_template(order: Order) -> None:
    if order.template:
        from metier.engines.prompting import compile_template

        compile_template(order.template, order.template_language or language_of(order.template))


def _check_quantize(order: Order) -> None:
    if order.quantize is None:
        return
    if order.quantize.lower() not in QUANTIZE:
        raise InputError(
            f"Weights cannot be turned into {order.quantize[:40]!r} here.",
            code="bad_options",
            remedy="quantize is f16 or q8_0. For other kinds take a GGUF file that has it.",
        )
    if order.base or not _is_folder(order.weights):
        raise InputError(
            "Only a Hugging Face folder is quantised, while it is converted; "
            "GGUF files keep their bytes.",
            code="bad_options",
            remedy="Leave quantize out, or name a folder of safetensors.",
        )


@contextmanager
def _workplace(fleet: Fleet) -> Iterator[Path]:
    """A folder beside the store, so that what is made there becomes a blob without a copy."""
    above = fleet.store.home / "work"
    above.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=above, prefix="create-") as name:
        yield Path(name)


# --- what it stands on ------------------------------------------------------------------------


def _foundation(fleet: Fleet, order: Order, work: Path, report: Say) -> _Foundation:
    if order.base and order.weights:
        raise InputError(
            "A model is made from one base: an installed model or files, not both.",
            code="bad_options",
        )
    if order.base:
        return _installed(fleet, order.base, report)
    if not order.weights:
        raise InputError("The order names no base and no weights.", code="bad_options")
    if _is_folder(order.weights):
        return _converted(order, work, report)
    return _given(order.weights, report)


def _installed(fleet: Fleet, name: str, report: Say) -> _Foundation:
    installed = fleet.show(name)
    model = model_of(installed)
    report(f"Using {installed.name} ({installed.digest.short}).")
    blobs = {part.filepath: part for part in fleet.parts(installed) if part.role == "weight"}
    layers = {layer.filepath: layer for layer in installed.manifest.layers}
    headers = [
        read_gguf(fleet.store.blob_place(layers[part].blob, layers[part].size))
        for part in model.weights
    ]
    facts = describe(headers[0], headers[1:])
    names = (installed.name, model.parent or "", model.source or "", facts.name, *facts.bases)
    return _Foundation(
        model=model.model_copy(update={"parent": installed.name, "source": None}),
        files={path: part.digest for path, part in blobs.items()},
        headers=headers,
        names=(*names, *model.weights),
    )


def _given(weights: Mapping[str, Path], report: Say) -> _Foundation:
    """GGUF files: weights, with their shards in order, and a projector."""
    read = [(_gguf_name(name), path, read_gguf(path)) for name, path in weights.items()]
    told = [(name, path, header, describe(header)) for name, path, header in read]
    projectors = [item for item in told if item[3].kind == "projector"]
    models = sorted(
        (item for item in told if item[3].kind != "projector"), key=lambda item: item[3].shard
    )
    for name, _, _, facts in models:
        expect_kind(name, facts, "model")
    if not models or len(projectors) > 1:
        raise InputError(
            f"The files hold {len(models)} models and {len(projectors)} projectors; one model and "
            "at most one projector are needed.",
            code="bad_gguf",
        )
    headers = [header for _, _, header, _ in models]
    names = [name for name, _, _, _ in models]
    check_shards([facts for *_, facts in models], names, sum(len(h.tensors) for h in headers))
    if len(names) > 1:
        names = [shard_name(names[0], place, len(names)) for place in range(len(names))]
    for name in names:
        report(f"Taking in {name}.")
    files: dict[str, Path | Digest] = {}
    for name, item in zip(names, models, strict=True):
        files[name] = item[1]
    projector = None
    for name, path, _, _ in projectors:
        projector = _free_name(name, files)
        files[projector] = path
    first = models[0][3]
    model = LocalModelFile(task=first.task, weights=tuple(names), projector=projector, base="")
    return _Foundation(model, files, headers, (first.name, *first.bases, *names))


def _is_folder(weights: Mapping[str, Path]) -> bool:
    return any(PurePosixPath(name).suffix == ".safetensors" for name in weights)


def _converted(order: Order, work: Path, report: Say) -> _Foundation:
    """A Hugging Face folder, whose files are put together under their own names."""
    from metier.conversion.gguf import DType, convert_folder

    kind = cast(DType, (order.quantize or "f16").lower())
    folder = _together(order.weights, work / "folder")
    reference = Reference.parse(order.name)
    target = work / f"{reference.model}-{kind}.gguf"
    report(f"Converting {len(order.weights)} files to {kind}.")
    convert_folder(folder, target, dtype=kind, name=reference.model)
    return replace(_given({target.name: target}, report), converted=True)


def _together(files: Mapping[str, Path], folder: Path) -> Path:
    for name, path in files.items():
        parts = PurePosixPath(name).parts
        if not parts or PurePosixPath(name).is_absolute() or ".." in parts:
            raise InputError(f"{name[:120]!r} leaves its folder.", code="bad_parts")
        place = folder.joinpath(*parts)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            # Read only, through links: the converter writes nothing into the folder.
            place.symlink_to(path.resolve())
        except (OSError, ValueError) as error:
            raise InputError(
                f"The file {name[:120]!r} cannot lie beside the others: {error}.", code="bad_parts"
            ) from error
    return folder


# --- adapters ---------------------------------------------------------------------------------


def _adapters(order: Order, base: _Foundation, work: Path, report: Say) -> list[_Adapter]:
    """GGUF adapters as they are, PEFT folders converted; in the order they were named."""
    found: list[_Adapter] = []
    folders = {
        str(PurePosixPath(name).parent)
        for name in order.adapters
        if PurePosixPath(name).name == PEFT_CONFIG
    }
    for name, path in order.adapters.items():
        above = str(PurePosixPath(name).parent)
        if above not in folders:
            found.append(_Adapter(_gguf_name(name), path))
        elif PurePosixPath(name).name == PEFT_CONFIG:
            place = work / f"adapter-{len(found)}"
            found.append(_peft(order.adapters, above, base, place, report))
    return found


def _peft(
    files: Mapping[str, Path], above: str, base: _Foundation, place: Path, report: Say
) -> _Adapter:
    from metier.conversion.gguf import convert_adapter

    inside = PurePosixPath(above)
    known = {PurePosixPath(name): path for name, path in files.items()}
    config, weights = known[inside / PEFT_CONFIG], known.get(inside / PEFT_WEIGHTS)
    if weights is None:
        raise NotFoundError(f"The adapter has no {PEFT_WEIGHTS}.", code="no_file")
    folder = _together({PEFT_CONFIG: config, PEFT_WEIGHTS: weights}, place)
    title = "adapter" if above == "." else PurePosixPath(above).name
    target = place.with_name(f"{place.name}.gguf")
    report(f"Converting the adapter {title}.")
    convert_adapter(folder, _joined(base.headers), target, name=title)
    return _Adapter(_gguf_name(title), target, _peft_base(config))


def _peft_base(config: Path) -> tuple[str, ...]:
    with config.open("rb") as file:
        data = file.read(_MOST_CONFIG)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        # The converter read it and knows better what is wrong with it.
        return ()
    named = found.get("base_model_name_or_path") if isinstance(found, dict) else None
    return (named[:300],) if isinstance(named, str) else ()


def _joined(headers: Sequence[GgufHeader]) -> GgufHeader:
    """One header with the tensors of all shards."""
    first = headers[0]
    tensors = tuple(tensor for header in headers for tensor in header.tensors)
    return replace(first, tensors=tensors)


def _bind(adapter: _Adapter, base: _Foundation, report: Say) -> None:
    header = read_gguf(adapter.path)
    rank = refuse_wrong_pairing(
        header, base.headers, adapter_name=adapter.name, base_name=base.shown
    )
    facts: GgufFacts = describe(header)
    report(f"The adapter {adapter.name} of rank {rank} fits {base.shown}.")
    for sentence in doubts(facts, adapter.named, base.names):
        report(sentence)


# --- what it says of itself -------------------------------------------------------------------


def _described(
    order: Order,
    base: LocalModelFile,
    parameters: Mapping[str, Any],
    adapters: tuple[AdapterPart, ...],
) -> LocalModelFile:
    """What is inherited, and what the order puts in its place."""
    changes: dict[str, Any] = {"adapters": adapters}
    if order.template is not None:
        changes["template"] = order.template
        changes["template_language"] = order.template_language or language_of(order.template)
    if order.system is not None:
        changes["system"] = order.system
    if order.licences is not None:
        changes["licences"] = order.licences
    changes["parameters"] = {**base.parameters, **parameters}
    try:
        if order.messages is not None:
            changes["messages"] = tuple(
                OpeningMessage.model_validate({"role": message.role, "content": message.text})
                for message in order.messages
            )
        return LocalModelFile.model_validate({**dict(base), **changes})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"The model cannot be described: {where}: {first['msg']}.", code="bad_options"
        ) from error


def _gguf_name(name: str) -> str:
    """A file's name as a part's path: the last step of it, ending in ``.gguf``."""
    last = PurePosixPath(name).name.translate(_UNSAFE_IN_NAMES)
    printable = "".join(letter for letter in last if letter.isprintable()).strip(". ")
    stem = printable[:-5] if printable.lower().endswith(".gguf") else printable
    # File systems count bytes: at most 255 of them, and a number may have to fit too.
    short = stem.encode()[:200].decode("utf-8", "ignore")
    return f"{short or 'model'}.gguf"


def _free_name(name: str, taken: Mapping[str, object]) -> str:
    """The name, with a number where another part has it."""
    stem = name.removesuffix(".gguf")
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{stem}-{number}.gguf"
    return free
