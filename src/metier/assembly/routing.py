"""Routing: from a question to who answers it, to the answer, and to the log of decisions.

It puts the parts together: candidates, the domain model, the router's rules, the memory of
conversations, the log. How each of them does its work is theirs.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from metier.assembly.along import Ways, ask_along, reply_of
from metier.assembly.candidates import (
    CHATS,
    Field,
    as_documents,
    read_field,
    suggestion,
)
from metier.assembly.candidates import Means as CandidateMeans
from metier.assembly.domains import Domains
from metier.assembly.replaying import Heard, Replayed, replay
from metier.assembly.routelog import RouteLog, read_rows
from metier.assembly.sticking import Memory
from metier.assembly.translating import question_of
from metier.conversing import Reply, Sampling, Turn
from metier.errors import InputError, MetierError, NotFoundError, UnavailableError
from metier.generating import ModelDetails, ModelListing, ModelSheet, Question
from metier.manifest import canonical_json
from metier.reference import Digest
from metier.router import Rules, conversation_key, request_of
from metier.router.deciding import OF_WHICH
from metier.routing import (
    AUTO,
    Answered,
    Asked,
    Candidate,
    Decision,
    Request,
    Routed,
    Wanted,
    Wish,
    domain_of,
    is_auto,
)
from metier.watching import ROUTED

MOST_TEXT = 20_000
"""Characters of a text that the log keeps, where a person asked for texts to be kept."""

MOST_DIGESTS = 256
"""Sets of candidates whose digest is remembered: wishes make several of one fleet."""


class Routing:
    """The router of one home; threads may share it."""

    def __init__(
        self,
        candidates: CandidateMeans,
        domains: Domains,
        ways: Ways,
        changed: Callable[[], object],
    ) -> None:
        """Put together.

        Args:
            candidates: Where candidates come from.
            domains: The domain model.
            ways: How candidates are asked.
            changed: What is equal as long as the candidates are the same.
        """
        self._candidates = candidates
        self._domains = domains
        self._ways = ways
        self._changed = changed
        self._settings = candidates.settings
        self._log = RouteLog(self._settings.home / "routes")
        self._memory = Memory()
        self._rules = Rules()
        self._digests: dict[tuple[str, tuple[tuple[str, bool], ...]], str] = {}
        self._lock = threading.Lock()
        self._field: tuple[object, Field] | None = None
        self._listed: tuple[object, object, tuple[ModelListing, ...]] | None = None

    # --- what there is --------------------------------------------------------------------------

    def field(self) -> Field:
        """Everybody who could answer, as of now; read again when anything of it changed."""
        now = self._changed()
        held = self._field
        if held is None or held[0] != now:
            with self._lock:
                held = self._field
                if held is None or held[0] != now:
                    held = self._field = (now, read_field(self._candidates))
        return held[1]

    def names(self) -> tuple[str, ...]:
        """``auto`` and ``auto:<domain>`` of what can be routed to; none if there is nobody."""
        field = self.field()
        proved = {
            one.domain
            for one in field.candidates
            if one.task in CHATS and one.domain and one.proof and one.state in ROUTED
        }
        if not proved and not field.general.name:
            return ()
        return (AUTO, *(f"{AUTO}:{slug(domain)}" for domain in sorted(proved)))

    def listed(self, models: Sequence[ModelListing]) -> Sequence[ModelListing]:
        """The router's names before everything else; the same tuple as long as nothing changed."""
        field = self.field()
        held = self._listed
        if held is None or held[0] is not models or held[1] is not field:
            own = tuple(self._listing(name, field) for name in self.names())
            held = self._listed = (models, field, (*own, *models))
        return held[2]

    def listing(self, name: str) -> ModelListing:
        """One of the router's names; raises as a decision does that nobody can take."""
        field = self.field()
        wish = self._named(Wish(domain=domain_of(name)), field)
        if not self.names():
            raise self._nobody(Decision("", "nobody", field.general.why))
        return self._listing(f"{AUTO}:{slug(wish.domain)}" if wish.domain else AUTO, field)

    def sheet(self, name: str) -> ModelSheet:
        """Everything about one of the router's names."""
        listing, field = self.listing(name), self.field()
        return ModelSheet(
            listing=listing,
            metadata={
                "general.architecture": "router",
                "general.name": listing.name,
                "general.description": "Sends each request to who holds a proof for it, else to "
                "the general model.",
                "metier.general": field.general.name,
                "metier.general_why": field.general.why,
            },
        )

    def _listing(self, name: str, field: Field) -> ModelListing:
        able = [one for one in field.candidates if one.task in CHATS]
        capabilities = ["completion"]
        capabilities += ["tools"] if any(one.calls_tools for one in able) else []
        capabilities += ["vision"] if any(one.sees for one in able) else []
        general = next((one for one in able if one.general), None)
        details = ModelDetails(
            format="",
            family="router",
            families=("router",),
            context_length=(general.context if general is not None else None) or 0,
        )
        return ModelListing(
            name=name,
            digest=Digest.of(f"{name} {field.digest}".encode()).hex,
            size_bytes=0,
            modified=field.changed,
            task="chat",
            details=details,
            capabilities=tuple(capabilities),
        )

    def warm(self) -> None:
        """Read who there is and make the domain model: for a server that starts."""
        with suppress(MetierError):  # who asks is told of it
            if self.names():
                self._domains.model()

    # --- deciding -------------------------------------------------------------------------------

    def decide(
        self,
        question: Question,
        wish: Wish = Wish(),  # noqa: B008  frozen
        *,
        wanted: Wanted = "chat",
        explain: bool = False,
        wait: bool = False,
    ) -> Routed:
        """Who answers a question; nobody is asked.

        Args:
            question: The conversation, or a prompt.
            wish: What the caller asks of the router.
            wanted: See ``Wanted``.
            explain: Whether the scores of all domains are wanted too.
            wait: Whether to wait for the domain model of a fleet that changed.

        Raises:
            NotFoundError: Nobody here is for the domain that was named (``no_domain``), or nobody
                has the name that was given.
            InputError: The cost class is none (``bad_cost_class``).
        """
        field = self.field()
        wish = self._named(_unforced(wish), field)
        request = self._request(question, wish, wanted)
        candidates = _present(field, request, wish)
        heard = Heard(self._domains.model(wait=wait))
        router = heard.router(self._rules)
        if wish.model:
            decision = router.override(self._overriding(wish.model), request, candidates)
        else:
            decision = router.decide(request, candidates)
        routed = Routed(f"route_{secrets.token_hex(8)}", decision, request, candidates)
        self._write(routed, heard, wish, field.digest)
        return replace(
            routed,
            decision=self._with_remedy(decision, request),
            scores=heard.scores(request.text) if explain else (),
            note=self._log.problem,
        )

    def _request(self, question: Question, wish: Wish, wanted: Wanted) -> Request:
        own = wish.conversation
        key = self._memory.hidden(f"own {own}" if own else conversation_key(question.messages))
        held = self._memory.who(key) if key else None
        request = request_of(
            question,
            wanted=wanted,
            domain=wish.domain,
            most_cost=wish.most_cost,
            last=held.name if held is not None else "",
            cached_tokens=held.tokens if held is not None else 0,
        )
        if own and held is not None:
            request = replace(request, last=held.name, cached_tokens=held.tokens)
        return replace(request, conversation=key)

    def _named(self, wish: Wish, field: Field) -> Wish:
        """The wish, its domain as the fleet writes it; raises NotFoundError (``no_domain``)."""
        if not wish.domain:
            return wish
        known = {one.domain for one in field.candidates if one.domain}
        found = next((one for one in sorted(known) if slug(one) == slug(wish.domain)), None)
        if found is None:
            there = ", ".join(sorted(known)) or "none"
            raise NotFoundError(
                f"Nobody here is for the domain {wish.domain[:80]!r}; domains here: {there}.",
                code="no_domain",
                remedy=f"Ask {AUTO}, or see what there is: metier find {wish.domain[:40]}.",
                details={"param": "model", "domains": sorted(known)},
            )
        return replace(wish, domain=found)

    def _overriding(self, name: str) -> str:
        """The candidate of that name; raises NotFoundError with near names."""
        candidate = self.field().named(name)
        if candidate is None:
            return self._ways.models.listing(name).name
        return candidate.name

    def _with_remedy(self, decision: Decision, request: Request) -> Decision:
        if decision.chosen or decision.remedy.startswith(OF_WHICH):
            return decision
        general = self.field().general
        if not general.name:
            told = f"{decision.why} {general.why}".strip()
            return replace(decision, why=told, remedy=general.remedy)
        if request.pictures and not any(one.sees for one in self.field().candidates):
            remedy = suggestion(self._candidates.fit, sees=True)
            return replace(decision, remedy=remedy)
        return replace(decision, remedy="metier route TEXT --explain")

    # --- answering ------------------------------------------------------------------------------

    def ask(self, routed: Routed, asked: Asked) -> Answered:
        """The answer along a decision; see ``along.ask_along``.

        Raises:
            UnavailableError: Nobody can take it and there is no general model
                (``no_general_model``).
            InputError: Nobody can take it (``nobody_can``).
            MetierError: The error of the last who was asked.
        """
        if not routed.decision.chosen:
            raise self._nobody(routed.decision)
        began = time.perf_counter()
        answered = ask_along(routed, asked, self._ways)
        taken = answered.written.taken
        self._memory.keep(
            routed.request.conversation, answered.name, taken.tokens_in + taken.tokens_out
        )
        row = {
            "id": routed.id,
            "model": answered.name,
            "tried": [asdict(one) for one in answered.tried],
            "seconds": round(time.perf_counter() - began, 4),
        }
        self._log.append("answered", row)
        return answered

    def question(self, turns: Sequence[Turn], sampling: Sampling) -> Question:
        """A specialist's turns as a question; raises InputError (``bad_sampling``)."""
        return question_of(turns, sampling)

    def reply(self, answered: Answered) -> Reply:
        """An answer with its trace; see ``along.reply_of``."""
        return reply_of(answered)

    def _nobody(self, decision: Decision) -> MetierError:
        general = self.field().general
        if not general.name:
            return UnavailableError(
                f"{AUTO} has no general model to turn to. {general.why}",
                code="no_general_model",
                remedy=f"Run: {general.remedy}. Or set METIER_GENERAL_URL and "
                "METIER_GENERAL_MODEL, or METIER_BASE.",
            )
        why = "; ".join(f"{one.name}: {one.why}" for one in decision.refused[:4])
        return InputError(
            f"Nobody here can take this request. {why or decision.why}",
            code="nobody_can",
            remedy=f"See why with: {decision.remedy}",
            details={"refused": [asdict(one) for one in decision.refused]},
        )

    # --- the log --------------------------------------------------------------------------------

    def latest(self, count: int = 20) -> Sequence[Mapping[str, Any]]:
        """The latest decisions as they were logged, the newest first."""
        return self._log.latest(count)

    def replay(self, path: Path | None = None) -> Replayed:
        """Make every logged decision again and compare the bytes.

        Args:
            path: One file of a log; ``None`` takes the whole log of this home.

        Raises:
            NotFoundError: There is no such file (``no_file``).
            CorruptError: It is no log of decisions (``bad_route_log``).
        """
        return replay(list(self._log.rows() if path is None else read_rows(path)))

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    def _digest_of(self, candidates: Sequence[Candidate], field: str) -> str:
        """The digest of some candidates of a field; the same few are asked for all the time."""
        key = (field, tuple((one.name, one.general) for one in candidates))
        digest = self._digests.get(key)
        if digest is None:
            if len(self._digests) >= MOST_DIGESTS:
                self._digests.clear()
            digest = str(Digest.of(canonical_json(as_documents(candidates))))
            self._digests[key] = digest
        return digest

    def _write(self, routed: Routed, heard: Heard, wish: Wish, field: str) -> None:
        digest = self._digest_of(routed.candidates, field)
        self._log.append_once(
            "candidates", digest, lambda: {"candidates": as_documents(routed.candidates)}
        )
        request = asdict(routed.request)
        text = request.pop("text")
        row: dict[str, Any] = {
            "id": routed.id,
            "request": request,
            "characters": len(text),
            "likeness": asdict(heard.likeness) if heard.likeness is not None else None,
            "candidates": digest,
            "model": heard.digest,
            "rules": asdict(self._rules),
            "override": bool(wish.model),
            "decision": asdict(routed.decision),
        }
        if self._settings.keep_texts:
            kept = text[:MOST_TEXT].encode("utf-8", "replace").decode()
            row["text"] = kept
        self._log.append("decided", row)


def slug(domain: str) -> str:
    """A domain as it stands behind ``auto:``: small letters and digits, joined by ``-``."""
    kept = "".join(letter if letter.isalnum() and letter.isascii() else " " for letter in domain)
    return "-".join(kept.lower().split())[:80] or "-"


def _unforced(wish: Wish) -> Wish:
    """Who asks for the router by name leaves it to the router."""
    if not is_auto(wish.model):
        return wish
    return replace(wish, model="", domain=wish.domain or domain_of(wish.model))


def _present(field: Field, request: Request, wish: Wish) -> tuple[Candidate, ...]:
    """The candidates of one request: of its task or named, without whom the caller does not want.

    Where the general model cannot take it (pictures, tools, length), every model that writes may
    stand in for it.
    """
    without = {name.removesuffix(":latest") for name in wish.without}
    named = wish.model.removesuffix(":latest")
    there = tuple(
        one
        for one in field.candidates
        if one.name not in without
        and (request.wanted == "any" or one.task in CHATS or one.name == named)
    )
    general = next((one for one in there if one.general), None)
    if general is not None and not _cannot(general, request):
        return there
    if not field.general.name:
        return there
    return tuple(replace(one, general=True) if one.task == "generate" else one for one in there)


def _cannot(general: Candidate, request: Request) -> bool:
    return (
        bool(request.pictures and not general.sees)
        or (request.tools and not general.calls_tools)
        or (general.context is not None and request.tokens > general.context)
    )
