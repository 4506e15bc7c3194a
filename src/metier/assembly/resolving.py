"""Whether the curated index is still true: its pages, its upstreams, and what the hub says now.

It compares what an entry states with what is said elsewhere today. It mends nothing, and a fact
that the hub does not tell is left out rather than guessed.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Literal

from metier.catalog import curated
from metier.errors import MetierError, NotFoundError, UnavailableError
from metier.finding import Entry
from metier.hub import (
    PUBLIC_ENDPOINT,
    HubName,
    Origin,
    Repository,
    ask_repository,
    choose,
    parse_source,
    stored_token,
)
from metier.hub.catalogues import Reached, reached
from metier.hub.searching import Said, ask_facts, spdx
from metier.messages import Progress, Report, silent
from metier.version import __version__

if TYPE_CHECKING:
    from metier.assembly.metier import Metier

Standing = Literal["same", "changed", "gone", "unreachable"]
AT_ONCE = 4
"""Questions under way at once."""
SIZE_OFF = 0.15
"""How far a file's size may be from what a page says in rounded units."""
PARAMETERS_OFF = 0.35
"""How far their number may be from a name such as 0.6B, which leaves embeddings out."""
_HUB = "https://huggingface.co/"


@dataclass(frozen=True, slots=True)
class Checked:
    """One fact of one entry, and how it stands today.

    Attributes:
        entry: The entry's name.
        fact: ``page``, or the field: ``upstream``, ``pull``, ``licence`` …
        standing: See ``Standing``; ``unreachable`` says nothing about the fact.
        was: As the index states it.
        now: As it is said now, or why that is not known.
    """

    entry: str
    fact: str
    standing: Standing
    was: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """How the outside is asked.

    Attributes:
        page: Whether a page is there.
        facts: What the hub says of a model.
        files: What is in a repository.
    """

    page: Callable[[str], Reached]
    facts: Callable[[str], Said]
    files: Callable[[HubName], Repository]


class Resolver:
    """Checks entries against what is said today; each page is asked once."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._pages: dict[str, Reached] = {}
        self._lock = Lock()

    def check(
        self,
        entries: Sequence[Entry],
        *,
        report: Report = silent,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> list[Checked]:
        """Every fact of the entries that can be asked for, in their order.

        Args:
            entries: What to check.
            report: Receives progress.
            cancelled: Becomes true when the person says stop; what is not begun is left out.
        """
        done = 0

        def one(entry: Entry) -> list[Checked]:
            nonlocal done
            if cancelled():
                return []
            found = list(self._checks(entry))
            with self._lock:
                done += 1
                report(Progress("check", f"Checked {entry.name}.", done / len(entries)))
            return found

        with ThreadPoolExecutor(AT_ONCE, "resolve") as pool:
            return [check for found in pool.map(one, entries) for check in found]

    def _checks(self, entry: Entry) -> Iterator[Checked]:
        addresses = [source.address for source in entry.sources.values()]
        addresses += [claim.source.address for claim in entry.claims]
        for address in dict.fromkeys(addresses):
            yield _page(entry, address, self._page(address))
        yield from self._upstream(entry)
        if entry.pull:
            yield from self._pull(entry)

    def _page(self, address: str) -> Reached:
        with self._lock:
            known = self._pages.get(address)
        if known is None:
            known = self._asking.page(address)
            with self._lock:
                self._pages[address] = known
        return known

    def _upstream(self, entry: Entry) -> Iterator[Checked]:
        if not entry.upstream.startswith(_HUB):
            there = self._page(entry.upstream)
            yield Checked(entry.name, "upstream", _standing(there), entry.upstream)
            return
        try:
            said = self._asking.facts(entry.upstream.removeprefix(_HUB))
        except MetierError as error:
            yield _failed(entry, "upstream", entry.upstream, error)
            return
        yield Checked(entry.name, "upstream", "same", entry.upstream, said.name)
        if entry.licence is not None and said.licence is not None:
            same = entry.licence.casefold() == (spdx(said.licence) or "").casefold()
            yield _compared(entry, "licence", entry.licence, said.licence, same=same)
        if entry.parameters is not None and said.parameters is not None and not entry.pull:
            yield _counted(entry, "parameters", said.parameters, PARAMETERS_OFF)

    def _pull(self, entry: Entry) -> Iterator[Checked]:
        try:
            source = parse_source(entry.pull, anywhere=False)
            if not isinstance(source, HubName):
                return
            choice = choose(self._asking.files(source), source.selector)
        except MetierError as error:
            yield _failed(entry, "pull", entry.pull, error)
            return
        names = ", ".join(file.filename for file in choice.weights[:3])
        yield Checked(entry.name, "pull", "same", entry.pull, names)
        sizes = [file.size for file in choice.weights]
        if entry.size_bytes is not None and None not in sizes:
            yield _counted(entry, "size_bytes", sum(size or 0 for size in sizes), SIZE_OFF)
        if entry.quantization and choice.kind == "gguf":
            same = entry.quantization.casefold() in names.casefold()
            yield _compared(entry, "quantization", entry.quantization, names, same=same)


def check_curated(
    metier: Metier,
    names: Sequence[str] = (),
    *,
    report: Report = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Checked]:
    """Check the curated index, or the entries of these names, over the network.

    Raises:
        NotFoundError: There is no entry of a name (code ``no_entry``).
        UnavailableError: The network may not be asked (code ``offline``).
    """
    if metier.settings.hub_offline:
        raise UnavailableError(
            "HF_HUB_OFFLINE is set, so nobody is asked.", code="offline", remedy="Unset it."
        )
    entries = [_named(name) for name in names] or list(curated.entries())
    endpoint = metier.settings.hub_endpoint or PUBLIC_ENDPOINT
    token = stored_token()
    origin = Origin(PUBLIC_ENDPOINT, agent=f"metier/{__version__}")
    asking = Asking(
        page=lambda address: reached(address, origin),
        facts=lambda name: ask_facts(name, endpoint=endpoint, token=token),
        files=lambda name: ask_repository(
            name.repository, name.revision, endpoint=endpoint, token=token
        ),
    )
    return Resolver(asking).check(entries, report=report, cancelled=cancelled)


def _named(name: str) -> Entry:
    by_name = {entry.name.casefold(): entry for entry in curated.entries()}
    entry = by_name.get(name.casefold())
    if entry is not None:
        return entry
    near = difflib.get_close_matches(name.casefold(), list(by_name), n=3)
    told = [by_name[one].name for one in near]
    guess = f" Did you mean {' or '.join(told)}?" if told else ""
    raise NotFoundError(
        f"There is no entry {name[:200]!r} in the curated index.{guess}",
        code="no_entry",
        remedy="'metier find --origin curated' lists what there is.",
        details={"near": told},
    )


def _page(entry: Entry, address: str, there: Reached) -> Checked:
    return Checked(entry.name, "page", _standing(there), address)


def _standing(there: Reached) -> Standing:
    return "same" if there == "there" else there


def _failed(entry: Entry, fact: str, was: str, error: MetierError) -> Checked:
    """What an error says about a fact: gone, changed, or nothing at all."""
    if error.code == "gated":
        return Checked(entry.name, fact, "same", was, "gated: its owner gives it on request")
    if isinstance(error, UnavailableError):
        return Checked(entry.name, fact, "unreachable", was, error.message)
    gone = isinstance(error, NotFoundError)
    return Checked(entry.name, fact, "gone" if gone else "changed", was, error.message)


def _compared(entry: Entry, fact: str, was: str, now: str, *, same: bool) -> Checked:
    return Checked(entry.name, fact, "same" if same else "changed", was, now)


def _counted(entry: Entry, fact: str, now: int, off: float) -> Checked:
    was = int(getattr(entry, fact))
    same = abs(now - was) <= off * max(was, 1)
    return _compared(entry, fact, f"{was:,}", f"{now:,}", same=same)
