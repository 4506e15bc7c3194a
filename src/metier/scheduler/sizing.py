"""How much memory a model takes, and how much context it gets: pure arithmetic.

It knows bytes and tokens, no file and no machine. The sizes are estimates before a load: weights
as they lie on the disk, the cache of keys and values by the model's own dimensions, buffers by
its vocabulary and width.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from metier.errors import UnavailableError
from metier.generating import Loading

STEP = 256
"""Contexts are multiples of it: llama.cpp pads its cache to as many tokens."""
LEAST_CONTEXT = 4096
"""Tokens that every model gets where they fit, or what it was trained for if that is less."""
MOST_UNASKED = 8192
"""Tokens that a model gets at most when nobody names a number: a cache takes its memory and the
time to clear it whether it is used or not. A longer prompt loads the model again with more."""
CACHE_SHARE = 0.5
"""Of the memory beside the weights: what the cache takes when nobody names a number."""
SLOTS = 4
"""Requests that a worker answers side by side where memory allows."""
BATCH = 512
"""Tokens that are processed at once (llama.cpp's micro batch)."""
MARGIN = 64 << 20
"""Bytes for the process itself: interpreter, library, vocabulary."""
MARGIN_SHARE = 0.02
"""Of the weights: tables and buffers that grow with a model."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the memory of one model follows from.

    Attributes:
        weights: Bytes of its files that may be mapped: weights and projector.
        adapters: Bytes of the adapters that it is started with, which are read.
        trained: Tokens of context that it was trained for; 0 if not known.
        cache: Bytes of the cache of keys and values per token; 0 for models without one.
        scratch: Bytes of buffers while computing.
        slots: Requests side by side at most; 1 for models that embed or rank.
    """

    weights: int
    adapters: int = 0
    trained: int = 0
    cache: int = 0
    scratch: int = 0
    slots: int = SLOTS


@dataclass(frozen=True, slots=True)
class Needs:
    """Bytes that a resident takes: ``mapped`` ones are shared between workers of one base."""

    mapped: int
    private: int

    @property
    def total(self) -> int:
        """Both."""
        return self.mapped + self.private


@dataclass(frozen=True, slots=True)
class Sized:
    """A loading with its context and slots filled in, and what it takes."""

    loading: Loading
    needs: Needs


def sized(shape: Shape, loading: Loading, room: int) -> Sized:
    """Give a model its context and slots.

    A context that the caller names is kept (at most what the model was trained for); slots are
    given up for it, down to one. Where none is named the cache gets half of the room that the
    weights leave, at least 4,096 tokens where they fit, at most 8,192.

    Args:
        shape: The model's.
        loading: What the caller wants.
        room: Bytes that all models together may take.

    Raises:
        UnavailableError: It does not fit (code ``no_memory``); both numbers are named.
    """
    fixed = _fixed(shape)
    spare = room - fixed
    most = _down(shape.trained) if shape.trained else None
    asked = loading.num_ctx
    if asked is not None and asked > 0:
        context = _up(asked) if most is None else min(_up(asked), most)
        slots = _slots_for(shape, loading, context, spare)
        if slots is None:
            raise _no_memory(shape, context, fixed, room, asked=True)
    else:
        context, slots = _chosen(shape, loading, spare, most)
        if context == 0:
            least = min(LEAST_CONTEXT, most or LEAST_CONTEXT)
            raise _no_memory(shape, least, fixed, room, asked=False)
    mapped = 0 if loading.use_mmap is False else shape.weights
    cache = context * slots * shape.cache
    needs = Needs(mapped=mapped, private=fixed - mapped + cache)
    return Sized(replace(loading, num_ctx=context, slots=slots), needs)


def scratch_bytes(vocabulary: int, width: int, hidden: int, *, batch: int = BATCH) -> int:
    """Bytes of the buffers that one batch needs: its logits, and a few layers' activations."""
    return batch * 4 * (vocabulary + 6 * width + 2 * hidden)


def gibibytes(count: int) -> str:
    """A number of bytes as people read it."""
    if count < 1 << 30:
        return f"{max(count, 0) / (1 << 20):.0f} MiB"
    return f"{count / (1 << 30):.1f} GiB"


def _fixed(shape: Shape) -> int:
    margin = MARGIN + int(shape.weights * MARGIN_SHARE)
    return shape.weights + shape.adapters + shape.scratch + margin


def _chosen(shape: Shape, loading: Loading, spare: int, most: int | None) -> tuple[int, int]:
    """Context and slots where nobody named a context; context 0 if nothing fits."""
    highest = min(most or LEAST_CONTEXT, MOST_UNASKED)
    least = min(LEAST_CONTEXT, highest)
    counts = _counts(shape, loading)
    if spare < 0:
        return 0, 1
    if shape.cache == 0:
        return highest, counts[0]
    for slots in counts:
        context = min(highest, _down(int(spare * CACHE_SHARE) // (slots * shape.cache)))
        if context >= least:
            return context, slots
    for slots in counts:
        if slots * least * shape.cache <= spare:
            return least, slots
    tokens = spare // shape.cache
    return (0, 1) if tokens < STEP else (min(least, _down(tokens)), 1)


def _slots_for(shape: Shape, loading: Loading, context: int, spare: int) -> int | None:
    return next(
        (slots for slots in _counts(shape, loading) if context * slots * shape.cache <= spare),
        None,
    )


def _counts(shape: Shape, loading: Loading) -> list[int]:
    """Numbers of slots to try, the most first."""
    most = max(1, loading.slots or shape.slots)
    counts = []
    while most > 1:
        counts.append(most)
        most //= 2
    return [*counts, 1]


def _down(tokens: int) -> int:
    return tokens if tokens < STEP else tokens // STEP * STEP


def _up(tokens: int) -> int:
    return -(-tokens // STEP) * STEP


def _no_memory(
    shape: Shape, context: int, fixed: int, room: int, *, asked: bool
) -> UnavailableError:
    cache = context * shape.cache
    wanted = fixed + cache
    fits = (room - fixed) // shape.cache if shape.cache else 0
    if asked and fits >= STEP:
        remedy = f"Ask for a num_ctx of at most {_down(fits)}, or set METIER_MEMORY higher."
    else:
        remedy = (
            "Take a smaller quantisation or a smaller model, end other programs, or set "
            "METIER_MEMORY higher."
        )
    return UnavailableError(
        f"The model needs about {gibibytes(wanted)} ({gibibytes(fixed)} without context, "
        f"{gibibytes(cache)} for {context} tokens); {gibibytes(room)} are at hand for models.",
        code="no_memory",
        remedy=remedy,
        details={"needed_bytes": wanted, "at_hand_bytes": max(room, 0), "context": context},
    )
