"""``metier run`` with a local model: one answer, or a conversation in the terminal.

It puts together what is typed, what is asked and what is shown. What a command changes is
``dialogue``'s, how words reach the screen ``speaking``'s, and who answers it is told.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

from metier.cli import terminal
from metier.cli.dialogue import COMMANDS, Dialogue, Did, obey
from metier.cli.documents import to_document
from metier.cli.failures import print_json
from metier.cli.interrupting import interruptible
from metier.cli.pictures import parted, read_pictures
from metier.cli.speaking import Speaking, timing_lines
from metier.cli.terminal import aligned, shown_text
from metier.cli.typing_in import entries, keyboard
from metier.cli.wording import counted
from metier.errors import InputError, MetierError
from metier.generating import Constraint, Models, ModelSheet, Order, Written

MOST_PIPED = 16 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asked of a local model.

    Attributes:
        dialogue: Model, system prompt, options.
        words: The question, or "" for a conversation.
        pictures: Picture files beside those named in the words.
        keep_alive: Seconds that the model stays; of use while the conversation lasts.
        hide_thinking: Whether thinking is left out.
        as_json: Whether one JSON document is printed.
    """

    dialogue: Dialogue
    words: str = ""
    pictures: tuple[Path, ...] = ()
    keep_alive: float | None = None
    hide_thinking: bool = False
    as_json: bool = False


def chat(models: Models, wanted: Wanted, history: Path) -> int:
    """Answer once, if there are words or something is piped in; else talk until the person leaves.

    Returns:
        The exit code.
    """
    piped = _piped()
    words = "\n\n".join(part for part in (wanted.words, piped) if part)
    if words or wanted.pictures or not sys.stdin.isatty():
        if not words and not wanted.pictures:
            raise InputError(
                "There is nothing to answer.",
                code="no_text",
                remedy=f'Write: metier run {wanted.dialogue.name} "your question".',
            )
        # Paths are looked for in what was typed only: what was piped in is somebody's text.
        typed, named = parted(wanted.words)
        text = "\n\n".join(part for part in (typed, piped) if part)
        return _once(models, wanted, text, (*wanted.pictures, *named))
    _talk(models, wanted, entries(keyboard(history, list(COMMANDS))))
    return 0


def constraint_of(text: str | None) -> Constraint | None:
    """What ``--format`` says: ``json``, a file with a JSON schema, or a file of a grammar.

    Raises:
        InputError: There is no such file, or its schema is no JSON (``bad_format``).
    """
    if text is None:
        return None
    if text == "json":
        return Constraint("json")
    path = Path(text)
    try:
        content = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The format {text!r} is neither json nor a file that can be read.",
            code="bad_format",
            remedy="Write --format json, --format schema.json or --format grammar.gbnf.",
        ) from error
    if path.suffix == ".gbnf":
        return Constraint("grammar", content)
    try:
        return Constraint("schema", json.loads(content))
    except ValueError as error:
        raise InputError(f"{text!r} is not JSON: {error}.", code="bad_format") from error


def _once(models: Models, wanted: Wanted, text: str, pictures: tuple[Path, ...]) -> int:
    screen = terminal.stdout()
    dialogue = wanted.dialogue
    speaking = Speaking(screen, wrap=dialogue.wraps, thinking=not wanted.hide_thinking)
    with interruptible(_quiet, lambda: "") as cancelled:
        question = dialogue.question(text, read_pictures(pictures))
        written = models.ask(
            dialogue.name,
            question,
            loading=dialogue.loading,
            keep_alive=wanted.keep_alive,
            on_piece=None if wanted.as_json else speaking.piece,
            cancelled=cancelled,
        )
    if wanted.as_json:
        print_json({"name": dialogue.name, "question": text, **_document(written)})
        return 0
    speaking.finish()
    _after(written, verbose=dialogue.verbose)
    return 0


def _talk(models: Models, wanted: Wanted, typed: Iterable[str]) -> None:
    """One entry after the other; an error ends the turn and not the conversation."""
    dialogue = wanted.dialogue
    told = terminal.stderr()
    models.load(dialogue.name, keep_alive=wanted.keep_alive, loading=dialogue.loading)
    told.write([f"{dialogue.name}. /? lists the commands, Ctrl-D leaves."])
    for entry in typed:
        if not entry.strip():
            continue
        try:
            if _is_command(entry):
                did = obey(dialogue, entry)
                if did.act == "bye":
                    return
                dialogue = _acted(models, did)
            else:
                dialogue = _turn(models, dialogue, wanted, entry)
        except MetierError as error:
            remedy = f" {error.remedy}" if error.remedy else ""
            told.write([f"{error.message}{remedy}"])


def _turn(models: Models, dialogue: Dialogue, wanted: Wanted, entry: str) -> Dialogue:
    text, paths = parted(entry)
    question = dialogue.question(text, read_pictures(paths))
    speaking = Speaking(terminal.stdout(), wrap=dialogue.wraps, thinking=not wanted.hide_thinking)
    with _stoppable() as stopped:
        try:
            written = models.ask(
                dialogue.name,
                question,
                loading=dialogue.loading,
                keep_alive=wanted.keep_alive,
                on_piece=speaking.piece,
                cancelled=stopped,
            )
        except MetierError as error:
            if error.code != "cancelled":
                raise
            speaking.finish()
            return dialogue
    speaking.finish()
    _after(written, verbose=dialogue.verbose)
    return dialogue.after(question, written)


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """Ctrl-C during an answer ends the answer; the conversation goes on without that turn."""
    pressed = False

    def press(_number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _acted(models: Models, did: Did) -> Dialogue:
    """What a command leaves to do, and the conversation after it."""
    told, dialogue = terminal.stderr(), did.dialogue
    if did.act == "help":
        rows = [[command, what] for command, what in COMMANDS.items()]
        told.write([*aligned(rows, "ll"), 'Three quotation marks (""") begin and end many lines.'])
    elif did.act == "show":
        terminal.stdout().write(_sheet_lines(models.sheet(dialogue.name), did.what, dialogue))
    elif did.act == "load":
        models.load(did.what)
        told.write([f"Talking to {did.what}; what was said stays."])
        return replace(dialogue, name=did.what)
    elif did.act == "save":
        order = Order(
            name=did.what,
            base=dialogue.name,
            system=dialogue.system,
            parameters=dialogue.parameters,
            messages=dialogue.messages or None,
        )
        listing = models.create(order, report=_quiet)
        told.write([f"Saved: metier run {listing.name}"])
    elif did.note:
        told.write([did.note])
    return dialogue


def _sheet_lines(sheet: ModelSheet, what: str, dialogue: Dialogue) -> list[str]:
    """What ``/show`` shows."""
    if what == "license":
        return shown_text("\n\n".join(sheet.licences) or "No licence is recorded.").splitlines()
    if what == "modelfile":
        return shown_text(sheet.modelfile).splitlines()
    if what == "system":
        return shown_text(dialogue.system or sheet.system or "No system prompt.").splitlines()
    if what == "template":
        return shown_text(sheet.template or "The template is the base's own.").splitlines()
    if what == "parameters":
        both = {**sheet.parameters, **dialogue.parameters}
        return [f"{name}  {value}" for name, value in both.items()] or ["None are set."]
    listing, details = sheet.listing, sheet.listing.details
    facts = {
        "model": listing.name,
        "base": listing.parent or "",
        "family": details.family,
        "parameters": f"{details.parameters:,}" if details.parameters else "",
        "quantisation": details.quantization,
        "context": f"{sheet.context:,} of {details.context_length:,} tokens",
        "can": ", ".join(listing.capabilities),
        "size": f"{listing.size_bytes / 1e6:,.1f} MB",
    }
    return [f"{name:<14}{value}" for name, value in facts.items() if value]


def _after(written: Written, *, verbose: bool) -> None:
    told = terminal.stderr()
    if written.truncated:
        told.write(["The oldest turns were left out: the conversation no longer fits."])
    if written.finish == "length":
        told.write(["The answer was cut: it reached its most tokens (num_predict or num_ctx)."])
    if verbose:
        told.write(timing_lines(written))


def _is_command(entry: str) -> bool:
    """Whether a line is a command and not a path of a picture."""
    first = entry.strip().split(maxsplit=1)[0]
    return first.startswith("/") and "/" not in first[1:] and "." not in first


def _piped() -> str:
    """What is piped in, or "" where a person sits."""
    if sys.stdin.isatty():
        return ""
    try:
        text = sys.stdin.read(MOST_PIPED + 1)
    except UnicodeDecodeError as error:
        raise InputError(
            "stdin is not UTF-8.",
            code="bad_encoding",
            remedy="Convert it first, for instance with: iconv -f latin1 -t utf8.",
        ) from error
    if len(text) > MOST_PIPED:
        raise InputError(
            f"stdin has more than {counted(MOST_PIPED, 'character')}.", code="too_large"
        )
    return text.strip()


def _document(written: Written) -> dict[str, Any]:
    return {
        "text": written.text,
        "thinking": written.thinking,
        "tool_calls": to_document(written.tool_calls),
        "finish": written.finish,
        "truncated": written.truncated,
        "taken": to_document(written.taken),
    }


def _quiet(_text: str) -> None:
    """For work that has nothing to tell."""
