"""``metier find --eval``: candidates tried on one's own examples, shown as rounds and evidence.

It knows options, words and lines; how a search goes is ``Metier.find_by_eval``'s matter. A choice
that lost on the untouched questions ends in exit code 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import click
from rich.text import Text

from metier.cli import terminal
from metier.cli.failures import DID_NOT_PASS, print_json
from metier.cli.interrupting import interruptible
from metier.cli.parameters import complete_names
from metier.cli.progress import working
from metier.cli.session import Session
from metier.cli.sheet import bar_lines
from metier.cli.terminal import Line, Signs, aligned, shortened, shown_text, wrapped
from metier.cli.wording import counted, parse_duration, percent, points
from metier.errors import InputError

if TYPE_CHECKING:
    from metier.examine.tried import Tried
    from metier.stats.searched import Round, Standing

_KEPT = "The answers so far are kept. The same command goes on from there."
_SHOWN = 4
_LEFT_OUT = 8

Command = TypeVar("Command", bound=Callable[..., Any])


class Effort(click.ParamType[tuple[int | None, float | None]]):
    """``200`` questions, or a duration: ``2m``, ``90s``, ``1h``."""

    name = "effort"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int | None, float | None]:
        """Questions and seconds, one of them ``None``."""
        if isinstance(value, tuple):
            return value
        text = str(value).strip().replace(",", "")
        if text.isdigit() and int(text) > 0:
            return int(text), None
        try:
            return None, parse_duration(text)
        except ValueError as error:
            self.fail(f"{error}: write 200 for questions, or 90s, 2m, 1h.", param, ctx)


class EvalChoices(TypedDict):
    """The options of a search by eval as click hands them over."""

    eval_file: Path | None
    candidates: tuple[str, ...]
    budget: tuple[int | None, float | None] | None
    seed: int | None
    against: str | None


def eval_options(command: Command) -> Command:
    """Add the options of a search by eval to a command."""
    for option in reversed(
        (
            click.option(
                "--eval",
                "eval_file",
                type=click.Path(path_type=Path),
                metavar="FILE",
                help="Try candidates on these examples: texts with labels, or questions with "
                "answers.",
            ),
            click.option(
                "--candidate",
                "candidates",
                multiple=True,
                metavar="NAME",
                shell_complete=complete_names,
                help="With --eval, who is tried: a name or remote:NAME; again for more.  "
                "[default: all that can answer]",
            ),
            click.option(
                "--budget",
                type=Effort(),
                metavar="N|TIME",
                help="With --eval, questions in all (200) or time (2m).",
            ),
            click.option(
                "--seed", type=click.IntRange(0), help="With --eval, orders the questions."
            ),
            click.option(
                "--against",
                metavar="NAME",
                help="With --eval, a candidate with which the winner is compared too.",
            ),
        )
    ):
        command = option(command)
    return command


def taken(asked: dict[str, Any]) -> EvalChoices | None:
    """The options of a search by eval, taken out of ``asked``; ``None`` if none was given."""
    choices = EvalChoices(
        eval_file=asked.pop("eval_file"),
        candidates=asked.pop("candidates"),
        budget=asked.pop("budget"),
        seed=asked.pop("seed"),
        against=asked.pop("against"),
    )
    return choices if any(value not in (None, ()) for value in choices.values()) else None


def by_eval(session: Session, choices: EvalChoices, words: Sequence[str], *, as_json: bool) -> int:
    """Run ``find --eval``; the exit code is 1 if the choice lost on the untouched questions.

    Raises:
        InputError: Options without a file, or words beside one (``bad_usage``), and everything
            that ``Metier.find_by_eval`` raises.
    """
    source = choices["eval_file"]
    if source is None:
        raise InputError(
            "--candidate, --budget, --seed and --against are for a search by eval.",
            code="bad_usage",
            remedy="Give examples with --eval FILE.",
        )
    if words:
        raise InputError(
            f"With --eval no words are searched, such as {words[0][:80]!r}.",
            code="bad_usage",
            remedy="Name candidates with --candidate.",
        )
    questions, seconds = choices["budget"] or (None, None)
    metier = session.metier
    try:
        with (
            working(quiet=as_json) as shown,
            interruptible(shown.say, lambda: _KEPT) as cancelled,
        ):
            tried = metier.find_by_eval(
                source,
                candidates=choices["candidates"],
                questions=questions,
                seconds=seconds,
                seed=choices["seed"] or 0,
                against=choices["against"],
                report=shown.report,
                cancelled=cancelled,
            )
    finally:
        metier.close()
    if as_json:
        print_json(tried.to_dict())
    else:
        screen = terminal.stdout()
        screen.write(tried_lines(tried, screen.width, screen.signs))
    return 0 if tried.settled else DID_NOT_PASS


def tried_lines(tried: Tried, width: int, signs: Signs) -> list[Text]:
    """A search: what was recognised, the rounds, the winner with its evidence, the next command."""
    lines = [*_recognised(tried, width), Text()]
    if tried.search.rounds:
        lines += [shortened(line, width, signs) for line in _rounds(tried.search.rounds)]
        lines.append(Text())
    said = tried.sentences()
    lines += [Text(f"{tried.search.winner}", style="bold")]
    if tried.evidence:
        lines += bar_lines(tried.evidence, width, signs)
    for sentence in said:
        lines += wrapped(shown_text(sentence), width, indent="  ")
    for title, rows in (
        ("Not tried", [(one.name, one.why) for one in tried.left_out]),
        ("Failed", list(tried.failures)),
        ("These could be tried too", [(one.name, one.command) for one in tried.others]),
    ):
        if rows:
            lines += [Text(), Text(title, style="dim")]
            for name, why in rows[:_LEFT_OUT]:
                lines += wrapped(shown_text(f"{name}: {why}"), width, indent="    ")
            if len(rows) > _LEFT_OUT:
                lines.append(Text(f"and {len(rows) - _LEFT_OUT} more"))
    return [*lines, Text(), Text(tried.winner.act, style="bold")]


def _recognised(tried: Tried, width: int) -> list[Text]:
    sheet = tried.sheet or {}
    if sheet.get("kind") == "labels":
        what = f"{counted(tried.items, 'text')} with {counted(len(sheet['labels']), 'label')}"
    else:
        what = f"{counted(tried.items, 'question')} with answers"
    columns = f" (columns {sheet['question']}, {sheet['answer']})" if sheet else ""
    told = f"{sheet.get('source', 'The examples')}: {what}{columns}, scored by {tried.scorer}."
    lines = wrapped(shown_text(told), width)
    for note in sheet.get("notes", ()):
        lines += wrapped(shown_text(str(note)), width)
    return lines


def _rounds(rounds: tuple[Round, ...]) -> list[Text]:
    rows: list[list[Line]] = [
        [Text(cell, style="dim") for cell in ("round", "tried", "questions", "best", "dropped")]
    ]
    for one in rounds:
        best = one.standings[0]
        rows.append(
            [
                str(one.number),
                str(len(one.standings)),
                str(one.total),
                best.name if best.score is None else f"{best.name} {percent(best.score)}",
                _dropped([item for item in one.standings if not item.kept]),
            ]
        )
    return aligned(rows, "rrrll", indent=2)


def _dropped(standings: list[Standing]) -> str:
    said = [f"{one.name} ({_why(one)})" for one in standings[:_SHOWN]]
    more = len(standings) - _SHOWN
    return ", ".join(said) + (f" and {more} more" if more > 0 else "")


def _why(one: Standing) -> str:
    if one.why == "unscored":
        return "not scored"
    if one.why == "cost":
        return "level, heavier"
    if one.why == "name":
        return "level, by name"
    return points(-one.behind) + ("" if one.told_apart else ", not told apart")
