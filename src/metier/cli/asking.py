"""``metier run``: ask a specialist of any task, or a local model.

It reads the options and hands a chat specialist's to ``conversing``, a pack's to ``looking`` and a
local model's to ``chatting``; itself it shows the labels of texts, abstentions in words. It does
not know how an answer is found.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TextIO, TypedDict, Unpack, cast

import click

from metier.assembly import Metier
from metier.cli import terminal
from metier.cli.answers import one_answer, several_answers
from metier.cli.chatting import Wanted, chat, constraint_of
from metier.cli.conversing import Asked, converse, question_of
from metier.cli.dialogue import Dialogue
from metier.cli.documents import prediction_document
from metier.cli.failures import print_json
from metier.cli.looking import look_up
from metier.cli.parameters import Duration, complete_names, json_option
from metier.cli.picturing import classify_pictures
from metier.cli.routing import RoutedModels
from metier.cli.session import Session
from metier.cli.sourcing import read_sources
from metier.cli.wording import counted
from metier.conversing import Manner, base_of
from metier.errors import InputError, NotFoundError
from metier.generating import Models, Options
from metier.recipe import PICTURES
from metier.routing import is_auto

_BATCH = 512
_FOR_CHAT = (
    "base",
    "candidates",
    "repairs",
    "budget",
    "tokens",
    "no_docs",
    "no_tools",
    "migrate",
    "write",
    "first_draft",
    "trace",
)
_FOR_MODELS = (
    "images",
    "system",
    "format_",
    "think",
    "hide_thinking",
    "keep_alive",
    "verbose",
    "tokens",
)
_SHOWN_AS = {"images": "image", "format_": "format", "keep_alive": "keep-alive"}


class Choices(TypedDict):
    """The options of ``run`` as click hands them over."""

    name: str
    texts: tuple[str, ...]
    files: tuple[Path, ...]
    top: int | None
    base: str | None
    candidates: int | None
    repairs: int | None
    budget: float | None
    tokens: int | None
    no_docs: bool
    no_tools: bool
    migrate: bool
    write: bool
    first_draft: bool
    trace: bool
    images: tuple[Path, ...]
    system: str | None
    format_: str | None
    think: str | None
    hide_thinking: bool
    keep_alive: float | None
    verbose: bool
    as_json: bool


@click.command(
    short_help="Ask a specialist.",
    epilog='Examples: metier run banking-intents "my card is lost". metier run svelte-docs how '
    "do I bind a value. metier run sveltekit --file Broken.svelte.",
)
@click.argument("name", shell_complete=complete_names)
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@click.option(
    "--file",
    "files",
    type=click.Path(path_type=Path, allow_dash=True),
    multiple=True,
    help="For classifiers texts, one a line, - for stdin; for chat specialists a source file, "
    "again for more.",
)
@click.option(
    "--top",
    type=click.IntRange(min=1, max=50),
    metavar="N",
    help="How many labels or passages to show.  [default: 3 labels, 5 passages]",
)
@click.option(
    "--base", metavar="REF", help="What writes: remote:NAME, an installed model, or FILE.gguf."
)
@click.option("--candidates", type=click.IntRange(1, 100), metavar="N", help="Drafts at most.")
@click.option("--repairs", type=click.IntRange(0, 10), metavar="N", help="Rounds of repair.")
@click.option("--budget", type=Duration(), help="Stop in time with what there is: 30s, 2m.")
@click.option("--tokens", type=click.IntRange(min=1), metavar="N", help="Tokens at most.")
@click.option("--no-docs", is_flag=True, help="Search no documents.")
@click.option("--no-tools", is_flag=True, help="Check and repair nothing.")
@click.option("--migrate", is_flag=True, help="Bring the files to the newer version.")
@click.option("--write", is_flag=True, help="Write repaired or migrated files.")
@click.option("--first-draft", is_flag=True, help="Stream the first draft, correct it after.")
@click.option("--trace", is_flag=True, help="Show every step.")
@click.option(
    "--image",
    "images",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A picture, for a classifier of pictures or a local model, again for more; a path in "
    "the words works too.",
)
@click.option("--system", metavar="TEXT", help="A local model's system prompt.")
@click.option(
    "--format", "format_", metavar="json|FILE", help="A local model's answer: JSON, or of a schema."
)
@click.option(
    "--think",
    type=click.Choice(["on", "off", "low", "medium", "high", "max"]),
    help="Whether a local model thinks first, or how hard.",
)
@click.option("--hide-thinking", is_flag=True, help="Show a local model's answer only.")
@click.option("--keep-alive", type=Duration(), help="How long a local model stays while you type.")
@click.option("--verbose", is_flag=True, help="Show what a local model's answer took.")
@json_option
@click.pass_obj
def run(session: Session, /, **choices: Unpack[Choices]) -> int:
    """Ask the specialist NAME.

    A classifier labels one or more texts: from the command line, from --file, or from stdin with
    one text a line; empty lines are left out. One of pictures labels files. A document pack
    answers a question with passages. A chat specialist answers a question over a base, or checks
    and repairs source files without one. A local model answers a question, or talks until you
    leave; what is piped in goes along. The name auto sends each question to who holds a proof for
    it, else to the general model.
    """
    metier = session.metier
    if is_auto(choices["name"]):
        _refuse(choices, "auto", allowed=_FOR_MODELS)
        routed = cast("Models", RoutedModels(metier, choices["name"]))
        try:
            return chat(routed, _wanted(choices), metier.settings.home / "history")
        finally:
            metier.close()
    item = metier.show(choices["name"])
    if item.model is not None:
        _refuse(choices, "generate", allowed=_FOR_MODELS)
        try:
            return chat(metier.models, _wanted(choices), metier.settings.home / "history")
        finally:
            metier.close()
    if item.task == PICTURES:
        _refuse(choices, PICTURES, allowed=("top", "images"))
        paths = (*choices["images"], *choices["files"], *map(Path, choices["texts"]))
        top, as_json = choices["top"], choices["as_json"]
        try:
            classify_pictures(metier, choices["name"], paths, top=top, as_json=as_json)
        finally:
            metier.close()
        return 0
    if item.chat is None:
        _refuse(choices, item.task or item.kind, allowed=("top",))
    if item.pack is not None:
        question = question_of(choices["texts"], files=False)
        as_json, top = choices["as_json"], choices["top"]
        look_up(metier, choices["name"], question, top=top, as_json=as_json)
        return 0
    if item.chat is None:
        _classify(metier, choices)
        return 0
    _refuse(choices, "chat", allowed=tuple(_FOR_CHAT))
    try:
        return converse(metier, _asked(choices))
    finally:
        metier.close()


def _asked(choices: Choices) -> Asked:
    files = choices["files"]
    manner = Manner(
        candidates=choices["candidates"],
        repairs=choices["repairs"],
        documents=not choices["no_docs"],
        tools=not choices["no_tools"],
        first_draft=choices["first_draft"],
        tokens=choices["tokens"],
        seconds=choices["budget"],
    )
    return Asked(
        name=choices["name"],
        question=question_of(choices["texts"], files=bool(files)),
        sources=read_sources(files) if files else (),
        base=base_of(choices["base"]) if choices["base"] else None,
        manner=manner,
        migrate=choices["migrate"],
        write=choices["write"],
        trace=choices["trace"],
        as_json=choices["as_json"],
    )


def _wanted(choices: Choices) -> Wanted:
    if choices["files"]:
        raise InputError(
            "--file is for specialists.",
            code="bad_usage",
            remedy=f'Pipe it in: metier run {choices["name"]} "your question" < FILE',
        )
    think = choices["think"]
    dialogue = Dialogue(
        name=choices["name"],
        system=choices["system"],
        constraint=constraint_of(choices["format_"]),
        think={"on": True, "off": False}.get(think, think) if think else None,
        verbose=choices["verbose"],
        options=Options(num_predict=choices["tokens"]),
    )
    return Wanted(
        dialogue=dialogue,
        words=" ".join(choices["texts"]).strip(),
        pictures=choices["images"],
        keep_alive=choices["keep_alive"],
        hide_thinking=choices["hide_thinking"],
        as_json=choices["as_json"],
    )


def _refuse(choices: Choices, task: str, *, allowed: Sequence[str]) -> None:
    """Options that this kind of specialist does not take are an error, not passed over."""
    known = (*_FOR_CHAT, *_FOR_MODELS, "top")
    given = [name for name in known if choices.get(name) not in (None, False, ())]
    foreign = [name for name in given if name not in allowed]
    if foreign:
        option = _SHOWN_AS.get(foreign[0], foreign[0].replace("_", "-"))
        raise InputError(f"--{option} is not for the task {task}.", code="bad_usage")


def _classify(metier: Metier, choices: Choices) -> None:
    """Label texts."""
    name, texts, top = choices["name"], choices["texts"], choices["top"]
    files, as_json = choices["files"], choices["as_json"]
    if len(files) > 1:
        raise InputError("A classifier reads one --file at a time.", code="bad_usage")
    source = files[0] if files else None
    if texts and source is not None:
        raise InputError("Texts and --file cannot be given together.", code="bad_usage")
    left_out: list[int] = []
    asked = iter(texts) if texts else _lines(source, left_out)
    documents = []
    shown = 0
    screen = terminal.stdout()
    while batch := list(islice(asked, _BATCH)):
        answers = metier.classify(name, batch, top=top or 3)
        if as_json:
            documents += [prediction_document(t, p) for t, p in zip(batch, answers, strict=True)]
        elif len(batch) == 1 and shown == 0:
            screen.write(one_answer(answers[0], top or 3))
        else:
            screen.write(several_answers(batch, answers, top or 1), cut=True)
        shown += len(batch)
    if shown == 0:
        raise InputError(
            "There is no text to ask about.",
            code="no_text",
            remedy=f'Write: metier run {name} "your text", or give a file with --file.',
        )
    if as_json:
        print_json({"name": name, "predictions": documents, "empty_lines": left_out})
    elif left_out:
        click.echo(f"{counted(len(left_out), 'empty line')} left out.", err=True)


def _lines(source: Path | None, left_out: list[int]) -> Iterator[str]:
    """The lines of a file or of stdin; the numbers of empty ones go to ``left_out``."""
    if source is None and sys.stdin.isatty():
        raise InputError(
            "There is no text to ask about.",
            code="no_text",
            remedy='Write: metier run NAME "your text", or give a file with --file.',
        )
    if source is None or str(source) == "-":
        yield from _filled(sys.stdin, "stdin", left_out)
        return
    try:
        with source.open(encoding="utf-8-sig") as file:
            yield from _filled(file, str(source), left_out)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {str(source)!r}.", code="no_file") from error
    except OSError as error:
        raise InputError(
            f"{str(source)!r} cannot be read: {error.strerror}.", code="no_file"
        ) from error


def _filled(lines: TextIO, where: str, left_out: list[int]) -> Iterator[str]:
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if text:
                yield text
            else:
                left_out.append(number)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{where} is not UTF-8 near line {number + 1}.",
            code="bad_encoding",
            remedy="Convert it first, for instance with: iconv -f latin1 -t utf8.",
        ) from error
