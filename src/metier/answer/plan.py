"""How a specialist answers, with what, and how much it may take: three frozen values.

They say; they do nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from metier.coding import Tool
from metier.conversing import Generator, Sampling, Searcher
from metier.errors import InputError

MOST_CANDIDATES = 100
MOST_REPAIRS = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """What a specialist says of how it answers.

    Attributes:
        prompt: System prompt; a caller's own system turn follows it.
        candidates: Drafts at most; the first that checks ends drafting.
        repairs: Rounds in which the base is shown what is wrong, at most.
        mend: Whether the tool's deterministic repairs are tried first.
        documents: Whether passages are searched and shown to the base.
        tools: Whether answers are checked.
        top: Passages at most.
        passage_characters: Characters of all passages together (about four a token).
        sampling: How to generate; a caller's sampling overlays it.
        further_temperature: Least temperature of the second and further drafts: at the first
            one's temperature a service may write the same again.
        first_draft: Stream the first draft at once, and the correction after it, instead of the
            accepted answer alone.
    """

    prompt: str = ""
    candidates: int = 1
    repairs: int = 1
    mend: bool = True
    documents: bool = True
    tools: bool = True
    top: int = 5
    passage_characters: int = 12_000
    sampling: Sampling = field(default_factory=Sampling)
    further_temperature: float = 0.8
    first_draft: bool = False

    def __post_init__(self) -> None:
        limits = (
            ("candidates", self.candidates, 1, MOST_CANDIDATES),
            ("repairs", self.repairs, 0, MOST_REPAIRS),
            ("top", self.top, 0, 100),
            ("passage_characters", self.passage_characters, 0, 1_000_000),
        )
        for name, value, least, most in limits:
            if not least <= value <= most:
                raise InputError(
                    f"A plan's {name} is {value}; it must be from {least} to {most:,}.",
                    code="bad_plan",
                )


@dataclass(frozen=True, slots=True)
class Budget:
    """What one answer may take; ``None`` is no limit. What there is then is the answer.

    Attributes:
        tokens: Of all prompts, drafts and repairs together.
        seconds: Wall seconds.
        candidates: Drafts, fewer than the plan's.
    """

    tokens: int | None = None
    seconds: float | None = None
    candidates: int | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What an answer is made with; every part may be missing.

    Attributes:
        generator: The base that writes.
        searcher: The document pack.
        tools: What checks; the first that finds its kind of code in an answer does.
        bases: Lines that say which bases to get, best evidence first; shown without a generator.
        evaluating: Whether an eval asks. Only an eval may use a base that is not servable.
    """

    generator: Generator | None = None
    searcher: Searcher | None = None
    tools: tuple[Tool, ...] = ()
    bases: tuple[str, ...] = ()
    evaluating: bool = False


def overlaid(plan: Sampling, given: Sampling | None) -> Sampling:
    """The plan's sampling with what a caller gave in its place."""
    if given is None:
        return plan
    names = ("temperature", "top_p", "max_tokens", "seed")
    values = {name: value for name in names if (value := getattr(given, name)) is not None}
    return replace(
        plan, **values, stop=given.stop or plan.stop, extra={**plan.extra, **given.extra}
    )
