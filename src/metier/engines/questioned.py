"""A base that writes, put to an eval: one of the labels by a constrained answer, or a free answer.

It turns a ``conversing.Generator`` into a ``messages.System``; it scores nothing and knows
neither services nor files. Labels are asked for exactly as of the general model (``remote``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from metier.conversing import Draft, Generator, Sampling, Turn
from metier.engines.remote import (
    NO_LABEL,
    PROMPT_VERSION,
    constraint,
    label_in,
    label_instruction,
)
from metier.errors import InputError, MetierError
from metier.manifest import canonical_json
from metier.messages import Answer
from metier.reference import Digest

ANSWER_INSTRUCTION = (
    "Answer the question. You may reason first. Write the final answer alone on the last line: "
    "only the number, or only the word or phrase, with nothing after it."
)
LABEL_TOKENS = 512
"""Tokens of a constrained answer at most."""
ANSWER_TOKENS = 1_024
"""Tokens of a free answer at most; one that is cut off is judged as it stands."""
BATCH = 4
"""Questions between two looks at whether somebody said stop: an answer here takes seconds."""
_LONGEST_REPLY = 20_000

_ENDS_IT = frozenset({"service_refused", "service_unreachable", "cancelled"})
"""Errors after which the next question would fare the same."""


@dataclass(frozen=True)
class WritingSystem:
    """A base under test, asked at temperature 0.

    Attributes:
        generator: What writes.
        labels: The labels to choose from; empty for free answers.
        parallel: Questions asked side by side.
        instructed: Whether it is told how to answer; a specialist has instructions of its own.
        cancelled: Becomes true when the person says stop.
    """

    generator: Generator
    labels: tuple[str, ...] = ()
    parallel: int = 1
    instructed: bool = True
    cancelled: Callable[[], bool] = field(default=lambda: False, compare=False)

    @property
    def name(self) -> str:
        """The base's name."""
        return self.generator.name

    @property
    def elsewhere(self) -> bool:
        """Whether a service writes, and no model of this machine."""
        return self.generator.name.startswith("remote:")

    @property
    def digest(self) -> str:
        """Over the base, the labels and the way of asking."""
        return str(
            Digest.of(
                canonical_json(
                    {
                        "questioned": self.generator.digest,
                        "labels": list(self.labels),
                        "instruction": self._instruction(),
                        "tokens": self._tokens,
                        "prompt": PROMPT_VERSION,
                    }
                )
            )
        )

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """One answer per text.

        Raises:
            MetierError: The base cannot be asked at all: it is not reached, refuses, or does not
                take the question's form. A single text that fails is an ``Answer`` with ``error``.
        """
        if self.parallel == 1:
            return [self._one(text) for text in texts]
        with ThreadPoolExecutor(self.parallel) as pool:
            return list(pool.map(self._one, texts))

    @property
    def _tokens(self) -> int:
        return LABEL_TOKENS if self.labels else ANSWER_TOKENS

    def _instruction(self) -> str:
        if not self.instructed:
            return ""
        return label_instruction(self.labels) if self.labels else ANSWER_INSTRUCTION

    def _one(self, text: str) -> Answer:
        start = time.perf_counter()
        told = self._instruction()
        turns = [Turn("user", text)]
        if told:
            turns.insert(0, Turn("system", told))
        extra = {"response_format": constraint(self.labels)} if self.labels else {}
        sampling = Sampling(temperature=0.0, max_tokens=self._tokens, seed=0, extra=extra)
        tokens_in = tokens_out = 0
        said = ""
        for _chance in range(2 if self.labels else 1):
            draft = self._draft(turns, sampling)
            if isinstance(draft, str):
                seconds = time.perf_counter() - start
                return Answer(None, seconds, tokens_in, tokens_out, error=draft)
            tokens_in += draft.tokens_in
            tokens_out += draft.tokens_out
            said = draft.text[:_LONGEST_REPLY]
            label = label_in(said, self.labels) if self.labels else None
            if label is not None or not self.labels:
                said = said if label is None else label
                break
            turns = [*turns, Turn("assistant", said[:500]), Turn("user", NO_LABEL)]
        # An answer that is no label is wrong, not unscored: the base was heard.
        said = said if not self.labels else said[:200]
        return Answer(said or "(empty)", time.perf_counter() - start, tokens_in, tokens_out)

    def _draft(self, turns: Sequence[Turn], sampling: Sampling) -> Draft | str:
        """A draft, or a sentence that says why there is none."""
        try:
            return self.generator.generate(turns, sampling, cancelled=self.cancelled)
        except InputError as error:
            if error.code == "prompt_too_long":
                return error.message
            raise
        except MetierError as error:
            if error.code in _ENDS_IT or self.cancelled():
                raise
            return error.message
