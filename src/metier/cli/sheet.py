"""The card on one screen: what was chosen and why, what it has proved, and the next command.

It lays out a ``Card``; the pieces are drawn by ``verdicts``, ``charts`` and ``ladder``. It computes
no figure that the card does not have.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Literal

from rich.text import Text

from metier.card import Card, Evidence, LeakReport, Row, Score, Verdict
from metier.cli.charts import curve_chart
from metier.cli.ladder import ladder_lines
from metier.cli.terminal import Line, Signs, aligned, beside, shortened, shown_text, wrapped
from metier.cli.verdicts import Comparison, evidence_bars
from metier.cli.wording import (
    NOT_MEASURED,
    count,
    counted,
    date,
    duration,
    milliseconds,
    percent,
    points,
    size,
    span,
    underpowered,
)

Role = Literal["specialist", "majority", "base", "general"]
_ORDER: tuple[Role, ...] = ("specialist", "majority", "base", "general")
_COMPARED: tuple[Role, ...] = ("base", "general")

_PROSE = 92


def card_lines(card: Card, width: int, signs: Signs, *, name: str) -> list[Text]:
    """The ladder and the card.

    Args:
        card: What to show.
        width: Columns to lay out in.
        signs: The characters to draw with.
        name: The installed name, as people type it.
    """
    lines = [*_heading(card, width, name), Text()]
    lines += [*_rows(card, width, signs), Text()]
    lines += [*_evidence(card, width, signs), Text()]
    facts = _facts(card)
    lines += beside(facts, _chart(card, signs, width - max(line.cell_len for line in facts)), width)
    lines += [line for sentence in _closing(card) for line in wrapped(sentence, min(width, _PROSE))]
    return [*lines, _next(name, card)]


def with_ladder(card: Card, width: int, signs: Signs, *, name: str) -> list[Text]:
    """The ladder as it was climbed, then the card on the last screen."""
    ladder = [shortened(line, width, signs) for line in ladder_lines(card.ladder, signs)]
    return [*ladder, Text(), *card_lines(card, width, signs, name=name)]


def evidence_lines(evidence: Sequence[Evidence], width: int, signs: Signs) -> list[Text]:
    """Comparisons that were just made: the bars and what could not be proved."""
    return [*bar_lines(evidence, width, signs), *_unproved(evidence, width)]


def bar_lines(evidence: Sequence[Evidence], width: int, signs: Signs) -> list[Text]:
    """Comparisons as bars alone."""
    rows = [Comparison(_rival(item), item.difference) for item in evidence]
    return evidence_bars(rows, width, signs)


def _rival(evidence: Evidence) -> str:
    named = evidence.against in ("other", "majority")
    return shown_text(evidence.rival_name) if named else evidence.against


def _heading(card: Card, width: int, name: str) -> list[Text]:
    facts = [
        counted(len(card.labels), "label"),
        f"{counted(card.data.train_rows, 'example')}",
        f"made {date(card.made)} in {duration(card.seconds)}",
    ]
    title = Text(name, style="bold") + Text(f"  {card.task}, {', '.join(facts)}")
    chosen = next((rung for rung in card.ladder if rung.state == "chosen"), None)
    rung = chosen.title if chosen else card.rung
    undecided = "" if card.decided else "Not decided: the data are too few to rank the rungs. "
    return [title, *wrapped(f"Chosen: {rung}. {undecided}{card.why}", min(width, _PROSE))]


def _rows(card: Card, width: int, signs: Signs) -> list[Text]:
    header: list[Line] = [
        Text(cell, style="dim") for cell in ("", "accuracy", "95 % interval", "ms/text", "size")
    ]
    score = card.accuracy()
    if score is not None:
        header.append(Text(f"on {counted(score.n, 'sealed question')}", style="dim"))
    table: list[list[Line]] = [header]
    given = {row.role: row for row in card.rows}
    for role in _ORDER:
        row = given.get(role)
        if row is not None and row.score is not None:
            table.append(_row_cells(row, row.score)[: len(header)])
    lines = aligned(table, "lrlrrl"[: len(header)], indent=2)
    return [shortened(line, width, signs) for line in lines]


def _row_cells(row: Row, score: Score) -> list[Line]:
    ours = row.role == "specialist"
    title = "this" if ours else row.role
    interval = span(score.interval) if score.interval else ""
    speed = "" if row.cost.ms_per_text is None else milliseconds(row.cost.ms_per_text)
    held = row.cost.size_bytes or row.cost.shared_bytes
    weight = size(held) if held else ""
    note = "" if ours else _short_name(row)
    style = "bold" if ours else ""
    return [
        Text(title, style=style),
        Text(percent(score.value), style=style),
        interval,
        speed,
        weight,
        Text(note, style="dim"),
    ]


def _short_name(row: Row) -> str:
    price = row.cost.price_per_million_tokens
    return row.name if price is None else f"{row.name}, {price:g} per million tokens"


def _evidence(card: Card, width: int, signs: Signs) -> list[Text]:
    given = {row.role: row for row in card.rows}
    rows = []
    for role in _COMPARED:
        evidence = card.against(role)
        note = _why_not(given.get(role), width - 9)
        rows.append(Comparison(role, evidence.difference if evidence else None, note))
    lines = evidence_bars(rows, width, signs)
    measured = [item for item in (card.against(role) for role in _COMPARED) if item is not None]
    lines += _unproved(measured, width)
    for item in measured:
        if item.without_leaks is not None:
            rest = item.without_leaks
            lines.append(
                Text(
                    f"Without leaked questions against {item.against}: "
                    f"{points(rest.difference)} ({span(rest.interval, signed=True)}), "
                    f"{rest.verdict.value}."
                )
            )
    return lines


def _why_not(row: Row | None, width: int) -> str:
    """Why there is no comparison and the command that makes it, on two lines if need be."""
    if row is None:
        return NOT_MEASURED
    note = (row.note or "").removeprefix(f"{NOT_MEASURED}: ")
    told = f"{NOT_MEASURED}: {note}" if note else NOT_MEASURED
    if not row.command:
        return told
    short = f"{NOT_MEASURED}; measure it: {row.command}"
    if len(short) <= width:
        return short
    command = row.command
    if len(command) > width - 2:
        command = " \\\n    ".join(line.plain for line in wrapped(command, width - 6))
    return f"{told}. Measure it:\n  {command}"


def _unproved(evidence: Sequence[Evidence], width: int) -> list[Text]:
    return [
        line
        for item in evidence
        if item.difference.verdict is Verdict.UNDERPOWERED
        for line in wrapped(f"{_rival(item)}: {underpowered(item.difference)}", width, indent="  ")
    ]


def _facts(card: Card) -> list[Text]:
    shared = card.cost.shared_bytes
    weight = size(card.cost.size_bytes) + (f" + {size(shared)} shared" if shared else "")
    facts: list[tuple[str, str]] = [
        ("size", weight),
        ("speed", f"{milliseconds(card.cost.ms_per_text)} ms a {asked(card)}"),
    ]
    if card.calibration is not None:
        error = 100 * card.calibration.expected_calibration_error
        facts.append(("calibration", f"{error:.1f} points off (ECE)"))
    if card.abstention is not None:
        rule = card.abstention
        facts.append(("abstains", f"below {percent(rule.threshold)} sure"))
        facts.append(("", f"answers {percent(rule.coverage)}, {percent(rule.accuracy)} right"))
    if card.out_of_scope is not None and card.out_of_scope.auroc is not None:
        facts.append(("out of scope", f"AUROC {card.out_of_scope.auroc:.3f}"))
    facts.append(("leaks", _leaks(card.leaks)))
    return aligned([[Text(title, style="dim"), text] for title, text in facts], "ll")


def _leaks(report: LeakReport) -> str:
    if report.leaked == 0:
        return "none found"
    dropped = f", {count(report.dropped)} rows dropped" if report.dropped else ""
    return f"{count(report.leaked)} questions, {percent(report.share)}{dropped}"


def _chart(card: Card, signs: Signs, width: int) -> list[Text]:
    if card.curve is None:
        return []
    return curve_chart(card.curve, _rival_levels(card), signs, width=min(46, max(30, width - 3)))


def _rival_levels(card: Card) -> Mapping[str, float]:
    return {
        row.role: row.score.value
        for row in card.rows
        if row.role in _COMPARED and row.score is not None
    }


def _closing(card: Card) -> list[str]:
    sentences = []
    if card.leaks.blocks_win:
        sentences.append(
            "No WIN can be given: more than 1 % of the eval is in the training rows. "
            "Make it again with --drop-leaks."
        )
    if card.curve is not None:
        sentences += [crossing.sentence for crossing in card.curve.crossovers]
    return [*sentences, *card.notes]


def _next(name: str, card: Card) -> Text:
    given = "--image FILE" if asked(card) == "picture" else '"your text"'
    return Text("Run it:  ") + Text(f"metier run {shlex.quote(name)} {given}", style="bold")


def asked(card: Card) -> str:
    """What a classifier is given: a text or a picture."""
    return "picture" if card.task == "classify-image" else "text"
