"""The curated index: pointers that come with the package, read from ``data/*.toml``.

It knows how those files are written and refuses what has no page behind it: a fact without a
source is an error, not a gap. It asks no network, keeps no file and judges no model; what a page
reports of quality becomes a claim. See ``docs/formats/catalogue.md``.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from pydantic import ValidationError

from metier.errors import InternalError
from metier.finding import Claim, Entry, Source

TASKS = (
    "chat", "classify", "classify-image", "complete", "describe-image", "embed", "entities",
    "extract", "rerank", "search",
)  # fmt: skip
"""What an entry may do: the closed list."""
DOMAINS = (
    "biomedical", "code", "documents", "general", "maths", "pii", "python", "react", "safety",
    "sentiment", "sql", "svelte", "topics",
)  # fmt: skip
"""What an entry may be made for: the closed list of the curated index; others' may be longer."""
FACTS = (
    "task", "upstream", "pull", "parameters", "size_bytes", "quantization", "context", "licence",
    "base", "languages", "released",
)  # fmt: skip
"""Fields that say something about the world, so that each needs a page."""
_ENTRY_KEYS = frozenset(Entry.model_fields) - {"format", "sources", "evidence", "card"}
_FILE_KEYS = frozenset({"pages", "entry"})


@cache
def entries() -> tuple[Entry, ...]:
    """All entries, by name. They are read once.

    Raises:
        InternalError: A file of the package is not as the format says (``bad_curated_index``).
    """
    return checked(
        entry for file in _files() for entry in parsed(file.read_text("utf-8"), file.name)
    )


@cache
def stamp() -> str:
    """A digest of the files, so that who keeps an index of the entries need not parse them."""
    found = hashlib.sha256()
    for file in _files():
        found.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()


def parsed(text: str, where: str) -> tuple[Entry, ...]:
    """The entries of one file.

    Args:
        text: TOML: ``[pages.KEY]`` with ``address`` and ``read``, then ``[[entry]]`` tables whose
            ``page`` names the page on which its facts were read; ``from`` names other pages for
            single facts.
        where: The file's name, for messages.

    Raises:
        InternalError: It is not so (``bad_curated_index``).
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _bad(where, f"is not valid TOML: {error}") from error
    _no_others(where, tables, _FILE_KEYS)
    pages = {key: _page(where, key, table) for key, table in tables.get("pages", {}).items()}
    return tuple(_entry(where, pages, table) for table in tables.get("entry", ()))


def checked(found: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries in order of their names.

    Raises:
        InternalError: Two have one name, or a task or domain is not of the closed lists.
    """
    by_name: dict[str, Entry] = {}
    for entry in found:
        if by_name.setdefault(entry.name.lower(), entry) is not entry:
            raise _bad(entry.name, "is there twice")
        if entry.task not in TASKS:
            raise _bad(entry.name, f"has the task {entry.task!r}, which is not one of ours")
        if entry.domain not in DOMAINS:
            raise _bad(entry.name, f"has the domain {entry.domain!r}, which is not one of ours")
    return tuple(sorted(by_name.values(), key=lambda entry: entry.name.lower()))


def stated(entry: Entry) -> tuple[str, ...]:
    """The names of the facts that an entry states, in the order of ``FACTS``."""
    return tuple(name for name in FACTS if getattr(entry, name) not in (None, "", ()))


def _files() -> list[Traversable]:
    folder = resources.files("metier.catalog").joinpath("data")
    files = [file for file in folder.iterdir() if file.name.endswith(".toml")]
    return sorted(files, key=lambda file: file.name)


def _page(where: str, key: str, table: Any) -> Source:
    if not isinstance(table, dict):
        raise _bad(where, f"page {key!r} is not a table")
    _no_others(f"{where}: page {key!r}", table, {"address", "read"})
    try:
        return Source(address=table["address"], read=str(table["read"]))
    except (KeyError, ValidationError) as error:
        raise _bad(where, f"page {key!r} needs an https address and the day it was read") from error


def _entry(where: str, pages: Mapping[str, Source], table: dict[str, Any]) -> Entry:
    name = str(table.get("name", "?"))
    place = f"{where}: {name}"
    _no_others(place, table, _ENTRY_KEYS | {"page", "from"})
    elsewhere = table.get("from", {})
    facts = {key: value for key, value in table.items() if key in _ENTRY_KEYS - {"claims"}}
    if isinstance(facts.get("released"), date):
        facts["released"] = str(facts["released"])
    claims = [_claim(place, pages, claim, table.get("page")) for claim in table.get("claims", ())]
    try:
        plain = Entry.model_validate({**facts, "claims": claims}, strict=False)
    except ValidationError as error:
        first = error.errors()[0]
        raise _bad(place, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    said = ("name", *stated(plain))
    if needless := set(elsewhere) - set(said):
        raise _bad(place, f"names pages for what it does not say: {sorted(needless)}")
    sources = {fact: _known(place, pages, elsewhere.get(fact, table.get("page"))) for fact in said}
    return plain.model_copy(update={"sources": sources})


def _claim(
    place: str, pages: Mapping[str, Source], table: Mapping[str, Any], page: str | None
) -> Claim:
    values = {key: value for key, value in table.items() if key != "page"}
    source = _known(place, pages, table.get("page", page))
    try:
        return Claim.model_validate({**values, "source": source})
    except ValidationError as error:
        raise _bad(place, f"a claim is not as it should be: {error.errors()[0]['msg']}") from error


def _known(place: str, pages: Mapping[str, Source], key: Any) -> Source:
    if key not in pages:
        raise _bad(place, f"says something without a page that was read ({key!r})")
    return pages[key]


def _no_others(place: str, table: Mapping[str, Any], known: Sequence[str] | Any) -> None:
    if others := sorted(set(table) - set(known)):
        raise _bad(place, f"has what nobody reads: {', '.join(others)}")


def _bad(place: str, why: str) -> InternalError:
    return InternalError(
        f"The curated index that came with Metier is broken: {place} {why}.",
        code="bad_curated_index",
        remedy="Report it; everything else works without it.",
    )
