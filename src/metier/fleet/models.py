"""Local models among what is installed: their files, what binds them, what their headers say.

It knows ``model.json`` and what GGUF headers say of each other; it loads no weights.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from metier.errors import InputError
from metier.fleet.installed import Installed
from metier.formats import GgufFacts, describe, read_gguf
from metier.localmodel import LocalModelFile, base_digest
from metier.manifest import Descriptor, Role
from metier.reference import Digest

_SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<suffix>\.gguf)")


def role_of(model: LocalModelFile, filepath: str) -> Role:
    """Weights, projector and adapters answer; everything else is there to be read."""
    return "weight" if filepath in files_of(model) else "doc"


def files_of(model: LocalModelFile) -> tuple[str, ...]:
    """Every GGUF part that a model names."""
    projector = (model.projector,) if model.projector else ()
    return (*model.weights, *projector, *(adapter.file for adapter in model.adapters))


def bound(model: LocalModelFile, layers: Iterable[Descriptor]) -> LocalModelFile:
    """The model with the digest of its base filled in.

    Raises:
        InputError: It names a part that is not there (code ``bad_parts``), or says that it is
            bound to another base (``wrong_base``).
    """
    digests = {layer.filepath: layer.blob for layer in layers}
    missing = [path for path in files_of(model) if path not in digests]
    if missing or not model.weights:
        raise InputError(
            f"A model needs its weights and every file it names; {', '.join(missing)} is missing."
            if missing
            else "A model needs weights; it names none.",
            code="bad_parts",
        )
    base = base_of(model, digests)
    if model.base and model.base != str(base):
        raise InputError(
            f"The model is bound to the base {model.base}, and its weights are {base}.",
            code="wrong_base",
            remedy="Make it again from the base that it was made for.",
        )
    return model.model_copy(update={"base": str(base)})


def base_of(model: LocalModelFile, digests: Mapping[str | None, Digest]) -> Digest:
    """The base's digest from those of the parts."""
    projector = digests[model.projector] if model.projector else None
    return base_digest([digests[path] for path in model.weights], projector)


def shards_of(path: Path) -> Sequence[Path]:
    """A GGUF file and the shards that lie beside it, the first one first.

    Raises:
        InputError: One is missing (code ``bad_gguf``).
    """
    match = _SHARD.fullmatch(path.name)
    if match is None:
        return (path,)
    count = int(match["count"])
    if not 1 <= count <= 9999:
        return (path,)
    names = [
        f"{match['stem']}-{number:05}-of-{count:05}{match['suffix']}"
        for number in range(1, count + 1)
    ]
    missing = [name for name in names if not path.with_name(name).is_file()]
    if missing:
        raise InputError(
            f"{path.name!r} is one of {count} shards, and {len(missing)} are not beside it: "
            f"{', '.join(missing[:3])}.",
            code="bad_gguf",
            remedy="Put all of them into one folder.",
        )
    return tuple(path.with_name(name) for name in names)


def check_shards(facts: Sequence[GgufFacts], names: Sequence[str], tensors: int) -> None:
    """Refuse files that are not the shards of one model, in order.

    Args:
        facts: Of each file.
        names: Of each file.
        tensors: How many tensors they have together.

    Raises:
        InputError: Code ``bad_gguf``, naming the file.
    """
    if not facts or (len(facts) == 1 and facts[0].shards == 1):
        return
    for place, (fact, name) in enumerate(zip(facts, names, strict=True)):
        if fact.shards != len(facts) or fact.shard != place:
            raise InputError(
                f"{name!r} says it is shard {fact.shard + 1} of {fact.shards}, "
                f"and it is taken as {place + 1} of {len(facts)}.",
                code="bad_gguf",
                remedy="Give all shards of one model, and only those.",
            )
    said = facts[0].shard_tensors
    if said is not None and said != tensors:
        raise InputError(
            f"{names[0]!r} says that its shards have {said} tensors; they have {tensors}.",
            code="bad_gguf",
            remedy="Give all shards of one model, and only those.",
        )


def base_from(
    files: Sequence[Path], projector: Path | None, licences: tuple[str, ...] = ()
) -> tuple[LocalModelFile, dict[str, bytes | Path | Digest]]:
    """What a base of these GGUF files is, and its parts under their own names.

    Raises:
        InputError: A file is no model's, no projector, or not a shard of the others (``bad_gguf``).
    """
    headers = [read_gguf(file) for file in files]
    facts = [describe(header) for header in headers]
    names = [file.name for file in files]
    check_shards(facts, names, sum(len(header.tensors) for header in headers))
    expect_kind(names[0], facts[0], "model")
    if projector is not None:
        expect_kind(projector.name, describe(read_gguf(projector)), "projector")
    parts: dict[str, bytes | Path | Digest] = {file.name: file for file in files}
    if projector is not None:
        parts[projector.name] = projector
    if len(parts) != len(files) + (projector is not None):
        raise InputError("Two files have the same name.", code="bad_parts")
    model = LocalModelFile(
        task=facts[0].task,
        weights=tuple(names),
        projector=projector.name if projector else None,
        base="",
        licences=licences,
    )
    return model, parts


_WANTED = {"model": "a model's weights", "projector": "a projector", "adapter": "an adapter"}


def expect_kind(name: str, facts: GgufFacts, kind: str) -> None:
    """Refuse a file that is something else (code ``bad_gguf``)."""
    if facts.kind != kind:
        is_what = _WANTED.get(facts.kind, "something else")
        raise InputError(
            f"{name!r} is {is_what}; needed here: {_WANTED[kind]}.",
            code="bad_gguf",
            remedy="An adapter becomes a model with 'metier create': FROM its base, ADAPTER it."
            if facts.kind == "adapter"
            else "Name the file of the model's weights first, its projector beside it.",
        )


def model_of(installed: Installed) -> LocalModelFile:
    """What a local model is; raises InputError (``no_capability``) for everything else."""
    if installed.model is None:
        raise InputError(
            f"{installed.name!r} is no local model: it has no weights that write.",
            code="no_capability",
            remedy="'metier list' shows what is here.",
        )
    return installed.model


def name_from(filename: str) -> str:
    """A model's name from its file's: without suffix and shard, in letters that names have."""
    match = _SHARD.fullmatch(filename)
    stem = match["stem"] if match else PurePosixPath(filename).stem
    cleaned = re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-.")[:80]
    return cleaned or "model"


def shard_name(name: str, place: int, count: int) -> str:
    """The name by which an engine finds one shard from another; ``place`` counts from 0."""
    match = _SHARD.fullmatch(name)
    stem = match["stem"] if match else name.removesuffix(".gguf")
    return f"{stem}-{place + 1:05}-of-{count:05}.gguf"
