"""Side by side on a prompt of one's own: several systems answer, named or blind.

It keeps the last few in memory, asks the façade and shuffles; it draws nothing. A vote is shown
and not kept: one prompt is no evidence.
"""

from __future__ import annotations

import random
import secrets
import string
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from metier.errors import InputError, MetierError, NotFoundError
from metier.generating import Message, Options, Piece, Question
from metier.server.facade import Facade

MOST_KEPT = 64
MOST_PROMPT = 20_000
MOST_TOKENS = 400
"""Tokens that each may write."""
State = Literal["waiting", "writing", "done", "failed"]


@dataclass(slots=True)
class Slot:
    """One system's place.

    Attributes:
        sign: ``A``, ``B`` …, in the order they are shown.
        name: Who answers.
        task: What it does.
        state: How far it is.
        text: What it has answered.
        took: Milliseconds it took.
        problem: Why there is no answer, in a sentence.
    """

    sign: str
    name: str
    task: str
    state: State = "waiting"
    text: str = ""
    took: float = 0.0
    problem: str = ""


@dataclass(slots=True)
class Duel:
    """One prompt and its answers.

    Attributes:
        token: Names it.
        prompt: What was asked.
        slots: Who answers, in the order they are shown.
        blind: Whether names are hidden until there is a vote.
        vote: The sign that was voted for, ``none`` for none of them, "" before.
    """

    token: str
    prompt: str
    slots: list[Slot]
    blind: bool
    vote: str = ""

    @property
    def hidden(self) -> bool:
        """Whether names are hidden now."""
        return self.blind and not self.vote

    @property
    def over(self) -> bool:
        """Whether everybody has answered."""
        return all(slot.state in ("done", "failed") for slot in self.slots)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; hidden names are not in it."""
        return {
            "token": self.token,
            "page": f"/compare/asked/{self.token}",
            "prompt": self.prompt,
            "blind": self.blind,
            "hidden": self.hidden,
            "vote": self.vote,
            "vote_kept": False,
            "over": self.over,
            "answers": [
                {
                    "sign": slot.sign,
                    "name": None if self.hidden else slot.name,
                    "state": slot.state,
                    "text": slot.text,
                    # Seconds can give a name away.
                    "ms": None if self.hidden else slot.took,
                    "problem": slot.problem and (_HIDDEN if self.hidden else slot.problem),
                }
                for slot in self.slots
            ],
        }


_HIDDEN = "It gave no answer; the reason is told with the names."


@dataclass
class Duels:
    """Those of one server; threads may share it."""

    metier: Facade
    _kept: OrderedDict[str, Duel] = field(default_factory=OrderedDict)

    def able(self) -> list[dict[str, str]]:
        """Who can be asked: name and task."""
        return [
            {"name": item.reference.familiar, "task": item.card.task}
            for item in self.metier.list()
            if item.card is not None and item.card.task in ("classify", "chat")
        ] + [
            {"name": listing.name, "task": listing.task}
            for listing in self.metier.models.listings()
            if listing.task == "generate"
        ]

    def start(self, prompt: str, names: Sequence[str], *, blind: bool) -> Duel:
        """Take a prompt; nobody is asked yet.

        Raises:
            InputError: A blank or long prompt, fewer than two names or more than eight, or one
                that cannot answer (``bad_comparison``).
        """
        text = prompt.replace("\r\n", "\n")
        if not text.strip() or len(text) > MOST_PROMPT:
            raise InputError(
                f"The prompt is blank or longer than {MOST_PROMPT:,} characters.",
                code="bad_request",
                remedy="Write what they are to answer.",
            )
        known = {one["name"]: one["task"] for one in self.able()}
        chosen = list(dict.fromkeys(names))
        strange = [name for name in chosen if name not in known]
        if strange or not 2 <= len(chosen) <= 8:
            what = f"{strange[0][:100]!r} cannot be asked." if strange else ""
            raise InputError(
                what or f"{len(chosen)} systems cannot be compared side by side.",
                code="bad_comparison",
                remedy="Choose 2 to 8 of those that the page lists.",
            )
        if blind:
            random.SystemRandom().shuffle(chosen)
        signs = string.ascii_uppercase[: len(chosen)]
        slots = [Slot(sign, name, known[name]) for sign, name in zip(signs, chosen, strict=True)]
        duel = Duel(secrets.token_urlsafe(18), text, slots, blind)
        self._kept[duel.token] = duel
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return duel

    def of(self, token: str) -> Duel:
        """One of them; raises NotFoundError."""
        found = self._kept.get(token)
        if found is None:
            raise NotFoundError(
                "This comparison is no longer kept.", remedy="Ask again on /compare."
            )
        return found

    def vote(self, token: str, sign: str) -> Duel:
        """Show the names; the vote is not kept anywhere else."""
        duel = self.of(token)
        if sign not in {*(slot.sign for slot in duel.slots), "none"}:
            raise InputError(f"There is no answer {sign[:10]!r}.", code="bad_request")
        duel.vote = duel.vote or sign
        return duel

    def ask(
        self,
        duel: Duel,
        slot: Slot,
        *,
        on_text: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Ask one system, once; what it says goes into its slot."""
        if slot.state != "waiting":
            return
        slot.state, began = "writing", time.perf_counter()

        def heard(piece: Piece) -> None:
            slot.text += piece.text
            if on_text is not None and piece.text:
                on_text(piece.text)

        try:
            if slot.task == "classify":
                heard(Piece(self._labelled(slot.name, duel.prompt)))
            else:
                question = Question(
                    messages=(Message("user", duel.prompt),),
                    options=Options(num_predict=MOST_TOKENS),
                )
                self.metier.models.ask(slot.name, question, on_piece=heard, cancelled=cancelled)
            slot.state = "done"
        except MetierError as error:
            slot.problem = " ".join(filter(None, (error.message, error.remedy)))
            slot.state = "failed"
        slot.took = (time.perf_counter() - began) * 1000

    def _labelled(self, name: str, text: str) -> str:
        (found,) = self.metier.classify(name, [text], top=1)
        share = f"{100 * found.probability:.0f} %"
        if found.label is None:
            return f"No answer. Its best guess: {found.best} ({share})."
        return f"{found.label} ({share})"
