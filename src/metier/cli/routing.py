"""``metier route``: who would answer, and why; and logged decisions made again.

It turns words and options into a question to the router and shows the decision. ``metier run
auto`` asks along one; how is decided and who is asked is the façade's matter.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click
from rich.text import Text

from metier.cli import terminal
from metier.cli.documents import to_document
from metier.cli.failures import print_json
from metier.cli.parameters import json_option
from metier.cli.pictures import parted, read_pictures
from metier.cli.progress import working
from metier.cli.session import Session
from metier.cli.terminal import Line, Signs, Terminal, aligned, shown_text, wrapped
from metier.cli.wording import counted, percent
from metier.errors import DidNotPassError, InputError, NotFoundError
from metier.generating import Loading, Message, ModelSheet, OnPiece, Question, Written
from metier.messages import Progress
from metier.routing import Asked, Routed, Wanted, Wish, domain_of, told

if TYPE_CHECKING:
    from metier.assembly import Metier
    from metier.assembly.routing import Routing

DID_NOT_PASS = 1
LOG = "-"
"""What ``--replay`` without a file means: the log of this home."""
MOST_SHOWN = 8
_BAR = 24
UNSAID = Loading()


class Choices(TypedDict):
    """The options of ``route`` as click hands them over."""

    words: tuple[str, ...]
    images: tuple[Path, ...]
    source: Path | None
    task: str
    domain: str
    most_cost: str
    without: tuple[str, ...]
    model: str
    explain: bool
    replay: str | None
    as_json: bool


@click.command("route", short_help="Say who would answer, and why.")
@click.argument("words", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--image",
    "images",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A picture that belongs to it, again for more.",
)
@click.option(
    "--file",
    "source",
    type=click.Path(path_type=Path, allow_dash=True),
    help="The text in a file, - for stdin.",
)
@click.option(
    "--task",
    type=click.Choice(["any", "chat"]),
    default="any",
    show_default=True,
    help="Chat leaves classifiers out, as auto does.",
)
@click.option("--domain", default="", help="The domain, instead of what the text looks like.")
@click.option("--most-cost", default="", help="The dearest cost class: 8 GB, this machine, remote.")
@click.option("--not", "without", multiple=True, metavar="NAME", help="Not this one.")
@click.option("--to", "model", default="", metavar="NAME", help="This one, if it can.")
@click.option("--explain", is_flag=True, help="Show the scores, the facts and who was refused.")
@click.option(
    "--replay",
    is_flag=False,
    flag_value=LOG,
    metavar="[FILE]",
    help="Make logged decisions again and compare the bytes.",
)
@json_option
@click.pass_obj
def route(session: Session, /, **choices: Unpack[Choices]) -> int:
    """Decide who would answer TEXT; nobody is asked.

    It may name a classifier as well as something that chats. What 'metier up' answers under the
    model name auto is decided in the same way.
    """
    routing = session.metier.routing
    if choices["replay"] is not None:
        return _replay(routing, choices["replay"], as_json=choices["as_json"])
    wanted: Wanted = "chat" if choices["task"] == "chat" else "any"
    wish = Wish(
        model=choices["model"],
        domain=choices["domain"],
        most_cost=choices["most_cost"],
        without=choices["without"],
    )
    question = _question(choices)
    with working(quiet=choices["as_json"]) as shown:
        shown.report(Progress("route", "Deciding."))
        routed = routing.decide(question, wish, wanted=wanted, explain=True, wait=True)
    if choices["as_json"]:
        print_json(document(routed, routing))
    else:
        screen = terminal.stdout()
        screen.write(decision_lines(routed, screen, explain=choices["explain"]))
    return 0 if routed.decision.chosen else DID_NOT_PASS


def document(routed: Routed, routing: Routing) -> dict[str, Any]:
    """What ``--json`` prints of a decision."""
    facts: dict[str, Any] = to_document(routed.request)
    facts["characters"] = len(facts.pop("text"))
    general = routing.field().general
    return {
        **told(routed),
        "request": facts,
        "candidates": to_document(routed.candidates),
        "general": {"name": general.name, "why": general.why, "remedy": general.remedy},
    }


def _question(choices: Choices) -> Question:
    typed = " ".join(choices["words"]).strip()
    words, named = parted(typed)
    if choices["source"] is not None and words:
        raise InputError("TEXT and --file cannot be given together.", code="bad_usage")
    text = words or _read(choices["source"])
    pictures = read_pictures((*choices["images"], *named))
    if not text.strip() and not pictures:
        raise InputError(
            "There is no text to decide on.",
            code="no_text",
            remedy='Write: metier route "your text".',
        )
    return Question(messages=(Message("user", text, pictures=pictures),))


def _read(source: Path | None) -> str:
    if source is None and sys.stdin.isatty():
        return ""
    try:
        if source is None or str(source) == "-":
            return sys.stdin.read()
        return source.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {str(source)!r}.", code="no_file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{str(source)!r} cannot be read as text.", code="no_file") from error


# ---------------------------------------------------------------------------------------- showing


def decision_lines(routed: Routed, screen: Terminal, *, explain: bool) -> list[Text]:
    """Who, why and who was next; with ``explain`` the scores, the facts and who was refused."""
    decision = routed.decision
    name = shown_text(decision.chosen) or "nobody"
    lines = [Text(name, style="bold")]
    lines += wrapped(shown_text(decision.why), screen.width)
    if decision.remedy:
        lines.append(Text(f"  {decision.remedy}", style="bold"))
    if decision.next:
        after = dict.fromkeys((decision.next, *decision.then))
        lines.append(Text(f"Next: {', '.join(map(shown_text, after))}.", style="dim"))
    if routed.note:
        lines += wrapped(shown_text(routed.note), screen.width)
    if not explain:
        return lines
    return [*lines, *_score_lines(routed, screen.signs), *_fact_lines(routed), *_refused(routed)]


def _score_lines(routed: Routed, signs: Signs) -> list[Text]:
    if not routed.scores:
        return []
    threshold = routed.decision.threshold
    rows: list[Sequence[Line]] = [
        [shown_text(domain) or "no domain", percent(share), _bar(share, threshold, signs)]
        for domain, share in routed.scores[:MOST_SHOWN]
    ]
    told = f"threshold {percent(threshold)}" if threshold is not None else "not needed"
    return [Text(), Text(f"It looks like ({told})", style="bold"), *aligned(rows, "lrl", indent=2)]


def _bar(share: float, threshold: float | None, signs: Signs) -> str:
    done = round(share * _BAR)
    cells = [signs.done] * done + [" "] * (_BAR - done)
    if threshold is not None:
        cells[min(_BAR - 1, round(threshold * _BAR))] = signs.zero
    return "".join(cells)


def _fact_lines(routed: Routed) -> list[Text]:
    request = routed.request
    facts = [f"{request.tokens} tokens at most"]
    facts += ["code"] if request.code else []
    facts += [counted(request.pictures, "picture")] if request.pictures else []
    facts += [f"language {request.language}"] if request.language else []
    return [Text(), Text("Facts", style="bold"), Text(f"  {', '.join(facts)}")]


def _refused(routed: Routed) -> list[Text]:
    refused = routed.decision.refused
    if not refused:
        return []
    rows: list[Sequence[Line]] = [[shown_text(one.name), shown_text(one.why)] for one in refused]
    return [Text(), Text("Refused", style="bold"), *aligned(rows, "ll", indent=2)]


def _replay(routing: Routing, source: str, *, as_json: bool) -> int:
    found = routing.replay(None if source == LOG else Path(source))
    sound = not found.differing and not found.broken
    if as_json:
        print_json({**to_document(found), "passed": sound})
        return 0 if sound else DID_NOT_PASS
    lines = [f"{found.same:,} of {counted(found.decisions, 'decision')} came out byte for byte."]
    if found.other:
        lines.append(f"{counted(len(found.other), 'decision')} are of another version's rules.")
    if found.lost:
        lost = counted(len(found.lost), "decision")
        lines.append(f"{lost} cannot be made again: who there was stood in a file that is gone.")
    lines += [f"{one} came out otherwise." for one in found.differing[:20]]
    lines += [f"Row {one.row} of the log: {one.what}." for one in found.broken[:20]]
    terminal.stdout().write(lines)
    if not sound:
        raise DidNotPassError(
            "The log and the router do not agree.",
            code="replay_differs",
            remedy="A log that was changed by hand cannot be trusted; move it away.",
        )
    return 0


# ---------------------------------------------------------------------------------- metier run auto


class RoutedModels:
    """``auto`` as the conversation in the terminal asks a model: each question is decided on."""

    def __init__(self, metier: Metier, name: str) -> None:
        self._routing = metier.routing
        self._wish = Wish(domain=domain_of(name))

    def load(
        self, name: str, *, keep_alive: float | None = None, loading: Loading = UNSAID
    ) -> float:
        """Raise where there is nobody to route to; nothing is loaded before somebody is chosen."""
        del keep_alive, loading
        self._routing.listing(name)
        return 0.0

    def sheet(self, name: str) -> ModelSheet:
        """What there is to tell of the name."""
        return self._routing.sheet(name)

    def ask(
        self,
        name: str,
        question: Question,
        *,
        loading: Loading = UNSAID,
        keep_alive: float | None = None,
        on_piece: OnPiece | None = None,
        cancelled: Any = None,
    ) -> Written:
        """The answer of whoever gives one; who and why goes to stderr before its first word."""
        del name
        routed = self._routing.decide(question, self._wish, wait=True)
        spoken: list[str] = []

        def answering(who: str, tried: Sequence[Any]) -> None:
            if spoken:
                return
            spoken.append(who)
            after = f" after {', '.join(one.name for one in tried)}" if tried else ""
            said = f"{who}{after}: {routed.decision.why}"
            terminal.stderr().write([Text(shown_text(said), style="dim")])

        asked = Asked(
            question,
            loading=loading,
            keep_alive=keep_alive,
            on_answering=answering,
            on_piece=on_piece,
            cancelled=cancelled,
        )
        answered = self._routing.ask(routed, asked)
        answering(answered.name, answered.tried)
        return answered.written
