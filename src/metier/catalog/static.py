"""A static catalogue: a folder of JSON that any web server can host and anybody can mirror.

It knows the format (``docs/formats/catalogue.md``) and reads nothing that is not bounded: sizes,
counts, names and digests are checked before a byte is believed. It fetches nothing: who reads one
hands in how a file's bytes are got.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, StringConstraints, ValidationError

from metier.card import Frozen, read_card
from metier.errors import InputError, MetierError
from metier.finding import Entry
from metier.hub.naming import parse_source
from metier.manifest import canonical_json
from metier.reference import Digest
from metier.store.disk import open_file, storage_errors, write_whole

CATALOGUE = "catalogue.json"
MOST_CATALOGUE_BYTES = 4 << 20
MOST_SHARDS = 4096
MOST_SHARD_BYTES = 8 << 20
MOST_ENTRIES = 2_000_000
MOST_ENTRY_BYTES = 64 << 10
MOST_CARD_BYTES = 4 << 20
MOST_DEPTH = 40
MOST_NUMBER = 1 << 60
SHARD_BYTES = 1 << 20
"""Where writing starts another shard, so that a small change moves few bytes."""

Read = Callable[[str, int], bytes]
"""A file's path inside the catalogue and its largest size to its bytes."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_Model = TypeVar("_Model", bound=Frozen)
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$")]
Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Shard(Frozen):
    """One file of entries: its path says its digest."""

    file: Annotated[str, StringConstraints(pattern=r"^entries/[0-9a-f]{64}\.json$")]
    sha256: Hex
    size: int = Field(ge=2, le=MOST_SHARD_BYTES)
    entries: int = Field(ge=1, le=MOST_ENTRIES)


class CardFile(Frozen):
    """One card that the catalogue brings along."""

    file: Annotated[str, StringConstraints(pattern=r"^cards/[0-9a-f]{64}\.json$")]
    sha256: Hex
    size: int = Field(ge=2, le=MOST_CARD_BYTES)


class Catalogue(Frozen):
    """What ``catalogue.json`` says.

    Attributes:
        name: Lower-case; what hits say where they come from.
        title: For people.
        made: ISO date.
        entries: Their number in all shards.
        shards: The files that hold them, by name of their first entry.
        cards: The cards that come along.
    """

    format: Literal[1] = 1
    name: Name
    title: Annotated[str, StringConstraints(max_length=200)] = ""
    made: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    entries: int = Field(ge=0, le=MOST_ENTRIES)
    shards: tuple[Shard, ...] = Field(default=(), max_length=MOST_SHARDS)
    cards: tuple[CardFile, ...] = Field(default=(), max_length=100_000)

    def to_bytes(self) -> bytes:
        """Canonical JSON, a line feed at its end."""
        return canonical_json(self.model_dump(mode="json", exclude_defaults=True) | _FORMAT) + b"\n"


_FORMAT = {"format": 1}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a catalogue: in which file, which field, and what."""

    file: str
    field: str
    what: str


def render(
    entries: Iterable[Entry], *, name: str, title: str, made: str, cards: Iterable[bytes] = ()
) -> dict[str, bytes]:
    """The files of a catalogue by their path; equal input gives equal bytes.

    Args:
        entries: In any order; their names are unique.
        name: Lower-case letters, digits and ``._-``.
        title: For people.
        made: ISO date.
        cards: Cards to bring along.

    Raises:
        InputError: An entry, a card or a name would not be read again (``bad_catalogue``).
    """
    files: dict[str, bytes] = {}
    shards = []
    count = 0
    for part in _parts(sorted(entries, key=lambda entry: entry.name), name):
        data = canonical_json({"format": 1, "entries": part}) + b"\n"
        hexed = Digest.of(data).hex
        file = f"entries/{hexed}.json"
        files[file] = data
        shards.append({"file": file, "sha256": hexed, "size": len(data), "entries": len(part)})
        count += len(part)
    told = []
    for data in sorted(cards):
        hexed = Digest.of(data).hex
        file = f"cards/{hexed}.json"
        check_card(data, CardFile(file=file, sha256=hexed, size=max(len(data), 2)), name)
        files[file] = data
        told.append({"file": file, "sha256": hexed, "size": len(data)})
    document = {
        "name": name,
        "title": title,
        "made": made,
        "entries": count,
        "shards": shards,
        "cards": told,
    }
    catalogue = _checked(Catalogue, canonical_json(document), f"{name}/{CATALOGUE}")
    files[CATALOGUE] = catalogue.to_bytes()
    return files


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a catalogue's files, ``catalogue.json`` last, so that a reader never sees half of it.

    Shards of an earlier catalogue stay: who is reading it finishes, and a mirror may lag behind.

    Raises:
        StorageError: The folder cannot be written.
    """
    with storage_errors(f"Writing the catalogue {str(folder)!r}"):
        for kind in ("entries", "cards"):
            if any(path.startswith(f"{kind}/") for path in files):
                (folder / kind).mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(files, key=lambda path: (path == CATALOGUE, path)):
            target = folder / path
            if path == CATALOGUE or not _has(target, len(files[path])):
                write_whole(target, files[path], drafts=folder)


def read_catalogue(data: bytes, where: str) -> Catalogue:
    """What ``catalogue.json`` says; ``where`` names it in errors.

    Raises:
        InputError: It is no catalogue (code ``bad_catalogue``), naming the field.
    """
    if len(data) > MOST_CATALOGUE_BYTES:
        raise bad(where, "the file", f"it is longer than {MOST_CATALOGUE_BYTES:,} bytes")
    catalogue = _checked(Catalogue, data, where)
    for number, shard in enumerate(catalogue.shards):
        if shard.file != f"entries/{shard.sha256}.json":
            raise bad(where, f"shards.{number}.file", "it does not carry the shard's own digest")
    for number, card in enumerate(catalogue.cards):
        if card.file != f"cards/{card.sha256}.json":
            raise bad(where, f"cards.{number}.file", "it does not carry the card's own digest")
    if sum(shard.entries for shard in catalogue.shards) != catalogue.entries:
        raise bad(where, "entries", "it is not the sum over the shards")
    return catalogue


def read_shard(data: bytes, shard: Shard, where: str) -> tuple[Entry, ...]:
    """The entries of one shard, their bytes proved by its digest.

    Raises:
        InputError: The bytes or an entry are wrong (code ``bad_catalogue``).
    """
    _prove(data, shard.sha256, shard.size, where)
    document = _document(data, where)
    if set(document) != {"format", "entries"} or document["format"] != 1:
        raise bad(where, "format", "it is not 1, or there are fields beside 'entries'")
    listed = document["entries"]
    if not isinstance(listed, list) or len(listed) != shard.entries:
        raise bad(where, "entries", f"it is not a list of {shard.entries:,}")
    return tuple(read_entry(item, where, f"entries.{number}") for number, item in enumerate(listed))


def read_entry(item: object, where: str, field: str) -> Entry:
    """One entry of a document, with what no schema says; raises InputError (``bad_catalogue``)."""
    try:
        entry = Entry.model_validate_json(json.dumps(item, ensure_ascii=True))
        size = len(entry.to_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        inner = ".".join(str(part) for part in first["loc"])
        raise bad(where, f"{field}.{inner}"[:300], first["msg"]) from error
    except (ValueError, RecursionError) as error:
        raise bad(where, field, "it has text that is not Unicode, or a number that is none") from (
            error
        )
    if size > MOST_ENTRY_BYTES:
        raise bad(where, field, f"it is longer than {MOST_ENTRY_BYTES:,} bytes")
    if fault := unsafe(entry):
        raise bad(where, f"{field}.{fault[0]}", fault[1])
    return entry


def unsafe(entry: Entry) -> tuple[str, str] | None:
    """The first field of an entry that no catalogue may say, and why; ``None`` if all is well.

    Names and pull references end up in commands that people copy, addresses in links.
    """
    for field in ("name", "task", "domain", "pull", "upstream", "quantization"):
        value = str(getattr(entry, field))
        if not value.isprintable():
            return field, "it has control characters"
    for field in ("parameters", "size_bytes", "context"):
        if (getattr(entry, field) or 0) > MOST_NUMBER:
            return field, "it is larger than any model"
    if entry.name != entry.name.strip() or entry.name.startswith("-"):
        return "name", "it starts with '-' or has white space at an end"
    if entry.upstream and not re.fullmatch(r"https://[^\s\"'<>\\]{4,}", entry.upstream):
        return "upstream", "it is not an https address"
    if entry.released is not None and not _DAY.fullmatch(entry.released):
        return "released", "it is not a day like 2026-01-31"
    if entry.card is not None and not re.fullmatch(r"sha256:[0-9a-f]{64}", entry.card):
        return "card", "it is not a digest"
    if entry.pull and not entry.pull.startswith("https://"):
        try:
            parse_source(entry.pull, anywhere=False)
        except MetierError:
            return "pull", "it is neither a repository of the hub nor an https address"
    return None


def check_card(data: bytes, card: CardFile, where: str) -> None:
    """Refuse bytes that are not the card that the catalogue promises."""
    _prove(data, card.sha256, card.size, f"{where}/{card.file}")
    _document(data, f"{where}/{card.file}")
    try:
        read_card(data)
    except MetierError as error:
        raise bad(f"{where}/{card.file}", "the file", error.message) from error


def read_all(read: Read, where: str) -> tuple[Catalogue, tuple[Entry, ...]]:
    """A whole catalogue, every digest proved.

    Args:
        read: Gives a file's bytes; it stops at the size that it is told.
        where: What the catalogue is called in errors.

    Raises:
        InputError: It is wrong (code ``bad_catalogue``); the message names file and field.
    """
    catalogue = read_catalogue(read(CATALOGUE, MOST_CATALOGUE_BYTES + 1), f"{where}/{CATALOGUE}")
    entries: list[Entry] = []
    known: set[str] = set()
    for shard in catalogue.shards:
        told = f"{where}/{shard.file}"
        for number, entry in enumerate(read_shard(read(shard.file, shard.size + 1), shard, told)):
            if entry.name in known:
                raise bad(told, f"entries.{number}.name", f"{entry.name!r} is there twice")
            known.add(entry.name)
            entries.append(entry)
    return catalogue, tuple(entries)


def reader(folder: Path) -> Read:
    """Reads the files of a catalogue in a folder; links are not followed.

    Raises:
        InputError: A file is not there (code ``bad_catalogue``), a link or no file.
    """

    def read(path: str, most: int) -> bytes:
        try:
            with open_file(folder / path) as file:
                return _read_up_to(file.read, most)
        except FileNotFoundError as error:
            raise bad(str(folder / path), "the file", "it is not there") from error
        except OSError as error:
            raise bad(str(folder / path), "the file", "it cannot be read") from error

    return read


def read_folder(folder: Path) -> tuple[Catalogue, tuple[Entry, ...]]:
    """The catalogue in a folder; see ``read_all``."""
    return read_all(reader(folder), str(folder))


def bad(where: str, field: str, what: str) -> InputError:
    """The error that says which file and which field of a catalogue is wrong."""
    return InputError(
        f"{where[:300]}: {field[:300]}: {what[:300]}.",
        code="bad_catalogue",
        remedy="Tell whoever hosts the catalogue, or fetch it again; docs/formats/catalogue.md "
        "says what it must be.",
        details={"file": where[:300], "field": field[:300]},
    )


def _parts(entries: Iterable[Entry], where: str) -> Iterator[list[dict[str, Any]]]:
    """Entries as JSON documents, in lots of about ``SHARD_BYTES``."""
    part: list[dict[str, Any]] = []
    size = 0
    last: str | None = None
    for number, entry in enumerate(entries):
        if entry.name == last:
            raise bad(where, f"entries.{number}.name", f"{entry.name!r} is there twice")
        last = entry.name
        data = entry.to_bytes()
        document = json.loads(data)
        read_entry(document, where, f"entries.{number}")
        if part and size + len(data) > SHARD_BYTES:
            yield part
            part, size = [], 0
        part.append(document)
        size += len(data)
    if part:
        yield part


def _checked(kind: type[_Model], data: bytes, where: str) -> _Model:
    document = _document(data, where)
    try:
        return kind.model_validate_json(json.dumps(document, ensure_ascii=True))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the document"
        raise bad(where, field, first["msg"]) from error
    except ValueError as error:
        raise bad(where, "the document", "it has text that is not Unicode") from error


def _document(data: bytes, where: str) -> dict[str, Any]:
    """JSON of bounded depth, each key once."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise bad(where, "the file", f"byte {error.start:,} is not UTF-8") from error
    if depth(text) > MOST_DEPTH:
        raise bad(where, "the file", f"it is nested more than {MOST_DEPTH} deep")
    try:
        document = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise bad(where, "the file", f"it is not JSON: {str(error)[:120]}") from error
    if not isinstance(document, dict):
        raise bad(where, "the document", "it is not an object")
    return document


def depth(text: str) -> int:
    """How deep brackets are nested in a JSON text, those in strings left out."""
    deepest = here = 0
    for found in _BRACKETS.finditer(text):
        mark = found[0]
        if mark in "[{":
            here += 1
            deepest = max(deepest, here)
        elif mark in "]}":
            here -= 1
    return deepest


_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _prove(data: bytes, sha256: str, size: int, where: str) -> None:
    if len(data) != size:
        raise bad(where, "size", f"the catalogue says {size:,} bytes, there are {len(data):,}")
    if Digest.of(data).hex != sha256:
        raise bad(where, "sha256", "its bytes do not have the digest that the catalogue says")


def _has(target: Path, size: int) -> bool:
    """Whether a file named by its digest is there already."""
    return target.is_file() and target.stat().st_size == size


def _read_up_to(read: Callable[[int], bytes], most: int) -> bytes:
    chunks = []
    left = most
    while left > 0 and (chunk := read(left)):
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)
