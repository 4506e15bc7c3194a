"""Modelfiles and what is here: a Modelfile becomes an order, an installed model a Modelfile.

It finds the files that a Modelfile names, beside it or anywhere a person of this machine may read;
it is no way in for requests. It makes nothing.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from metier.assembly.creating import PEFT_CONFIG, PEFT_WEIGHTS, language_of
from metier.errors import InputError, NotFoundError, StorageError
from metier.fleet import Fleet, Installed, files_of, model_of, shards_of
from metier.generating import Message, Order, Role
from metier.modelfile import Modelfile, parse_modelfile, write_modelfile

MODELFILE = "Modelfile"
_FOLDER_FILES = (".safetensors", ".json", ".model", ".txt", ".jinja")
_LIKE_A_PATH = ("./", "../", "/", "~", ".\\")


def read_modelfile(path: Path) -> Modelfile:
    """The Modelfile in a file; raises NotFoundError and InputError (``bad_modelfile``)."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotFoundError(
            f"The Modelfile {str(path)!r} cannot be read: {error.strerror}.", code="file_not_found"
        ) from error
    return parse_modelfile(data)


def order_of(
    modelfile: Modelfile, name: str, folder: Path, *, quantize: str | None = None
) -> Order:
    """What a Modelfile asks for.

    A FROM that names a file or a folder with a model in it means that; else an installed model.

    Args:
        modelfile: What was read.
        name: What the model will be called.
        folder: Where the Modelfile lies; its relative paths start there.
        quantize: See ``Order``.

    Raises:
        NotFoundError: A file is not there (code ``file_not_found``).
        InputError: Several FROM that are not all files (code ``bad_modelfile``).
    """
    found = [_weights(source, folder) for source in modelfile.sources]
    weights = {key: path for files in found for key, path in files.items()}
    named = [source for source, files in zip(modelfile.sources, found, strict=True) if not files]
    if len(named) > 1 or (named and weights):
        raise InputError(
            f"FROM names {', '.join(modelfile.sources)[:200]}; one model, or files of one model.",
            code="bad_modelfile",
            remedy="Keep one FROM. Files that are not there are taken for a model's name.",
        )
    adapters: dict[str, Path] = {}
    for place, source in enumerate(modelfile.adapters):
        files = _adapter(source, folder, "")
        adapters |= _adapter(source, folder, f"{place + 1}-") if files.keys() & adapters else files
    template = modelfile.template
    return Order(
        name=name,
        base=named[0] if named else None,
        weights=weights,
        adapters=adapters,
        template=template,
        template_language=language_of(template) if template else None,
        system=modelfile.system,
        parameters=modelfile.parameters,
        messages=tuple(Message(_role(role), text) for role, text in modelfile.messages) or None,
        licences=modelfile.licences or None,
        quantize=quantize,
    )


def modelfile_of(installed: Installed, *, files: bool = False) -> Modelfile:
    """The Modelfile that makes an installed model again.

    Args:
        installed: A local model; raises InputError (``no_capability``) for everything else.
        files: Whether FROM and ADAPTER name its files, as beside an export; else FROM names the
            model itself, whose adapters come with it.
    """
    model = model_of(installed)
    sources: tuple[str, ...] = (installed.name,)
    adapters: tuple[str, ...] = ()
    if files:
        projector = (model.projector,) if model.projector else ()
        sources = tuple(f"./{name}" for name in (*model.weights, *projector))
        adapters = tuple(f"./{part.file}" for part in model.adapters)
    return Modelfile(
        sources=sources,
        adapters=adapters,
        template=model.template,
        system=model.system or None,
        parameters={
            name: tuple(value) if isinstance(value, list) else value
            for name, value in sorted(model.parameters.items())
        },
        messages=tuple((message.role, message.content) for message in model.messages),
        licences=model.licences,
    )


def modelfile_text(installed: Installed) -> str:
    """The Modelfile of an installed model as text, with what it says of itself above it."""
    model = model_of(installed)
    lines = [f"# Modelfile of {installed.name}, written by Metier."]
    if model.parent:
        lines.append(f"# It was made from {model.parent}.")
    lines += [f"# Its adapter: {part.file}" for part in model.adapters]
    if model.template is None:
        lines.append("# Its template is the one in its weights.")
    try:
        text = write_modelfile(modelfile_of(installed))
    except InputError as error:
        # A text from elsewhere may have lines that no quote can hold; the model is whole.
        lines.append(f"# Not all of it can be said here: {error.message}")
        text = write_modelfile(Modelfile((installed.name,)))
    return "\n".join(lines) + "\n" + text


def export_modelfile(fleet: Fleet, name: str, directory: Path) -> Path:
    """Write a Modelfile and the files that it names into a folder.

    Returns:
        The Modelfile.

    Raises:
        NotFoundError: Nothing has this name.
        InputError: It is no local model, or the folder has such files (code ``not_empty``).
        StorageError: The folder cannot be written.
    """
    installed = fleet.show(name)
    text = write_modelfile(modelfile_of(installed, files=True))
    parts = files_of(model_of(installed))
    try:
        directory.mkdir(parents=True, exist_ok=True)
        taken = [part for part in (*parts, MODELFILE) if (directory / part).exists()]
        if taken:
            raise InputError(
                f"{str(directory)!r} has a {taken[0]!r} already.",
                code="not_empty",
                remedy="Name another folder.",
            )
        for part in parts:
            (directory / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(fleet.part_path(installed, part), directory / part)
        target = directory / MODELFILE
        target.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise StorageError(f"{str(directory)!r} cannot be written: {error.strerror}.") from error
    return target


def _role(role: str) -> Role:
    return "system" if role == "system" else "assistant" if role == "assistant" else "user"


def _weights(source: str, folder: Path) -> dict[str, Path]:
    """The files that a FROM names, or none if it names an installed model."""
    path = folder / Path(source).expanduser()
    if path.is_file():
        return {shard.name: shard for shard in shards_of(path)}
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.is_file())
        if any(file.suffix == ".safetensors" for file in found):
            return {file.name: file for file in found if file.suffix in _FOLDER_FILES}
        ggufs = {file.name: file for file in found if file.suffix == ".gguf"}
        if ggufs:
            return ggufs
    if source.startswith(_LIKE_A_PATH) or source.endswith(".gguf"):
        raise NotFoundError(
            f"FROM names {source[:200]!r}, where no model is.",
            code="file_not_found",
            remedy="Name a GGUF file, a folder of safetensors, or an installed model.",
        )
    return {}


def _adapter(source: str, folder: Path, mark: str) -> dict[str, Path]:
    """A GGUF adapter, or the two files of a PEFT folder under a folder's name."""
    path = folder / Path(source).expanduser()
    if path.is_file():
        return {f"{mark}{path.name}": path}
    if (path / PEFT_CONFIG).is_file():
        above = f"{mark}{path.resolve().name}"
        return {f"{above}/{name}": path / name for name in (PEFT_CONFIG, PEFT_WEIGHTS)}
    raise NotFoundError(
        f"ADAPTER names {source[:200]!r}, where no adapter is.",
        code="file_not_found",
        remedy=f"Name a GGUF adapter, or a folder with {PEFT_CONFIG}.",
    )
