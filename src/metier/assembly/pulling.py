"""Pulling: from what a person wrote to an installed model.

It puts together the hub (what is there, and its bytes), the formats' checks, and the fleet that
names what came. It makes no model by itself: adapters and folders of safetensors are handed to
``create`` as an ``Order``.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypedDict, Unpack

from metier.assembly.origins import MADE_FROM, Origins
from metier.errors import InputError, NotFoundError, UnavailableError
from metier.fleet import Fleet, Installed
from metier.formats import describe, read_gguf
from metier.generating import Models, Order
from metier.hub import (
    PUBLIC_ENDPOINT,
    Address,
    Choice,
    HubName,
    LocalFile,
    Manner,
    Origin,
    RemoteFile,
    Repository,
    Source,
    ask_repository,
    choose,
    fetched,
    parse_source,
    stored_token,
)
from metier.localmodel import MOST_TEXT, LocalModelFile
from metier.messages import Progress, Report, silent
from metier.reference import Reference
from metier.settings import Settings
from metier.version import __version__

_CONVERTIBLE = frozenset({"llama", "qwen2", "qwen3"})
_SMALL = 16 << 20

Create = Callable[[Order, Callable[[str], None]], object]
InstallBase = Callable[[Path, str, Report], Installed]


@dataclass(frozen=True, slots=True)
class How:
    """Who hears of a pull, who stops it, and how bytes are fetched."""

    report: Report = silent
    cancelled: Callable[[], bool] = lambda: False
    manner: Manner = field(default_factory=Manner)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is pulled and what it will be called."""

    reference: Reference
    base: str | None = None


class Here(Protocol):
    """What pulling needs of the façade."""

    settings: Settings
    fleet: Fleet

    @property
    def models(self) -> Models:
        """Makes models of orders."""

    def install_base(self, source: Path, *, name: str, report: Report) -> Installed:
        """Makes an encoder's base of a folder."""


class Pulled(TypedDict, total=False):
    """What a pull may be told; see ``Pulling.pull``."""

    name: str | None
    base: str | None
    revision: str | None
    report: Report
    cancelled: Callable[[], bool]
    anywhere: bool


def pull(here: Here, text: str, **told: Unpack[Pulled]) -> Installed:
    """Pull into the façade's home; see ``Pulling.pull``.

    Unless ``anywhere`` is true only repositories of the hub are taken: doors that others than the
    person at this machine can knock at hand on no path and no address, and no disk is looked at.
    """
    anywhere = told.get("anywhere", False)
    source = parse_source(text, revision=told.get("revision"), anywhere=anywhere)
    how = How(told.get("report", silent), told.get("cancelled", lambda: False))
    puller = Pulling(
        here.settings,
        here.fleet,
        lambda order, tell: here.models.create(order, report=tell),
        lambda folder, name, report: here.install_base(folder, name=name, report=report),
    )
    return puller.pull(source, name=told.get("name"), base=told.get("base"), how=how)


class Pulling:
    """Pulls models into one fleet.

    Args:
        settings: Where the hub is, and whether it may be asked.
        fleet: Where models go.
        create: Makes a model of an ``Order`` (``Models.create``).
        install_base: Makes an encoder's base of a folder, under a name.
    """

    def __init__(
        self, settings: Settings, fleet: Fleet, create: Create, install_base: InstallBase
    ) -> None:
        self._settings, self._fleet = settings, fleet
        self._create, self._install_base = create, install_base
        self._origins = Origins(fleet)

    def pull(
        self,
        source: Source,
        *,
        name: str | None = None,
        base: str | None = None,
        how: How | None = None,
    ) -> Installed:
        """Bring a model here and give it a name; what is here already is not fetched again.

        Args:
            source: See ``hub.parse_source``.
            name: What to call it; ``None`` keeps the source's name.
            base: Installed model that an adapter goes over; ``None`` finds it by its origin.
            how: Who hears of it and stops it.

        Raises:
            InputError: ``bad_source``, ``no_registry``, ``remote_code``, ``unsafe_weights``,
                ``no_model``, ``several_models``, ``unsupported_model``, ``bad_gguf``, ``no_base``.
            NotFoundError: ``no_repository``, ``no_revision``, ``no_such_file``.
            UnavailableError, CorruptError, StorageError: As ``hub.fetched``; ``offline``.
        """
        how = how or How()
        wanted = Reference.parse(name) if name is not None else None
        if isinstance(source, LocalFile):
            return self._local(source.path, wanted, base)
        if self._settings.hub_offline:
            raise UnavailableError(
                f"{source} cannot be pulled: HF_HUB_OFFLINE says that nothing may be asked.",
                code="offline",
                remedy="Unset HF_HUB_OFFLINE, or pull a file that is here by its path.",
            )
        if isinstance(source, Address):
            return self._address(source, Wish(wanted or _named_after(source.filename), base), how)
        return self._repository(source, Wish(wanted or source.reference, base), how)

    # --- sources --------------------------------------------------------------------------------

    def _local(self, path: Path, wanted: Reference | None, base: str | None) -> Installed:
        if path.is_dir():
            reference = wanted or _named_after(path.resolve().name)
            return self._from_folder(path, Wish(reference, base), None, silent)
        reference = wanted or _named_after(path.name)
        if describe(read_gguf(path)).kind == "adapter":
            return self._adapter({path.name: path}, Wish(reference, base), "")
        self._fleet.import_gguf(path, str(reference))
        return self._fleet.show(str(reference))

    def _address(self, address: Address, wish: Wish, how: How) -> Installed:
        file = RemoteFile(address.filename, address.url, sha256=address.sha256)
        origin = Origin(address.url, agent=_agent())
        with self._fetched([file], origin, how, None) as here:
            return self._gguf(Choice("gguf", (file,)), here, wish, str(address))

    def _repository(self, source: HubName, wish: Wish, how: How) -> Installed:
        endpoint = self._settings.hub_endpoint or PUBLIC_ENDPOINT
        token = stored_token()
        how.report(Progress("manifest", "pulling manifest"))
        found = ask_repository(source.repository, source.revision, endpoint=endpoint, token=token)
        choice = choose(found, source.selector)
        origin = Origin(endpoint, token, _agent())
        came_from = f"hf.co/{found.name}@{found.commit}"
        present = self._origins.unchanged(wish.reference, choice, came_from, wish.base)
        if present is not None:
            how.report(Progress("done", f"{present.name} is up to date", fraction=1.0))
            return present
        with self._fetched(choice.files, origin, how, wish.reference) as here:
            how.report(Progress("install", "writing manifest"))
            if choice.kind == "gguf":
                made = self._gguf(choice, here, wish, came_from, found)
            elif choice.kind == "folder":
                made = self._whole_folder(choice, here, wish, found, how.report)
            else:
                files = _by_name([*choice.weights, *choice.beside], here)
                made = self._adapter(files, wish, _base_of(files))
            return self._origins.stamped(made, came_from, found)

    @contextmanager
    def _fetched(
        self, files: Sequence[RemoteFile], origin: Origin, how: How, reference: Reference | None
    ) -> Iterator[Mapping[str, Path]]:
        with fetched(
            files,
            self._fleet.store.partial_folder(),
            origin,
            held=lambda file: self._origins.held(file, reference),
            arrived=_refuse_code,
            manner=how.manner,
            report=how.report,
            cancelled=how.cancelled,
        ) as here:
            yield here

    # --- what came ------------------------------------------------------------------------------

    def _gguf(
        self,
        choice: Choice,
        here: Mapping[str, Path],
        wish: Wish,
        came_from: str,
        repository: Repository | None = None,
    ) -> Installed:
        first = describe(read_gguf(here[choice.weights[0].path]))
        if first.kind == "adapter":
            return self._adapter(_by_name(choice.weights, here), wish, "")
        documents = _by_name(choice.documents, here)
        licences = tuple(
            text
            for name, path in documents.items()
            if name.upper().startswith("LICEN")
            and len(text := path.read_text("utf-8", errors="replace")) <= MOST_TEXT
        )
        model = LocalModelFile(
            task=first.task,
            weights=tuple(file.filename for file in choice.weights),
            projector=choice.projector.filename if choice.projector else None,
            base="",
            source=came_from[:600],
            licences=licences,
        )
        notes = {MADE_FROM: repository.base} if repository and repository.base else {}
        return self._fleet.install_model(
            wish.reference,
            model,
            _by_name(choice.files, here),
            annotations=notes,
            licence=repository.licence if repository else None,
            adopt=True,
        )

    def _adapter(self, files: dict[str, Path], wish: Wish, wants: str) -> Installed:
        base = wish.base or self._origins.base_for(wants, wish.reference)
        self._fleet.show(base)
        order = Order(name=str(wish.reference), base=base, adapters=files)
        self._create(order, lambda _sentence: None)
        return self._fleet.show(str(wish.reference))

    def _whole_folder(
        self,
        choice: Choice,
        here: Mapping[str, Path],
        wish: Wish,
        repository: Repository,
        report: Report,
    ) -> Installed:
        """The files under their own names in a folder, which is gone afterwards."""
        work = self._settings.home / "work"
        work.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=work) as temporary:
            folder = Path(temporary) / repository.name.rpartition("/")[2]
            for file in choice.files:
                place = folder / file.path
                place.parent.mkdir(parents=True, exist_ok=True)
                os.link(here[file.path], place)
            return self._from_folder(folder, wish, repository, report)

    def _from_folder(
        self, folder: Path, wish: Wish, repository: Repository | None, report: Report
    ) -> Installed:
        name = str(wish.reference)
        if (folder / "adapter_config.json").is_file():
            names = ("adapter_config.json", "adapter_model.safetensors")
            files = {name: folder / name for name in names}
            return self._adapter(files, wish, _base_of(files))
        config = _config(folder / "config.json")
        _refuse_auto_map(config, folder.name)
        kind = str(config.get("model_type"))[:60]
        if kind == "bert":
            return self._install_base(folder, name, report)
        if kind not in _CONVERTIBLE:
            whose = repository.name if repository else str(folder)
            raise InputError(
                f"{whose} is a {kind!r} model; its folder cannot be converted.",
                code="unsupported_model",
                remedy="Look for a repository with GGUF files of it. Folders of the families "
                f"{', '.join(sorted(_CONVERTIBLE))} and bert encoders can be pulled.",
            )
        weights = {path.name: path for path in sorted(folder.iterdir()) if _wanted(path)}
        order = Order(name=name, weights=weights, licences=_licences(folder))
        self._create(order, lambda sentence: report(Progress("convert", sentence)))
        return self._fleet.show(name)


def _wanted(path: Path) -> bool:
    return path.is_file() and path.suffix in (".safetensors", ".json", ".model", ".txt", ".jinja")


def _licences(folder: Path) -> tuple[str, ...] | None:
    found = [path for path in sorted(folder.iterdir()) if path.name.upper().startswith("LICEN")]
    texts = tuple(path.read_text("utf-8", errors="replace")[:MOST_TEXT] for path in found)
    return texts or None


def _by_name(files: Sequence[RemoteFile], here: Mapping[str, Path]) -> dict[str, Path]:
    return {file.filename: here[file.path] for file in files}


def _refuse_code(file: RemoteFile, path: Path) -> None:
    """Refuse a configuration that names code of its own, before the weights are fetched.

    Raises:
        InputError: It has an ``auto_map`` (code ``remote_code``), or is no JSON.
    """
    if file.path in ("config.json", "tokenizer_config.json", "adapter_config.json"):
        _refuse_auto_map(_config(path), file.path)


def _refuse_auto_map(config: Mapping[str, Any], where: str) -> None:
    if "auto_map" in config:
        raise InputError(
            f"{where} has an 'auto_map': it needs code from its repository, and such code is "
            "never run here.",
            code="remote_code",
            remedy="Look for a GGUF file of the same model.",
        )


def _config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise NotFoundError(
            f"There is no {path.name} in {path.parent.name!r}.",
            code="file_not_found",
            remedy="A folder to pull is a sentence encoder, a model of the Hugging Face layout, "
            "or a PEFT adapter.",
        )
    try:
        found = json.loads(path.read_bytes()) if path.stat().st_size <= _SMALL else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InputError(
            f"The model's configuration {path.name!r} is no JSON object.", code="bad_repository"
        )
    return found


def _base_of(files: Mapping[str, Path]) -> str:
    path = files.get("adapter_config.json")
    found = _config(path).get("base_model_name_or_path") if path else ""
    return found.strip("/")[:200] if isinstance(found, str) else ""


def _named_after(filename: str) -> Reference:
    """A name made from a file's: its shard's number and unusual characters left out."""
    import re

    stem = re.sub(r"(-\d{5}-of-\d{5})?(\.gguf)?$", "", filename, flags=re.IGNORECASE)
    return Reference.parse(re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-.")[:80] or "model")


def _agent() -> str:
    return f"metier/{__version__}"
