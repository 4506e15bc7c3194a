"""Sequential halving on shared questions: the best of many, for few questions.

It knows names, costs and outcomes between 0 and 1; it knows no model, no text, no file and no
clock. Whoever calls it asks the questions. The same answers and the same seed give the same
search, so a search that was interrupted is repeated from its answers.

Sources. Sequential halving: Karnin, Koren and Somekh 2013, "Almost Optimal Exploration in
Multi-Armed Bandits", algorithm 3. Survivors answer the *same* questions, so that the difficulty
of a question falls out of every comparison, and many are eliminated early: Kahana, Horwitz and
Hoshen 2026, "Discovering Hidden Gems in Model Repositories" (arXiv 2601.22157, abstract: "shared
query sets and aggressive elimination schedules"). Ours are: that answers are kept from round to
round, that the first round gets twice the share of a later one, how missing outcomes and ties are
treated, and the untouched questions at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from metier.card import Difference
from metier.stats.clusters import Clusters, cluster_codes
from metier.stats.exact import sign_flip_p
from metier.stats.paired import paired_difference
from metier.stats.searched import (
    Ask,
    Contender,
    End,
    Final,
    Plan,
    Round,
    Rules,
    Search,
    Share,
    Standing,
    Why,
)
from metier.stats.shares import share_interval

Floats = NDArray[np.float64]

FIRST_SHARE = 2.0
"""What the first round gets, against 1 of every later one."""
KEPT = 0.5
"""Share of the candidates that stay after a round."""
RESERVED = 1.0 / 3.0
"""Share of the items that no round may touch."""
FINAL_SHARE = 0.25
"""Share of the budget that is kept for the untouched items."""
LEAST_ITEMS = 6
"""Items below which nothing is left to search on and to score again on."""
LEAST_FIRST = 3
"""Questions of the first round below which a candidate is dropped by a coin, not by its answers."""
LEAST_SCORED = 0.5
"""Share of its questions that a candidate must have outcomes of, to be judged."""
LEVEL_SHARE = 0.25
"""How many more than planned stay because they stand level with the last that does."""
_SAME = 1e-9


def plan(contenders: Sequence[Contender], items: int, rules: Rules) -> Plan:
    """How many questions a budget gives to whom.

    Args:
        contenders: One or more, of different names. One is only scored, since nothing is searched.
        items: How many there are.
        rules: Budget, seed, clusters, reference.

    Raises:
        ValueError: Fewer than ``LEAST_ITEMS`` items, no contender, names that repeat, a reference
            that is none of them, a budget or a cost that is not above 0, one cluster only.
    """
    names = [one.name for one in contenders]
    if not names or len(set(names)) != len(names):
        raise ValueError("there must be contenders, each with a name of its own")
    if rules.reference is not None and rules.reference not in names:
        raise ValueError("the reference must be one of the contenders")
    if items < LEAST_ITEMS:
        raise ValueError(f"{items} items are too few to search on some and score on others")
    if not rules.budget > 0.0 or not all(one.cost > 0.0 for one in contenders):
        raise ValueError("budget and costs must lie above 0")
    order, pool = _parted(items, rules.seed, rules.clusters)
    if len(names) == 1:
        return Plan(order, 0, min(items, int(rules.budget / contenders[0].cost)), 0, 0)
    finalists = min(len(names), 2 + (rules.reference is not None))
    dearest = sum(sorted((one.cost for one in contenders), reverse=True)[:finalists])
    final = max(1, min(items - pool, int(FINAL_SHARE * rules.budget / dearest)))
    count = len(_shrinking(len(names)))
    left = rules.budget - final * dearest
    first = _affordable(left, 0, count, sum(one.cost for one in contenders))
    return Plan(order, pool, final, max(0, min(pool, first)), count)


def least_budget(contenders: Sequence[Contender]) -> float:
    """The budget below which a search would drop candidates by chance.

    It gives ``LEAST_FIRST`` questions to everybody in the first round.
    """
    count = len(_shrinking(len(contenders)))
    total = sum(one.cost for one in contenders)
    weights = FIRST_SHARE + max(0, count - 1)
    return LEAST_FIRST * total * weights / FIRST_SHARE / (1.0 - FINAL_SHARE)


def halve(
    contenders: Sequence[Contender],
    items: int,
    ask: Ask,
    rules: Rules,
    *,
    on_round: Callable[[Round], None] | None = None,
) -> Search:
    """Search for the best contender.

    Every survivor answers the same questions, old answers count on, and after each round the
    lower half leaves. Who stands level with the last that stays, stays too, up to a quarter more;
    beyond that, and for the last place, the lighter stays, then the first by name, and the
    standing says so. Before the winner is returned it is scored on items that chose nobody,
    beside the runner-up and the reference.

    Args:
        contenders: One or more, of different names.
        items: How many there are.
        ask: Called with a name and positions; what it raises ends the search.
        rules: Budget, seed, clusters, reference and margin.
        on_round: Told each round when it is over.

    Raises:
        ValueError: See ``plan``, or ``ask`` gave another number of outcomes than it was asked for.
    """
    planned = plan(contenders, items, rules)
    table = _Table(contenders, items, ask, rules.clusters)
    rounds: tuple[Round, ...] = ()
    end: End = "settled"
    winner: str | None = contenders[0].name
    if len(contenders) > 1:
        rounds, end = _rounds(table, planned, rules, on_round)
        winner = next(iter(rounds[-1].kept), None)
    runner_up = _runner_up(rounds, winner)
    final = None
    if winner is not None:
        rivals = [name for name in (runner_up, rules.reference) if name not in (None, winner)]
        entrants = [winner, *dict.fromkeys(str(name) for name in rivals)]
        final = _final(table, planned, entrants, rules)
    return Search(
        winner=winner,
        runner_up=runner_up,
        reference=rules.reference,
        rounds=rounds,
        final=final,
        end=end,
        level=_level(rounds[-1], winner) if rounds else (),
        spent=table.spent,
        asked=table.asked,
        exhaustive=len(contenders) * items,
        seed=rules.seed,
    )


class _Table:
    """Outcomes so far, a row for each contender; not a number where there is none."""

    def __init__(
        self, contenders: Sequence[Contender], items: int, ask: Ask, clusters: Clusters | None
    ) -> None:
        self.contenders = {one.name: one for one in contenders}
        self._rows = {one.name: number for number, one in enumerate(contenders)}
        self._ask = ask
        self._codes = cluster_codes(clusters, items)[0]
        self._outcomes = np.full((len(contenders), items), np.nan)
        self._answers = dict.fromkeys(self._rows, 0)
        self._costs = dict.fromkeys(self._rows, 0.0)

    @property
    def spent(self) -> float:
        return sum(self._costs.values())

    @property
    def asked(self) -> int:
        return sum(self._answers.values())

    def cost(self, name: str) -> float:
        """Of one answer: as it was so far, or as it is expected."""
        answers = self._answers[name]
        return self._costs[name] / answers if answers else self.contenders[name].cost

    def put(self, name: str, positions: Sequence[int]) -> float:
        """Ask one contender; returns what it cost."""
        asked = self._ask(name, positions)
        if len(asked.outcomes) != len(positions):
            raise ValueError(f"{len(asked.outcomes)} outcomes came for {len(positions)} items")
        row = self._rows[name]
        for position, outcome in zip(positions, asked.outcomes, strict=True):
            if not isinstance(outcome, str):
                if not 0.0 <= outcome <= 1.0:
                    raise ValueError("outcomes must lie between 0 and 1")
                self._outcomes[row, position] = outcome
        cost = len(positions) * self.contenders[name].cost if asked.cost is None else asked.cost
        self._answers[name] += len(positions)
        self._costs[name] += cost
        return cost

    def seen(self, names: Sequence[str], positions: Sequence[int]) -> Floats:
        """Outcomes, shape (names, positions)."""
        return self._outcomes[np.ix_([self._rows[name] for name in names], list(positions))]

    def p_value(self, gaps: Floats, positions: Sequence[int]) -> float:
        """Of "no difference", from paired differences; not a number where one is missing."""
        there = np.isfinite(gaps)
        codes = self._codes[list(positions)][there]
        return sign_flip_p(np.bincount(codes, weights=gaps[there]))


def _rounds(
    table: _Table, planned: Plan, rules: Rules, on_round: Callable[[Round], None] | None
) -> tuple[tuple[Round, ...], End]:
    alive = list(table.contenders)
    found: list[Round] = []
    asked = 0
    while True:
        targets = _shrinking(len(alive))
        reserve = planned.final * _final_cost(table, alive, rules.reference)
        fresh = _affordable(
            rules.budget - table.spent - reserve,
            len(found),
            max(1, len(targets)),
            sum(table.cost(name) for name in alive),
        )
        fresh = min(fresh, planned.pool - asked)
        if not found:
            fresh = max(1, fresh)
        new = planned.order[asked : asked + max(0, fresh)]
        cost = sum(table.put(name, new) for name in alive) if new else 0.0
        asked += len(new)
        # Without fresh questions another round could only repeat the last one.
        out_of_items = asked >= planned.pool
        target = 1 if not new or out_of_items or not targets else targets[0]
        standings = _stand(table, alive, planned.order[:asked], target)
        found.append(Round(len(found) + 1, new, asked, standings, cost))
        if on_round is not None:
            on_round(found[-1])
        alive = list(found[-1].kept)
        if not alive:
            return tuple(found), "unscored"
        if len(alive) == 1:
            cut_short = target == 1 and len(targets) > 1
            end: End = "settled"
            if cut_short:
                end = "items" if out_of_items else "budget"
            return tuple(found), end


def _stand(
    table: _Table, names: Sequence[str], positions: Sequence[int], keep: int
) -> tuple[Standing, ...]:
    """Everybody's standing on the questions so far, best first, with who goes on."""
    outcomes = table.seen(names, positions)
    scored = np.isfinite(outcomes).sum(axis=1)
    scores = _allowed(outcomes)
    enough = scored >= max(1.0, LEAST_SCORED * len(positions))
    order = sorted(
        range(len(names)),
        key=lambda one: (
            not enough[one],
            -round(float(scores[one]), 9) if enough[one] else 0.0,
            table.contenders[names[one]].weight,
            names[one],
        ),
    )
    judged = [one for one in order if enough[one]]
    kept = _kept([float(scores[one]) for one in judged], keep)
    found = []
    for place, one in enumerate(order):
        behind, p_value = 0.0, None
        if place and enough[one]:
            gap = outcomes[order[0]] - outcomes[one]
            behind = float(np.nanmean(gap)) if np.isfinite(gap).any() else 0.0
            p_value = table.p_value(gap, positions)
        stays = bool(enough[one]) and place < kept
        why: Why = ""
        if not enough[one]:
            why = "unscored"
        elif not stays:
            last = judged[kept - 1]
            why = "behind"
            if abs(float(scores[one] - scores[last])) <= _SAME:
                mine, others = (table.contenders[names[who]].weight for who in (one, last))
                why = "cost" if mine > others else "name"
        score = float(scores[one]) if scored[one] else None
        found.append(Standing(names[one], score, int(scored[one]), behind, p_value, stays, why))
    return tuple(found)


def _kept(scores: Sequence[float], keep: int) -> int:
    """How many of the judged, best first, go on: ties with the last of them too, to a limit."""
    keep = min(keep, len(scores))
    if keep <= 1:
        return keep
    limit = min(keep + math.ceil(LEVEL_SHARE * keep), len(scores) - 1)
    kept = keep
    while kept < limit and abs(scores[kept] - scores[keep - 1]) <= _SAME:
        kept += 1
    return kept


def _allowed(outcomes: Floats) -> Floats:
    """Mean outcomes that allow for missing ones: a question's difficulty is taken out first.

    The mean of an outcome's excess over its question's mean, plus the mean of all questions; the
    plain mean where nothing is missing.
    """
    there = np.isfinite(outcomes)
    filled = np.where(there, outcomes, 0.0)
    heard = there.sum(axis=0)
    means = filled.sum(axis=0) / np.maximum(heard, 1)
    excess = np.where(there, outcomes - means, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    overall = float(means[heard > 0].mean()) if (heard > 0).any() else 0.0
    return np.asarray(excess + overall, dtype=np.float64)


def _final(table: _Table, planned: Plan, names: Sequence[str], rules: Rules) -> Final | None:
    """Score the winner and its rivals on items that no round touched."""
    each = sum(table.cost(name) for name in names)
    untouched = planned.order[planned.pool :]
    count = min(len(untouched), int((rules.budget - table.spent) / each + _SAME))
    if count < 1:
        return None
    questions = untouched[:count]
    cost = sum(table.put(name, questions) for name in names)
    outcomes = table.seen(names, questions)
    codes = None if rules.clusters is None else np.asarray(rules.clusters)[list(questions)]
    shares = [share_of(name, row, codes) for name, row in zip(names, outcomes, strict=True)]
    differences: list[Difference | None] = []
    for row in outcomes[1:]:
        both = np.isfinite(outcomes[0]) & np.isfinite(row)
        differences.append(
            paired_difference(
                outcomes[0][both],
                row[both],
                None if codes is None else codes[both],
                margin=rules.margin,
            )
            if both.any()
            else None
        )
    return Final(tuple(questions), shares[0], tuple(shares[1:]), tuple(differences), cost)


def share_of(name: str, outcomes: Floats, clusters: NDArray[np.generic] | None) -> Share:
    """What one came to; outcomes of shape (items,), NaN where unscored; clusters likewise."""
    there = np.isfinite(outcomes)
    scored = outcomes[there]
    missing = int(outcomes.size - scored.size)
    if not scored.size:
        return Share(name, None, None, 0, missing)
    interval = share_interval(scored, None if clusters is None else clusters[there])
    return Share(name, float(scored.mean()), interval, int(scored.size), missing)


def _parted(items: int, seed: int, clusters: Clusters | None) -> tuple[tuple[int, ...], int]:
    """Items in the order of asking, and how many of them the rounds may touch.

    Whole clusters are drawn, so no cluster stands on both sides. One that is too large for its
    side makes that side larger, never empty.
    """
    codes, sizes = cluster_codes(clusters, items)
    drawn = np.random.default_rng(seed).permutation(sizes.size)
    if sizes.size < 2:
        raise ValueError("all items are of one cluster: none would be untouched")
    members: list[list[int]] = [[] for _ in range(sizes.size)]
    for position, code in enumerate(codes.tolist()):
        members[code].append(position)
    wanted = items - max(1, round(RESERVED * items))
    order: list[int] = []
    pool = 0
    for place, cluster in enumerate(drawn.tolist()):
        order += members[cluster]
        if len(order) <= wanted or place == 0:
            pool = len(order)
    if pool == items:
        pool -= len(members[int(drawn[-1])])
    return tuple(order), pool


def _shrinking(count: int) -> list[int]:
    """How many stay after each round, down to one."""
    return list(_halves(count))


def _halves(count: int) -> Iterator[int]:
    while count > 1:
        count = min(count - 1, math.ceil(KEPT * count))
        yield count


def _affordable(left: float, number: int, rounds: int, each: float) -> int:
    """Questions for everybody in a round, when ``left`` is to last for ``rounds`` more."""
    weight = FIRST_SHARE if number == 0 else 1.0
    share = weight / (weight + max(0, rounds - 1))
    return int(left * share / each + _SAME)


def _final_cost(table: _Table, alive: Sequence[str], reference: str | None) -> float:
    """Of one untouched item, if the dearest of the living come to the end."""
    dearest = sorted((table.cost(name) for name in alive), reverse=True)[:2]
    extra = table.cost(reference) if reference is not None and reference not in alive else 0.0
    return sum(dearest) + extra


def _runner_up(rounds: Sequence[Round], winner: str | None) -> str | None:
    """Who stood next to the winner in the last round that had a judged second."""
    for one in reversed(rounds):
        others = [
            item.name for item in one.standings if item.name != winner and item.why != "unscored"
        ]
        if others:
            return others[0]
    return None


def _level(last: Round, winner: str | None) -> tuple[str, ...]:
    best = last.standings[0].score
    return tuple(
        one.name
        for one in last.standings
        if one.name != winner
        and one.why in ("cost", "name")
        and one.score is not None
        and best is not None
        and abs(one.score - best) <= _SAME
    )
