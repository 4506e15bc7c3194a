"""Who could answer what the router decides on: the fleet, its proofs, the watch, a general model.

It knows how something installed, or a service, becomes a ``Candidate``, and which one is the
general model. It decides on no request and asks nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.card import Card, ChatCard, Cost
from metier.catalog import curated
from metier.conversing import base_of
from metier.errors import MetierError
from metier.finding import Entry, Fit, Proof
from metier.fleet import Installed
from metier.generating import ModelListing
from metier.manifest import canonical_json
from metier.reference import Digest
from metier.routing import Candidate
from metier.settings import Settings
from metier.watching import Standing

if TYPE_CHECKING:
    from metier.services import Service

REMOTE, LOCAL = "remote:", "local:"
GENERAL = "remote:general"
CHATS = ("chat", "generate")
"""Tasks of what chats: chat specialists and models that write."""
_TALKING = 8.0
"""Tokens in a second: as fast as people read."""
_MOST_UNMEASURED = 4_000_000_000
_GIGABYTE = 1_000_000_000
_CLASSES = (1, 4, 8, 16, 32)
"""Gigabytes of memory that part the cost classes of what runs here (DESIGN, section 2)."""


@dataclass(frozen=True, slots=True)
class Means:
    """What candidates are read from.

    Attributes:
        settings: The remote general model and ``METIER_BASE``.
        installed: Everything that is here.
        listings: The same as models, the latest first.
        proofs: The proof that each holds today, by name.
        standing: Where one stands with the watch, or ``None``.
        fit: Whether something runs on this machine.
        lacks: What a chat specialist would use and is not here, by kind.
        service: The remote general model, if one is configured.
    """

    settings: Settings
    installed: Callable[[], Sequence[Installed]]
    listings: Callable[[], Sequence[ModelListing]]
    proofs: Callable[[], Mapping[str, Proof]]
    standing: Callable[[str], Standing | None]
    fit: Callable[[str | Entry], Fit]
    lacks: Callable[[str], Sequence[str]]
    service: Callable[[], Service | None]


@dataclass(frozen=True, slots=True)
class General:
    """The general model that the router abstains to.

    Attributes:
        name: What people call it: ``remote:NAME``, a model, a file's name; "" if there is none.
        ref: What to give as base, where it is no installed model.
        why: Which rule chose it, in a sentence.
        remedy: The command that would bring one, if there is none.
    """

    name: str
    ref: str | Path = ""
    why: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """Everybody who could answer, as of now.

    Attributes:
        candidates: By name.
        general: The general model.
        digest: Over the candidates.
        changed: When the latest of what is installed came: ISO 8601, or "".
    """

    candidates: tuple[Candidate, ...]
    general: General
    digest: str
    changed: str = ""

    def named(self, name: str) -> Candidate | None:
        """The candidate of that name, with or without its tag."""
        bare = name.removesuffix(":latest")
        return next((one for one in self.candidates if one.name == bare), None)

    @property
    def domains(self) -> tuple[str, ...]:
        """Domains that something here which chats is for, in order."""
        found = {one.domain for one in self.candidates if one.task in CHATS and one.domain}
        return tuple(sorted(found))


def read_field(means: Means) -> Field:
    """Everybody who could answer; what cannot be read is left out."""
    listings = {one.name: one for one in means.listings()}
    general = choose_general(means, list(listings.values()))
    proofs = means.proofs()
    found: list[Candidate] = []
    for installed in means.installed():
        listing = listings.get(installed.name)
        if listing is None:
            continue
        made = _candidate(installed, listing, general, means, proofs.get(installed.name))
        if made is not None:
            found.append(made)
    if general.name and not any(one.general for one in found):
        found.append(_elsewhere(general, means))
    ordered = tuple(sorted(found, key=lambda one: one.name))
    changed = max((one.modified for one in listings.values()), default="")
    digest = str(Digest.of(canonical_json(as_documents(ordered))))
    return Field(ordered, general, digest, changed)


def as_documents(candidates: Sequence[Candidate]) -> list[dict[str, object]]:
    """Candidates as JSON values, every field that a decision may rest on."""
    return [
        {
            **{name: getattr(one, name) for name in one.__dataclass_fields__ if name != "cost"},
            "languages": list(one.languages),
            "cost": one.cost.model_dump(mode="json"),
        }
        for one in candidates
    ]


def of_document(document: Mapping[str, object]) -> Candidate:
    """The candidate that ``as_documents`` wrote; raises TypeError or ValueError on another."""
    fields = dict(document)
    cost = Cost.model_validate(fields.pop("cost"))
    languages = fields.pop("languages")
    if not isinstance(languages, list):
        raise TypeError("languages")
    return Candidate(**fields, cost=cost, languages=tuple(languages))  # type: ignore[arg-type]


def _candidate(
    installed: Installed,
    listing: ModelListing,
    general: General,
    means: Means,
    proof: Proof | None,
) -> Candidate | None:
    card = installed.card
    held: dict[str, Any] = {
        "proof": proof.until if proof else "",
        "gain": proof.evidence.difference.interval.low if proof else 0.0,
    }
    if isinstance(card, ChatCard):
        return _conversant(installed, card, means, held)
    if isinstance(card, Card):
        return Candidate(
            name=installed.name,
            digest=str(installed.system),
            task=card.task,
            domain=card.domain,
            sees=card.task == "classify-image",
            cost=card.cost,
            state=_state(means, installed.name),
            **held,
        )
    if listing.task == "generate":
        return Candidate(
            name=installed.name,
            digest=str(installed.digest),
            task="generate",
            general=general.name == installed.name,
            sees="vision" in listing.capabilities,
            calls_tools="tools" in listing.capabilities,
            context=listing.details.context_length or None,
            cost=_local_cost(listing.size_bytes),
        )
    return None


def _conversant(
    installed: Installed,
    card: ChatCard,
    means: Means,
    held: Mapping[str, Any],
) -> Candidate:
    lacks = set(means.lacks(installed.name))
    return Candidate(
        name=installed.name,
        digest=str(installed.system),
        task="chat",
        domain=card.domain,
        calls_tools=True,
        cost=card.cost,
        state=_state(means, installed.name),
        judged=bool(card.tools) and not lacks & {"tool", "toolchain", "node"},
        # Without a base it writes nothing, so that nothing was proved of what would answer.
        **(held if "base" not in lacks else {}),
    )


def _is_quick(entry: Entry, found: Fit) -> bool:
    if found.runs != "yes":
        return False
    if found.tokens_per_second is not None:
        return found.tokens_per_second >= _TALKING
    return (entry.parameters or 0) <= _MOST_UNMEASURED


def _state(means: Means, name: str) -> str:
    standing = means.standing(name)
    return standing.state if standing is not None else "PROMOTED"


def _local_cost(size_bytes: int) -> Cost:
    """What runs here, by the gigabytes that its weights take."""
    most = next((one for one in _CLASSES if size_bytes <= one * _GIGABYTE), None)
    told = f"memory up to {most} GB" if most else f"memory over {_CLASSES[-1]} GB"
    return Cost(cost_class=told, size_bytes=size_bytes)


def _elsewhere(general: General, means: Means) -> Candidate:
    """A general model that is no installed one: a service, or a file of the user's own."""
    service = means.service() if general.name == GENERAL else None
    price = service.price_out if service is not None else None
    remote = general.name.startswith(REMOTE)
    return Candidate(
        name=general.name,
        digest=str(Digest.of(f"{general.name} {service.url} {service.model}".encode()))
        if service is not None
        else str(Digest.of(str(general.ref).encode())),
        task="generate",
        general=True,
        sees=remote and means.settings.general_sees,
        calls_tools=True,
        cost=Cost(
            cost_class="remote" if remote else "this machine", price_per_million_tokens=price
        ),
    )


# ------------------------------------------------------------------------------ the general model


def choose_general(means: Means, listings: Sequence[ModelListing]) -> General:
    """The general model: the configured service, else ``METIER_BASE``, else the largest that fits.

    Among installed models that write it is, of those that run on this machine, the one with the
    most parameters, then the longest context, then the first by name. Models with an adapter are
    specialists of somebody and are not taken.
    """
    settings = means.settings
    if settings.general_url:
        why = f"METIER_GENERAL_URL and METIER_GENERAL_MODEL name it: {settings.general_model}."
        return General(GENERAL, GENERAL, why)
    if settings.base:
        return _by_base(settings.base, listings)
    writers = [one for one in listings if one.task == "generate" and one.parent is None]
    running = [one for one in writers if _runs(means, one.name)]
    if running:
        best = min(
            running,
            key=lambda one: (-one.details.parameters, -one.details.context_length, one.name),
        )
        of = f"of {len(running)} installed models that write and run here"
        told = f"It is the largest {of}." if len(running) > 1 else "No other model here writes."
        return General(best.name, best.name, f"{told} METIER_BASE names another.")
    return General("", why=_nobody(len(writers)), remedy=suggestion(means.fit))


def _by_base(base: str, listings: Sequence[ModelListing]) -> General:
    told = base_of(base)
    why = "METIER_BASE names it."
    if isinstance(told, Path):
        return General(told.name, told, why)
    bare = told.removeprefix(LOCAL).removesuffix(":latest")
    if any(one.name == bare for one in listings):
        return General(bare, bare, why)
    return General(told, told, why)


def _runs(means: Means, name: str) -> bool:
    try:
        return means.fit(name).runs in ("yes", "tight", "unknown")
    except MetierError:
        return False


def _nobody(writers: int) -> str:
    if writers:
        return f"None of the {writers} installed models that write fits this machine's memory."
    return "No model that writes is installed, and no remote one is configured."


def suggestion(fit: Callable[[str | Entry], Fit], *, sees: bool = False) -> str:
    """The command that brings a general model which fits this machine; ``sees``: one for pictures.

    Of the curated general models that run here it takes the largest that is quick enough to talk
    to: by the measured speed of this machine, or of up to four thousand million parameters where
    none was measured. Where memory is short of all it takes the smallest.
    """
    known = [
        entry
        for entry in curated.entries()
        if entry.pull
        and (
            entry.task == "describe-image"
            if sees
            else entry.task == "chat" and entry.domain == "general"
        )
    ]
    fitting = [entry for entry in known if _is_quick(entry, fit(entry))]
    if fitting:
        best = max(fitting, key=lambda entry: (entry.parameters or 0, entry.name))
    elif known:
        best = min(known, key=lambda entry: (entry.parameters or _GIGABYTE * 1000, entry.name))
    else:
        return f"metier find --task {'describe-image' if sees else 'chat'} --fits"
    return f"metier pull {best.pull}"
