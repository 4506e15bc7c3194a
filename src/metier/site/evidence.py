"""What a card claims, laid out for a page: evidence rows, score rows, the ladder, warnings.

It turns cards into values that templates print; it writes no HTML but the charts it asks for.
Rows that were not measured are rows too, with the command that would measure them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from metier.card import (
    Abstention,
    Card,
    Difference,
    Evidence,
    OutOfScope,
    Row,
    Rung,
    Verdict,
)
from metier.site import charts, words
from metier.site.values import File, Item

_Role = Literal["specialist", "majority", "base", "general"]
_ROLES: tuple[_Role, ...] = ("specialist", "majority", "base", "general")
_ROLE_WORDS: dict[_Role, str] = {
    "specialist": "this specialist",
    "majority": "majority",
    "base": "base",
    "general": "general",
}
SHOWN_LABELS = 400


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One line of the evidence: against whom, and either a bar with a verdict or a command.

    ``bar`` is SVG of ``charts``; ``None`` where nothing was measured.
    """

    against: str
    rival: str
    bar: str | None = None
    verdict: words.VerdictWords | None = None
    difference: str = ""
    interval: str = ""
    sentence: str = ""
    note: str = ""
    command: str = ""
    result: str | None = None


def key_of(item: Item, *more: str) -> str:
    """An id for HTML that is unique per entry and safe whatever its name holds."""
    name = str(item.reference).encode().hex()
    return "-".join(("s", name, *more))


def shown_differences(card: Card) -> list[Difference]:
    """The differences whose bars are drawn."""
    return [
        item.difference
        for item in card.evidence
        if item.against in ("base", "general", "other") or _only_majority(card)
    ]


def _only_majority(card: Card) -> bool:
    return all(item.against == "majority" for item in card.evidence)


def evidence_rows(
    item: Item, card: Card, domain: charts.Domain, results: Sequence[str] = ()
) -> list[EvidenceRow]:
    """Against its base and against the general model, always; against others where measured."""
    name = item.reference.familiar
    rows = []
    for against in ("base", "general"):
        measured = card.against(against)
        if measured is not None:
            rows.append(_measured(item, measured, domain, against, results))
        else:
            rows.append(_not_measured(name, card, against))
    for number, measured in enumerate(card.evidence):
        if measured.against == "other" or (measured.against == "majority" and _only_majority(card)):
            rows.append(_measured(item, measured, domain, f"{measured.against}{number}", results))
    return rows


def _measured(
    item: Item, measured: Evidence, domain: charts.Domain, key: str, results: Sequence[str]
) -> EvidenceRow:
    rival = words.RIVALS[measured.against]
    role = measured.against
    return EvidenceRow(
        against=f"against {rival}",
        rival=words.clip(measured.rival_name, 80),
        bar=charts.evidence_bar(
            measured.difference, domain=domain, key=key_of(item, key), against=rival
        ),
        verdict=words.VERDICTS[measured.difference.verdict],
        difference=words.points(measured.difference.difference, signed=True),
        interval=words.interval_words(measured.difference),
        sentence=_small_print(measured),
        note=_without_leaks(measured),
        command=words.clip(measured.command, 300),
        result=result_address(item, role) if role in results else None,
    )


def _small_print(measured: Evidence) -> str:
    difference = measured.difference
    if difference.verdict is Verdict.UNDERPOWERED or difference.small:
        return words.sentence(measured)
    return f"{words.plural(difference.n, 'question')}, {words.date(measured.date)}"


def _without_leaks(measured: Evidence) -> str:
    rest = measured.without_leaks
    if rest is None:
        return ""
    return (
        f"Without the leaked items: {words.points(rest.difference, signed=True)} points "
        f"({words.interval_words(rest)}), {words.VERDICTS[rest.verdict].word}."
    )


def _not_measured(name: str, card: Card, against: str) -> EvidenceRow:
    row = next((row for row in card.rows if row.role == against), None)
    if card.task == "classify-image":
        command, note = "", ""
    elif against == "general":
        command = f"metier eval {name} --on EVAL --against general"
        note = "Name one with METIER_GENERAL_URL and METIER_GENERAL_MODEL first, or pull one."
    else:
        command, note = f"metier eval {name} --on EVAL --against base", ""
    return EvidenceRow(
        against=f"against {words.RIVALS[against]}",
        rival=words.NOT_MEASURED,
        note=words.reason(row.note) if row is not None and row.note else note,
        command=words.clip(row.command, 300) if row is not None and row.command else command,
    )


def result_address(item: Item, role: str) -> str:
    """Where the result of one role is read."""
    return f"/metier/v1/specialists/{item.reference.familiar}/results/{role}"


def roles(files: Sequence[File]) -> list[str]:
    """The roles that have a result among ``files``."""
    return [
        file.filepath.removeprefix("results/").removesuffix(".jsonl")
        for file in files
        if file.filepath.startswith("results/") and file.filepath.endswith(".jsonl")
    ]


def score_rows(item: Item, card: Card, results: Sequence[str]) -> list[dict[str, Any]]:
    """The rows that are always shown: the specialist, majority, base, general."""
    by_role = {row.role: row for row in card.rows}
    rows = []
    for role in _ROLES:
        row = by_role.get(role) or Row(role=role, name=_ROLE_WORDS[role])
        score = row.score
        if role == "specialist" and score is None:
            score = card.accuracy()
        rows.append(
            {
                "role": _ROLE_WORDS[role],
                "name": words.clip(row.name, 80),
                "score": words.score_words(score),
                "measured": score is not None,
                "n": words.count(score.n) if score is not None else "",
                "unscored": score.unscored if score is not None else 0,
                "cost": _cost(row),
                "note": words.reason(row.note),
                "command": words.clip(row.command, 300) if row.command else "",
                "result": result_address(item, role) if role in results else None,
            }
        )
    return rows


def _cost(row: Row) -> str:
    facts = []
    if row.cost.ms_per_text is not None:
        facts.append(words.milliseconds(row.cost.ms_per_text))
    if row.cost.price_per_million_tokens is not None:
        facts.append(f"{words.few(row.cost.price_per_million_tokens)} per million tokens")
    if row.cost.spent is not None:
        facts.append(f"{words.few(row.cost.spent)} spent")
    return ", ".join(facts)


def ladder_rows(rungs: Sequence[Rung]) -> list[dict[str, Any]]:
    """One row per rung, from cheap to dear, numbered as in the plot."""
    return [
        {
            "number": number,
            "key": words.clip(rung.name, 60),
            "title": words.clip(rung.title, 80),
            "quality": words.score_words(rung.accuracy),
            "bar": charts.probability_bar(rung.accuracy.value) if rung.accuracy else "",
            "speed": words.milliseconds(rung.ms_per_text),
            "size": words.rung_size(rung),
            "made": words.duration(rung.seconds),
            "measured": rung.accuracy is not None,
            "state": rung.state,
            "why": words.clip(rung.why, 300),
        }
        for number, rung in enumerate(rungs, 1)
    ]


def curve_rows(card: Card) -> list[dict[str, str]]:
    """The curve's numbers, for the table behind it."""
    if card.curve is None:
        return []
    return [
        {
            "per_class": words.count(point.per_class),
            "labels": words.count(point.labels),
            "mean": words.percent(point.mean),
            "range": f"{words.points(point.low)} to {words.points(point.high)}",
            "draws": str(point.draws),
        }
        for point in sorted(card.curve.points, key=lambda point: point.per_class)
    ]


def trust_sentences(card: Card) -> list[str]:
    """Calibration, abstention and out-of-scope in words."""
    sentences = []
    if card.calibration is not None:
        error = card.calibration.expected_calibration_error
        sentences.append(
            f"Its probabilities are off by {words.points(error)} points on average "
            f"(expected calibration error, {words.plural(card.calibration.n, 'unseen row')})."
        )
    if card.abstention is not None:
        sentences.append(_abstention_sentence(card.abstention, words.asked(card)))
    if card.out_of_scope is not None:
        sentences.append(_scope_sentence(card.out_of_scope, words.asked(card)))
    return sentences


def _abstention_sentence(part: Abstention, what: str) -> str:
    right = words.percent(part.accuracy)
    if part.coverage >= 1.0:
        return (
            f"It never abstains for being unsure: {right} of all its answers are right "
            f"({words.plural(part.n, 'unseen row')}; the aim was "
            f"{words.percent(part.target_accuracy)})."
        )
    return (
        f"It abstains when its best probability is below {part.threshold:.2f}: then it answers "
        f"{words.percent(part.coverage)} of {what}s and {right} of those "
        f"answers are right ({words.plural(part.n, 'unseen row')}; "
        f"the aim was {words.percent(part.target_accuracy)})."
    )


def _scope_sentence(part: OutOfScope, what: str) -> str:
    if part.auroc is None or part.recall is None:
        return (
            f"It marks {what}s that look unlike everything it was made for; how many it finds was "
            f"not measured, because the eval has no such {what}s."
        )
    return (
        f"Of {what}s that belong to no label it finds {words.percent(part.recall)} while it turns "
        f"away {words.percent(part.false_alarms)} of the others (AUROC {part.auroc:.3f}, "
        f"{words.count(part.n_out)} outside, {words.count(part.n_in)} inside)."
    )


def leak_sentence(card: Card) -> str:
    """What the leak gate found, in one sentence."""
    report = card.leaks
    if not report.leaked:
        text = (
            f"None of the {words.plural(report.eval_items, 'eval item')} is in the training rows."
        )
    else:
        kinds = words.listed(
            [f"{words.count(n)} {words.clip(kind, 40)}" for kind, n in report.by_kind.items() if n]
        )
        text = (
            f"{words.count(report.leaked)} of {words.plural(report.eval_items, 'eval item')} "
            f"({words.percent(report.share)}) are in the training rows as well: {kinds}."
        )
    if report.blocks_win:
        text += " More than 1\u202f% leaked, so no WIN can be given."
    return text
