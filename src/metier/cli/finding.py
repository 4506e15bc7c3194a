"""``metier find``: search what is here and what catalogues name; with ``--hub`` the hub too.

It turns words and options into one query and shows the answer. How it is searched and ranked is
the catalogue's matter, and the hub is asked only when the person says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast, get_args

import click
from rich.text import Text

from metier.cli import terminal
from metier.cli.amounts import Day, Size, Tokens
from metier.cli.documents import to_document
from metier.cli.failures import print_json
from metier.cli.hits import found_lines, hit_lines, next_line
from metier.cli.parameters import json_option
from metier.cli.progress import working
from metier.cli.session import Session
from metier.cli.trying import by_eval, eval_options, taken
from metier.finding import Found, Hit, Order, Query
from metier.messages import Progress

VERDICTS = ("WIN", "NOT WORSE", "TIE", "LOSS", "UNDERPOWERED")
_MOST = 1000


@click.command("find", short_help="Search the catalogues and what is installed.")
@click.argument("words", nargs=-1, metavar="[WORDS]...")
@click.option("--task", default="", help="Only this task: classify, chat, embed, extract ...")
@click.option("--domain", default="", help="Only this domain: svelte, sql, maths, pii ...")
@click.option("--licence", "--license", "licence", default="", help="Only this licence.")
@click.option("--base", default="", help="Only what was made from this base.")
@click.option("--fits", is_flag=True, help="Only what runs on this machine.")
@click.option("--proved", is_flag=True, help="Only what holds a proof here.")
@click.option(
    "--verdict",
    type=click.Choice(VERDICTS, case_sensitive=False),
    help="Only what has this verdict; claims count too (--proved leaves them out).",
)
@click.option("--max-size", "most_bytes", type=Size(), help="No larger than this, as 500MB.")
@click.option("--min-context", "least_context", type=Tokens(), help="This context, as 32k.")
@click.option("--since", type=Day(), help="Released on that day or later.")
@click.option("--here", is_flag=True, help="Only what is installed.")
@click.option("--origin", default="", help="Only from here, curated or a catalogue's name.")
@click.option(
    "--order",
    type=click.Choice(get_args(Order)),
    default="best",
    show_default=True,
    help="Best is relevance and proof.",
)
@click.option(
    "--limit", type=click.IntRange(1, _MOST), default=10, show_default=True, help="Hits to show."
)
@click.option("--offset", type=click.IntRange(0), default=0, help="Hits to leave out first.")
@click.option("--hub", is_flag=True, help="Ask the hub too; nothing is asked of it otherwise.")
@click.option("--no-meaning", is_flag=True, help="Words only, not their meaning.")
@eval_options
@json_option
@click.pass_obj
def find(
    session: Session, /, words: tuple[str, ...], hub: bool, as_json: bool, **asked: Any
) -> int:
    """Search specialists and models: those proved here first, every hit with its reasons.

    WORDS may be misspelt; without any, everything that the filters leave is shown. With --eval
    candidates are tried on your own examples instead.
    """
    tried = taken(asked)
    if tried is not None:
        return by_eval(session, tried, words, as_json=as_json)
    query = _query(" ".join(words), asked)
    found = session.metier.find(query)
    if as_json:
        document = found_document(found)
        if hub:
            asked_hub = _asked_hub(session, query, quiet=True)
            document["hub"] = [to_document(hit) for hit in asked_hub]
        print_json(document)
        return 0
    screen = terminal.stdout()
    lines: Sequence[Text] = found_lines(found, screen.width, screen.signs, hub_asked=hub)
    if not hub:
        screen.write(lines)
        return 0
    # What is known here is told first: the hub may be slow, or not there.
    screen.write(lines[:-1])
    told = _asked_hub(session, query, quiet=False)
    screen.write([*_hub_lines(told, screen), *([] if told else lines[-1:])])
    return 0


def found_document(found: Found) -> dict[str, Any]:
    """What ``--json`` prints of an answer."""
    return cast(dict[str, Any], to_document(found))


def _query(words: str, asked: dict[str, Any]) -> Query:
    verdict, since = asked.pop("verdict") or "", asked.pop("since") or ""
    meaning = not asked.pop("no_meaning")
    return Query(
        words=words.strip(), verdict=verdict.upper(), since=since, meaning=meaning, **asked
    )


def _asked_hub(session: Session, query: Query, *, quiet: bool) -> tuple[Hit, ...]:
    with working(quiet=quiet) as shown:
        shown.report(Progress("hub", "Asking the hub."))
        return session.metier.catalogs.search_hub(query)


def _hub_lines(hits: tuple[Hit, ...], screen: terminal.Terminal) -> list[Text]:
    if not hits:
        return [Text(), Text("The hub has nothing for it.", style="dim")]
    heading = "The hub says (nothing of it was measured by us):"
    lines = [Text(), Text(heading, style="bold"), Text()]
    return [*lines, *hit_lines(hits, screen.width, screen.signs), Text(), next_line(hits[0])]
