"""The answer policy: retrieve, prompt, generate, check, repair, choose, and say what was done.

It knows the order of these steps and when to stop; it knows no service, no search and no language:
those are handed to it. ``docs/explanation/answering.md`` tells it to people.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from metier.answer.candidates import Bench, Candidate, choose
from metier.answer.plan import Budget, Means, Plan
from metier.answer.prompting import (
    fitting,
    in_tool_loop,
    last_user,
    prompted,
    query_of,
    repair_request,
    with_documents,
)
from metier.answer.trace import Trace
from metier.answer.unaided import unaided
from metier.coding import Behaviour
from metier.conversing import (
    Draft,
    Generator,
    OnStep,
    OnText,
    Passage,
    Reply,
    Sampling,
    Turn,
)
from metier.errors import InputError, MetierError
from metier.retrieval.presenting import present

CORRECTION = "\n\n---\n\nThe draft above did not pass its check. The corrected answer:\n\n"


def answer(
    turns: Sequence[Turn],
    plan: Plan,
    means: Means,
    *,
    budget: Budget | None = None,
    behaviour: Behaviour | None = None,
    on_text: OnText | None = None,
    on_step: OnStep | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Reply:
    """Answer the last turn of a conversation.

    Args:
        turns: The conversation; its last user turn is the question.
        plan: How the specialist answers; ``plan.sampling`` is what is sent (see ``overlaid``).
        means: The base, the documents and the tools; each may be missing.
        budget: What the answer may take.
        behaviour: What an answer must do; then "passes" is judged by execution, and the first
            answer that passes ends drafting.
        on_text: Receives the accepted answer, or with ``plan.first_draft`` the first draft as it
            is written and, if another answer is taken, ``CORRECTION`` and that answer.
        on_step: Receives the trace as it goes.
        cancelled: Becomes true when the person says stop.

    Raises:
        InputError: ``bad_turns``; ``not_servable``: recorded answers outside an eval;
            ``cancelled``.
        UnavailableError: The base gave no answer at all.
    """
    last_user(turns)
    generator = means.generator
    if generator is not None and not generator.servable and not means.evaluating:
        raise InputError(
            f"{generator.name} holds recorded answers, which may not answer people.",
            code="not_servable",
            remedy="Name a base that writes; recorded answers are for evals.",
        )
    trace = Trace(budget or Budget(), on_step, cancelled)
    for caution in getattr(generator, "cautions", ()):
        trace.add("note", caution, caution=True)
    work = _Work(turns, plan, means, budget or Budget(), behaviour, trace, on_text)
    if generator is None:
        return work.without_base()
    if in_tool_loop(turns, plan.sampling):
        return work.passed_through(generator)
    return work.answered(generator)


@dataclass
class _Work:
    """One answer while it is made."""

    turns: Sequence[Turn]
    plan: Plan
    means: Means
    budget: Budget
    behaviour: Behaviour | None
    trace: Trace
    on_text: OnText | None

    def without_base(self) -> Reply:
        tools = self.means.tools if self.plan.tools else ()
        searcher = self.means.searcher if self.plan.documents else None
        reply = unaided(
            self.turns, tools, searcher, self.means.bases, top=self.plan.top, trace=self.trace
        )
        if self.on_text is not None:
            self.on_text(reply.text)
        return reply

    def passed_through(self, generator: Generator) -> Reply:
        """Inside an agent's loop: documents at the turn that began it, one call, nothing hidden."""
        documents, passages = self._retrieve()
        self.trace.add("note", "An agent drives: one call, no repairs.", loop=True)
        turns = with_documents(self.turns, documents)
        draft = self._generate(generator, turns, self.plan.sampling, "Answer", live=True)
        return self._reply(Candidate(1, draft.text, draft), passages, generator)

    def answered(self, generator: Generator) -> Reply:
        documents, passages = self._retrieve()
        asked = prompted(self.turns, self.plan.prompt, documents)
        bench = Bench(
            self.means.tools if self.plan.tools else (),
            self.trace,
            mend=self.plan.mend,
            behaviour=self.behaviour,
        )
        candidates = self._drafts(generator, asked, bench)
        if not any(candidate.sound for candidate in candidates):
            candidates += self._repairs(generator, asked, bench, candidates)
        chosen = choose(candidates)
        self._say_choice(chosen, candidates)
        if self.on_text is not None:
            if not self._live(1):
                self.on_text(chosen.text)
            elif chosen.text != candidates[0].draft.text:
                self.on_text(CORRECTION + chosen.text)
        return self._reply(chosen, passages, generator)

    def _retrieve(self) -> tuple[str, tuple[Passage, ...]]:
        searcher = self.means.searcher
        if searcher is None or not self.plan.documents or not self.plan.top:
            return "", ()
        self.trace.check()
        start = time.monotonic()
        query = query_of(self.turns)
        try:
            found = searcher.search(query, top=self.plan.top)
        except MetierError as error:
            self.trace.add("note", f"No documents: {error.message}", code=error.code)
            return "", ()
        shown = fitting(found, self.plan.passage_characters)
        self.trace.add(
            "retrieve",
            f"{len(shown)} passages of {searcher.name}.",
            time.monotonic() - start,
            pack=searcher.name,
            digest=searcher.digest,
            query=query,
            passages=[
                {"id": item.id, "trail": list(item.trail), "score": item.score} for item in shown
            ],
        )
        return present(shown), shown

    def _drafts(self, generator: Generator, asked: Sequence[Turn], bench: Bench) -> list[Candidate]:
        """Drafts until one is sound, there are enough, or the budget ends them; at least one."""
        candidates: list[Candidate] = []
        allowed = self._allowed()
        for number in range(1, allowed + 1):
            if candidates and not self.trace.spare():
                break
            try:
                draft = self._generate(
                    generator,
                    asked,
                    self._sampling(number),
                    f"Candidate {number}",
                    live=self._live(number),
                )
            except MetierError as error:
                if not candidates or error.code == "cancelled":
                    raise
                self.trace.add("note", f"No further draft: {error.message}", code=error.code)
                break
            candidates.append(bench.look(number, draft))
            if candidates[-1].sound:
                break
        else:
            if allowed < self.plan.candidates:
                self.trace.end("candidates", f"{allowed} candidates")
        return candidates

    def _repairs(
        self,
        generator: Generator,
        asked: Sequence[Turn],
        bench: Bench,
        candidates: Sequence[Candidate],
    ) -> list[Candidate]:
        """What the base makes of the best candidate when it is shown what is wrong."""
        current = min(candidates, key=lambda one: (one.rank, _wrong(one), one.number))
        repaired: list[Candidate] = []
        for round_ in range(1, self.plan.repairs + 1):
            if current.checked is None or not self.trace.spare():
                break
            why = current.judged.why if current.judged is not None else ""
            request = repair_request(current.files, current.checked.errors, why)
            turns = (*asked, Turn("assistant", current.text), Turn("user", request))
            try:
                draft = self._generate(
                    generator, turns, self.plan.sampling, f"Repair {round_}", live=False
                )
            except MetierError as error:
                if error.code == "cancelled":
                    raise
                self.trace.add("note", f"No repair: {error.message}", code=error.code)
                break
            number = len(candidates) + len(repaired) + 1
            found = bench.look(number, draft, origin="repaired")
            if found.checked is None:
                self.trace.add("note", "The repair holds no code; it is not taken.")
                break
            repaired.append(found)
            self.trace.add(
                "repair",
                f"Round {round_} by {generator.name}: "
                + ("nothing is wrong now." if found.sound else "something is still wrong."),
                by=generator.name,
                candidate=number,
                ok=found.sound,
            )
            if found.sound:
                break
            current = min((current, found), key=lambda one: (one.rank, _wrong(one), -one.number))
        return repaired

    def _generate(
        self,
        generator: Generator,
        turns: Sequence[Turn],
        sampling: Sampling,
        what: str,
        *,
        live: bool,
    ) -> Draft:
        """One draft; what was written so far if the budget's seconds end it."""
        self.trace.check()
        pieces: list[str] = []

        def hear(piece: str) -> None:
            pieces.append(piece)
            if live and self.on_text is not None:
                self.on_text(piece)

        start = time.monotonic()
        try:
            draft = generator.generate(
                turns, self._capped(sampling), on_text=hear, cancelled=self.trace.halted
            )
        except InputError as error:
            if error.code != "cancelled":
                raise
            self.trace.check()
            text = "".join(pieces)
            if not text.strip():
                raise InputError(
                    "The budget of seconds ended before the base had written anything.",
                    code="budget_too_small",
                    remedy="Allow more seconds.",
                ) from error
            draft = Draft(text, tokens_out=-(-len(text) // 4), finish="length")
            draft = replace(draft, extra={"estimated": True})
            self.trace.end("seconds", f"{self.budget.seconds:g} seconds")
        self.trace.count(draft)
        told = {name: value for name, value in draft.extra.items() if name != "reasoning"}
        self.trace.add(
            "generate",
            f"{what} by {generator.name}: {draft.tokens_out} tokens"
            + (", cut off at its length." if draft.finish == "length" else "."),
            time.monotonic() - start,
            base=generator.name,
            tokens_in=draft.tokens_in,
            tokens_out=draft.tokens_out,
            spent=draft.spent,
            finish=draft.finish,
            **told,
        )
        return draft

    def _sampling(self, number: int) -> Sampling:
        """The plan's; further drafts are warmer and, where a seed is set, have the next one."""
        sampling = self.plan.sampling
        if number == 1:
            return sampling
        seed = None if sampling.seed is None else sampling.seed + number - 1
        warm = max(self.plan.further_temperature, sampling.temperature or 0.0)
        return replace(sampling, temperature=warm, seed=seed)

    def _capped(self, sampling: Sampling) -> Sampling:
        left = self.trace.tokens_left
        if left is None:
            return sampling
        return replace(sampling, max_tokens=max(1, min(left, sampling.max_tokens or left)))

    def _allowed(self) -> int:
        """Drafts at most: one where nothing could tell two apart."""
        if not self.plan.tools or not self.means.tools:
            return 1
        limit = self.budget.candidates
        return self.plan.candidates if limit is None else max(1, min(limit, self.plan.candidates))

    def _live(self, number: int) -> bool:
        """Whether a draft is streamed as it is written."""
        unchecked = not self.plan.tools or not self.means.tools
        return number == 1 and (self.plan.first_draft or unchecked)

    def _say_choice(self, chosen: Candidate, candidates: Sequence[Candidate]) -> None:
        if chosen.checked is None:
            why = "nothing in it could be checked"
        elif chosen.judged is not None and chosen.judged.standing == "passed":
            why = "it passes"
        elif chosen.checked.ok:
            why = "nothing wrong was found"
        else:
            why = "none is free of errors"
        self.trace.add(
            "choose",
            f"Candidate {chosen.number} of {len(candidates)}: {why}.",
            candidate=chosen.number,
            of=len(candidates),
            origin=chosen.origin,
            corrected=chosen.text != candidates[0].draft.text,
        )

    def _reply(
        self, chosen: Candidate, passages: tuple[Passage, ...], generator: Generator
    ) -> Reply:
        trace, checked = self.trace, chosen.checked
        # A budget that ended nothing that was still needed is not the reader's matter.
        cut = trace.ended_by and (not chosen.sound or chosen.draft.finish == "length")
        return Reply(
            text=chosen.text,
            files=chosen.files,
            checked=None if checked is None else checked.ok,
            diagnostics=() if checked is None else checked.diagnostics,
            passages=passages,
            trace=trace.steps,
            tokens_in=trace.tokens_in,
            tokens_out=trace.tokens_out,
            seconds=trace.seconds,
            spent=trace.spent,
            base=generator.name,
            finish="budget" if cut else chosen.draft.finish,
            extra=chosen.draft.extra,
        )


def _wrong(candidate: Candidate) -> int:
    return len(candidate.checked.errors) if candidate.checked is not None else 0
