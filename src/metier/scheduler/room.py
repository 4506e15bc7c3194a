"""Who makes room for a load: idle residents first, busy ones when they had their time.

Pure decisions over the residents as they are; the scheduler carries them out under its lock.
"""

from __future__ import annotations

from collections.abc import Sequence

from metier.scheduler.holding import Held


def victims_for(
    new: Held, residents: Sequence[Held], room: int, models: int | None
) -> list[Held] | None:
    """Idle residents whose memory a load needs, the least recently used first.

    Those that retire go in any case.

    Args:
        new: What is to be loaded.
        residents: All there are; those that are leaving still hold their memory.
        room: Bytes that all together may take.
        models: Workers at most, or ``None``.

    Returns:
        ``None`` if the load does not fit even without all idle residents: somebody must finish
        first.
    """
    idle = sorted(
        (held for held in residents if held.idle),
        key=lambda held: (not held.retiring, held.used),
    )
    victims: list[Held] = []
    while True:
        kept = [held for held in residents if held not in victims]
        count = sum(held.stage != "leaving" for held in kept)
        few = models is None or count < models
        if few and together([*kept, new]) <= room:
            if not (idle and idle[0].retiring):
                return victims
        elif not idle:
            return None
        victims.append(idle.pop(0))


def claim(residents: Sequence[Held], now: float, patience: float) -> float | None:
    """Ask the busy resident that is longest in memory to finish: it takes no new requests.

    Without it a model that is asked all the time would never make room. Nobody is asked while
    another is finishing or leaving.

    Returns:
        Seconds until one may be asked, if all of them were loaded less than ``patience`` ago.
    """
    busy = [held for held in residents if held.stage == "ready" and held.users]
    if not busy or any(held.retiring or held.stage == "leaving" for held in residents):
        return None
    longest = min(busy, key=lambda held: held.ready)
    left = longest.ready + patience - now
    if left > 0:
        return left
    longest.retiring = True
    return None


def together(residents: Sequence[Held]) -> int:
    """Bytes of all of them; mapped files of one base count once."""
    mapped: dict[str, int] = {}
    for held in residents:
        digest = held.residence.weights.digest
        mapped[digest] = max(mapped.get(digest, 0), held.needs.mapped)
    return sum(held.needs.private for held in residents) + sum(mapped.values())
