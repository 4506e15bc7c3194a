"""The decision: hard facts, then proof and watch, then the domain, then cost and conversation.

It knows requests, candidates, a domain model and rules, and nothing that changes by itself: no
clock, no disk, no network, no random number. The same arguments give the same decision.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property

from metier.manifest import canonical_json
from metier.router.costs import most_rank, rank
from metier.router.domains import DomainModel, Likeness
from metier.router.rules import OF_PICTURES, Rules, by_cost, by_gain, pays, refusal, unable
from metier.routing import Candidate, Decision, Refused, Request

REVISION = 2
"""Raised when the code of a decision changes what is decided."""
PULL = "metier pull NAME"
OF_WHICH = "metier route --image FILE --domain "
"""The remedy where a picture's domain must be named; the domain follows."""
_MOST_WHY = 1_000
"""Characters of a reason that names others' names."""


@dataclass(frozen=True, slots=True)
class _Field:
    """Who can take a request: all of them, the specialists and the general models among them."""

    all: tuple[Candidate, ...]
    specialists: tuple[Candidate, ...]
    generals: tuple[Candidate, ...]
    refused: tuple[Refused, ...]

    def named(self, name: str) -> Candidate | None:
        return next((one for one in self.all if one.name == name), None)


@dataclass(frozen=True)
class Router:
    """A domain model and rules, frozen: a ``metier.routing.Decider``.

    Attributes:
        model: Of the domains; ``None`` where no specialist has any questions.
        rules: See ``Rules``.
    """

    model: DomainModel | None = None
    rules: Rules = field(default_factory=Rules)

    @cached_property
    def digest(self) -> str:
        """``sha256:…`` over everything that can change a decision."""
        told = {
            "revision": REVISION,
            "rules": asdict(self.rules),
            "model": self.model.digest if self.model else None,
        }
        return f"sha256:{hashlib.sha256(canonical_json(told)).hexdigest()}"

    def decide(self, request: Request, candidates: Sequence[Candidate]) -> Decision:
        """Who answers; the order of ``candidates`` does not matter.

        Raises:
            InputError: ``most_cost`` is no cost class (code ``bad_cost_class``).
        """
        if request.most_cost:
            most_rank(request.most_cost)
        able = self._field(request, candidates)
        kept = self._kept_in_loop(request, candidates)
        if kept is not None:
            return self._told(kept, able)
        fresh = self._fresh(request, able)
        return self._told(self._in_conversation(request, able, fresh), able)

    def override(self, name: str, request: Request, candidates: Sequence[Candidate]) -> Decision:
        """The decision where the person named who answers; proof and watch do not matter then."""
        one = next((each for each in candidates if each.name == name), None)
        why = (
            unable(request, one, self.rules)
            if one
            else f"{name} is nobody who could be asked this."
        )
        refused = (Refused(name, why),) if why else ()
        if one is None or why:
            return Decision(
                "", "nobody", why, refused=refused, router=self.digest,
                remedy="metier route TEXT --explain",
            )  # fmt: skip
        return Decision(name, "override", f"You asked for {name}.", one.domain, router=self.digest)

    def _field(self, request: Request, candidates: Sequence[Candidate]) -> _Field:
        able: list[Candidate] = []
        refused: list[Refused] = []
        # General models first: why they cannot is what a person asks when nobody can.
        for one in sorted(candidates, key=lambda each: (not each.general, each.name, each.digest)):
            why = refusal(request, one, self.rules)
            if why:
                refused.append(Refused(one.name, why))
            else:
                able.append(one)
        return _Field(
            tuple(able),
            tuple(sorted((one for one in able if not one.general), key=by_gain)),
            tuple(sorted((one for one in able if one.general), key=by_cost)),
            tuple(refused),
        )

    def _kept_in_loop(self, request: Request, candidates: Sequence[Candidate]) -> Decision | None:
        """Inside a tool loop nobody is switched who can still go on, proved or not."""
        if not (request.in_tool_loop and request.last):
            return None
        last = next((one for one in candidates if one.name == request.last), None)
        if last is None or unable(request, last, self.rules):
            return None
        why = f"{last.name} is waiting for the result of its tool; nobody is switched before that."
        return Decision(last.name, "kept", why, last.domain)

    def _fresh(self, request: Request, able: _Field) -> Decision:
        """The decision of a conversation that begins here."""
        if not able.all:
            return _nobody(able)
        if request.domain:
            return self._of_domain(request, able)
        likeness = (
            self.model.asked(request.text, language=request.language, code=request.code)
            if self.model and request.text
            else None
        )
        chosen = self._by_likeness(request, able, likeness)
        if likeness is None:
            return chosen
        return replace(
            chosen, domain=likeness.domain, score=likeness.score, threshold=likeness.threshold,
            margin=likeness.margin,
        )  # fmt: skip

    def _of_domain(self, request: Request, able: _Field) -> Decision:
        """The caller named the domain: nothing is guessed."""
        wanted = request.domain
        ranked = tuple(one for one in able.specialists if one.domain == wanted)
        if ranked:
            why = f"You named the domain {wanted}."
            return replace(self._from(ranked, able, why), ground="named", domain=wanted)
        why = f"You named the domain {wanted}, for which nobody here may take this request."
        return replace(self._general(request, able, why), domain=wanted)

    def _by_likeness(self, request: Request, able: _Field, likeness: Likeness | None) -> Decision:
        if likeness is None:
            why = "No domain is known here." if request.text else "There are no words to go by."
            return self._general(request, able, why)
        ranked = tuple(
            one
            for one in able.specialists
            # Words do not say what a picture is of.
            if one.domain == likeness.domain and one.task not in OF_PICTURES
        )
        if not likeness.sure:
            why = f"{likeness.against[0].upper()}{likeness.against[1:]}."
            unasked = self._general(request, able, why)
            return replace(unasked, next=ranked[0].name) if ranked else unasked
        if not ranked:
            why = f"It looks like {likeness.domain}, for which nobody here may take it."
            return self._general(request, able, why)
        why = f"It looks like {likeness.domain} ({_said(likeness)})."
        return self._from(ranked, able, why)

    def _from(self, ranked: Sequence[Candidate], able: _Field, why: str) -> Decision:
        """The best of a domain's specialists, or a cheaper one whose tool judges its answers."""
        best = ranked[0]
        cheaper = [
            one for one in ranked if one.judged and rank(one.cost) < rank(best.cost)
        ] if self.rules.cascades else []  # fmt: skip
        said = f"{why} {best.name} holds the best proof for it."
        if cheaper:
            first = min(cheaper, key=by_cost)
            said += f" {first.name} is cheaper and its tool judges its answer, so it goes first."
        else:
            first = best
        after = [one.name for one in (*ranked, *able.generals) if one is not first]
        return Decision(first.name, "domain", said, then=tuple(after))

    def _general(self, request: Request, able: _Field, why: str) -> Decision:
        """The general model, or who alone is left."""
        if not able.generals:
            return self._without_general(request, able, why)
        first, *others = able.generals
        then = tuple(one.name for one in others)
        if request.pictures:
            eyes = _eyes(request, able)
            why = f"{first.name} sees pictures. {why}"
            for one in eyes[:1]:
                why += f" {one.name} holds a proof for {one.domain}: name that domain if it is."
            following = eyes[0].name if eyes else ""
            return Decision(first.name, "picture", why, next=following, then=then)
        if len(able.all) == 1:
            return Decision(first.name, "only", f"Only {first.name} can take it. {why}", then=then)
        return Decision(
            first.name, "abstained", f"{why} {first.name} is the general model.", then=then
        )

    def _without_general(self, request: Request, able: _Field, why: str) -> Decision:
        seeing = [one for one in able.specialists if one.sees] if request.pictures else []
        talking = [one for one in seeing if one.task not in OF_PICTURES]
        eyes = _eyes(request, able)
        domains = sorted({one.domain for one in eyes})
        if not talking and len(domains) > 1:
            told = f"{why} Name the domain of the picture: {', '.join(domains)}."[:_MOST_WHY]
            return replace(_nobody(able), why=told, remedy=f"{OF_WHICH}{shlex.quote(domains[0])}")
        if talking or eyes:
            first, *others = talking or eyes
            why = f"No general model here sees pictures; {first.name} does. {why}"
            if not talking:
                why += f" Nothing was looked at that would say whether it is of {first.domain}."
            return Decision(first.name, "picture", why, then=tuple(one.name for one in others))
        return replace(_nobody(able), why=f"{why} There is no general model here.")

    def _in_conversation(self, request: Request, able: _Field, fresh: Decision) -> Decision:
        """A conversation stays with who has it, unless a proved gain outweighs the lost cache."""
        last = able.named(request.last) if request.last else None
        if last is None or fresh.chosen == last.name:
            return replace(fresh, ground="kept") if last else fresh
        chosen = able.named(fresh.chosen)
        gain = (chosen.gain if chosen else 0.0) - last.gain * (not last.general)
        if fresh.ground == "named" and (last.general or last.domain != request.domain):
            return fresh  # a person's word, not a guess
        if fresh.ground in ("domain", "named") and pays(gain, request.cached_tokens, self.rules):
            return fresh
        then = tuple(name for name in (fresh.chosen, *fresh.then) if name not in ("", last.name))
        why = f"The conversation is {last.name}'s, and nothing shows that another does better."
        if gain > 0.0 and fresh.ground in ("domain", "named"):
            why = (
                f"The conversation is {last.name}'s. {fresh.chosen} is {100 * gain:.1f} points "
                f"better, which does not outweigh {request.cached_tokens} tokens of prompt cache."
            )
        return replace(fresh, chosen=last.name, ground="kept", why=why, then=then, next="")

    def _told(self, decision: Decision, able: _Field) -> Decision:
        following = decision.next or (decision.then[0] if decision.then else "")
        return replace(decision, next=following, refused=able.refused, router=self.digest)


def _eyes(request: Request, able: _Field) -> list[Candidate]:
    """Proved classifiers of pictures, where no domain was named that they are not for."""
    if not request.pictures or request.domain:
        return []
    return [one for one in able.specialists if one.task in OF_PICTURES]


def _said(likeness: Likeness) -> str:
    return f"{likeness.score:.3f}, threshold {likeness.threshold:.3f}"


def _nobody(able: _Field) -> Decision:
    reasons = "; ".join(f"{one.name}: {one.why}" for one in able.refused[:3])
    why = f"Nobody here can take it. {reasons}".strip()[:_MOST_WHY]
    return Decision("", "nobody", why, remedy=PULL)
