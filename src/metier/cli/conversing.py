"""``metier run`` with a chat specialist: a question, files, or a question about files.

It reads what is asked, shows the answer with its trace folded to one line, and writes repaired
files only when told to. How an answer is found, and what is wrong with a file, it is told.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from metier.answer import unified
from metier.assembly import Metier
from metier.cli import terminal
from metier.cli.citing import citation_lines, passage_lines
from metier.cli.diagnosing import diagnostic_documents, found_lines, mended_lines
from metier.cli.documents import to_document
from metier.cli.failures import DID_NOT_PASS, print_json
from metier.cli.interrupting import interruptible
from metier.cli.sourcing import Source, write_sources
from metier.cli.terminal import shown_text, wrapped
from metier.cli.tracing import Following, folded, trace_lines
from metier.cli.wording import counted
from metier.coding import Mended, SourceFile
from metier.conversing import Manner, Reply, Turn
from metier.errors import InputError

_PROSE = 92
_MEND = (
    "Repair these files so that they pass the check. Change nothing else, and answer with every "
    "file, whole."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked of a chat specialist.

    Attributes:
        name: The specialist.
        question: The words, or "".
        sources: Files that were named.
        base: What writes, or ``None``.
        manner: How to answer this once.
        migrate: Whether the files are brought to the newer version.
        write: Whether changed files are written.
        trace: Whether every step is shown.
        as_json: Whether one JSON document is printed.
    """

    name: str
    question: str
    sources: tuple[Source, ...]
    base: str | Path | None
    manner: Manner
    migrate: bool = False
    write: bool = False
    trace: bool = False
    as_json: bool = False

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """The named files as a tool takes them."""
        return tuple(source.file for source in self.sources)


def converse(metier: Metier, asked: Asked) -> int:
    """Answer, or check and repair; returns the exit code.

    1 says that something is wrong with the files, or with the code of the answer.
    """
    if asked.migrate:
        return _migrated(metier, asked)
    if asked.sources and not asked.question:
        return _checked(metier, asked)
    return _answered(metier, asked)


def question_of(words: Sequence[str], *, files: bool) -> str:
    """The question: the words, or stdin where there are none and something is piped in.

    Raises:
        InputError: There is nothing to ask about (``no_text``), or stdin is not UTF-8.
    """
    question = " ".join(words).strip()
    if question or files:
        return question
    if not sys.stdin.isatty():
        try:
            question = sys.stdin.read().strip()
        except UnicodeDecodeError as error:
            raise InputError(
                "stdin is not UTF-8.",
                code="bad_encoding",
                remedy="Convert it first, for instance with: iconv -f latin1 -t utf8.",
            ) from error
    if not question:
        raise InputError(
            "There is nothing to answer.",
            code="no_text",
            remedy='Write: metier run NAME "your question", or name a file with --file.',
        )
    return question


def _answered(metier: Metier, asked: Asked) -> int:
    """A question, with the files that it is about."""
    screen, told = terminal.stdout(), terminal.stderr()
    streams = asked.manner.first_draft and not asked.as_json
    base = asked.base or metier.settings.base
    with (
        Following(told, quiet=asked.as_json or bool(asked.trace), streams=streams) as following,
        interruptible(following.say, lambda: "Nothing was written.") as cancelled,
    ):
        reply = metier.answer(
            asked.name,
            [Turn("user", _with_files(asked.question, asked.files))],
            base=base,
            manner=asked.manner,
            on_text=following.text if streams and base else None,
            on_step=following.step,
            cancelled=cancelled,
        )
    if asked.as_json:
        print_json({"name": asked.name, "question": asked.question, **_reply_document(reply)})
        return DID_NOT_PASS if reply.checked is False else 0
    if reply.base is None:
        return _unaided(metier, asked, reply)
    if not streams:
        screen.write(shown_text(reply.text.strip()).splitlines())
    lines = _after(reply, screen.width)
    if lines:
        screen.write([Text(), *lines])
    told.write(trace_lines(reply.trace) if asked.trace else [folded(reply)])
    _say_lacks(metier, asked, base)
    return DID_NOT_PASS if reply.checked is False else 0


def _after(reply: Reply, width: int) -> list[Text]:
    """What stands below an answer: what is still wrong, and what was read."""
    lines: list[Text] = []
    if reply.checked is False:
        explained = [(item, ()) for item in reply.diagnostics if item.severity == "error"]
        lines.append(Text("The code does not pass its check:", style="bold"))
        lines += found_lines(reply.files, explained, width, terminal.stdout().signs)
    if reply.passages:
        lines += [Text()] if lines else []
        lines += [Text("Read in the documents", style="dim"), *citation_lines(reply.passages)]
    return lines


def _unaided(metier: Metier, asked: Asked, reply: Reply) -> int:
    """Without a base: the check of pasted code, or passages; then which bases to get."""
    screen, told = terminal.stdout(), terminal.stderr()
    code = 0
    if reply.files and reply.checked is not None:
        code = _show_check(metier, asked.name, reply.files)
    elif reply.passages:
        screen.write(passage_lines(reply.passages, screen.width))
    else:
        screen.write(["Nothing was found on this in the documents that are here."])
    told.write([Text(), *_bases_lines(metier, asked.name, told.width)])
    if asked.trace:
        told.write(trace_lines(reply.trace))
    _say_lacks(metier, asked, None)
    return code


def _checked(metier: Metier, asked: Asked) -> int:
    """Files alone: check, explain, repair; with a base what the rules leave is its to mend."""
    explained = metier.explain(asked.name, asked.files)
    wrong = any(item.severity == "error" for item, _ in explained)
    mended = metier.repair(asked.name, asked.files) if wrong else None
    base = asked.base or metier.settings.base
    after = mended.files if mended is not None else asked.files
    by_base = None
    if base and wrong and (mended is None or not mended.checked.ok):
        by_base = _mended_by(metier, asked, after, base)
        if by_base is not None:
            after = by_base.files
    right = not wrong or _passes(metier, asked.name, after, mended, by_base)
    changed = _changed(asked.sources, after)
    written = write_sources(changed) if asked.write and changed else []
    if asked.as_json:
        print_json(
            {
                "name": asked.name,
                "files": [file.path for file in asked.files],
                "ok": not wrong,
                "diagnostics": diagnostic_documents(explained),
                "repair": _repair_document(asked.files, after, mended, by_base, right),
                "written": [str(path) for path in written],
            }
        )
    else:
        screen = terminal.stdout()
        screen.write(found_lines(asked.files, explained, screen.width, screen.signs))
        if mended is not None:
            diff = unified(asked.files, mended.files)
            screen.write([Text(), *mended_lines(mended, diff, screen.width)])
        if by_base is not None:
            _show_by_base(by_base, mended, asked.files, screen)
        _say_next(asked, wrong, bool(changed), written, base)
    return 0 if not wrong or (right and written) else DID_NOT_PASS


def _passes(
    metier: Metier,
    name: str,
    after: Sequence[SourceFile],
    mended: Mended | None,
    by_base: Reply | None,
) -> bool:
    """Whether the files pass now, repairs included."""
    if by_base is not None:
        return metier.check(name, after).ok
    return mended is not None and mended.checked.ok


def _mended_by(
    metier: Metier, asked: Asked, files: Sequence[SourceFile], base: str | Path
) -> Reply | None:
    """What the base makes of files that the rules could not mend; ``None`` if it gave no files."""
    with (
        Following(terminal.stderr(), quiet=asked.as_json) as following,
        interruptible(following.say, lambda: "Nothing was written.") as cancelled,
    ):
        reply = metier.answer(
            asked.name,
            [Turn("user", _with_files(_MEND, files))],
            base=base,
            manner=asked.manner,
            on_step=following.step,
            cancelled=cancelled,
        )
    known = {file.path for file in files}
    kept = {file.path: file for file in reply.files if file.path in known}
    if not kept:
        return None
    merged = tuple(kept.get(file.path, file) for file in files)
    return Reply(
        text=reply.text,
        files=merged,
        checked=reply.checked,
        diagnostics=reply.diagnostics,
        passages=reply.passages,
        trace=reply.trace,
        tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out,
        seconds=reply.seconds,
        spent=reply.spent,
        base=reply.base,
    )


def _migrated(metier: Metier, asked: Asked) -> int:
    """Files brought to the newer version."""
    if not asked.sources:
        raise InputError(
            "--migrate needs files.",
            code="bad_usage",
            remedy=f"Write: metier run {asked.name} --migrate --file Old.svelte",
        )
    mended = metier.migrate(asked.name, asked.files)
    after = mended.files if mended is not None else asked.files
    changed = _changed(asked.sources, after)
    written = write_sources(changed) if asked.write and changed else []
    right = mended is None or mended.checked.ok
    if asked.as_json:
        print_json(
            {
                "name": asked.name,
                "files": [file.path for file in asked.files],
                "ok": right,
                "repair": _repair_document(asked.files, after, mended, None, right),
                "written": [str(path) for path in written],
            }
        )
        return 0 if right else DID_NOT_PASS
    screen = terminal.stdout()
    if mended is None or not changed:
        screen.write(["Nothing to change."])
        return 0
    screen.write(mended_lines(mended, unified(asked.files, mended.files), screen.width))
    left = [(item, ()) for item in mended.checked.diagnostics if item.severity == "error"]
    if left:
        screen.write([Text(), *found_lines(mended.files, left, screen.width, screen.signs)])
    _say_next(asked, True, True, written, None)
    return 0 if right else DID_NOT_PASS


def _show_check(metier: Metier, name: str, files: Sequence[SourceFile]) -> int:
    """Pasted code: what is wrong, and the repair."""
    screen = terminal.stdout()
    explained = metier.explain(name, files)
    screen.write(found_lines(files, explained, screen.width, screen.signs))
    if not any(item.severity == "error" for item, _ in explained):
        return 0
    mended = metier.repair(name, files)
    if mended is not None:
        diff = unified(files, mended.files)
        screen.write([Text(), *mended_lines(mended, diff, screen.width)])
    return DID_NOT_PASS


def _show_by_base(
    reply: Reply, mended: Mended | None, before: Sequence[SourceFile], screen: terminal.Terminal
) -> None:
    from metier.cli.diagnosing import diff_lines

    start = mended.files if mended is not None else before
    lines = [Text(), Text(f"Repair by {reply.base}", style="bold"), Text()]
    lines += diff_lines(unified(start, reply.files))
    left = [item for item in reply.diagnostics if item.severity == "error"]
    told = "Nothing is wrong after it." if reply.checked else f"{counted(len(left), 'error')} left."
    screen.write([*lines, Text(), Text(told, style="bold")])
    terminal.stderr().write([folded(reply)])


def _say_next(
    asked: Asked, wrong: bool, changed: bool, written: Sequence[Path], base: str | Path | None
) -> None:
    """The next command, on the last line."""
    told = terminal.stderr()
    named = " ".join(f"--file {source.path}" for source in asked.sources)
    flags = " --migrate" if asked.migrate else ""
    if written:
        told.write([f"Written: {', '.join(str(path) for path in written)}."])
    elif changed:
        told.write([f"Write it:  metier run {asked.name}{flags} {named} --write"])
    elif wrong and base is None:
        told.write([f"No rule mends this. A base may:  metier run {asked.name} {named} --base REF"])


def _say_lacks(metier: Metier, asked: Asked, base: str | Path | None) -> None:
    """What would have been used and is not here, each with the command that mends it."""
    told = terminal.stderr()
    for lack in metier.lacks(asked.name, base=base):
        if lack.kind != "base":
            told.write([*wrapped(lack.message, told.width), Text(f"  {lack.command}", "bold")])


def _bases_lines(metier: Metier, name: str, width: int) -> list[Text]:
    """Which bases to get, best evidence first."""
    lines = [Text("No base is named, so nothing new was written. Bases, best evidence first:")]
    for choice in metier.bases(name):
        line = Text(f"  {choice.ref}", style="bold")
        line.append(f"  {choice.note}", style="dim")
        lines.append(line)
    services = metier.services()
    if services:
        question = f'metier run {name} --base remote:{services[0]} "…"'
        return [*lines, Text(f"Name one:  {question}")]
    place = metier.settings.services
    told = (
        f"Any OpenAI-compatible service will do: write [NAME] with url and model into {place}, "
        f"then metier run {name} --base remote:NAME."
    )
    return [*lines, *wrapped(told, width)]


def _with_files(question: str, files: Sequence[SourceFile]) -> str:
    """The question with the files below it, fenced with their paths."""
    blocks = [
        f"````{file.path.rpartition('.')[2]} {file.path}\n{file.text}\n````" for file in files
    ]
    return "\n\n".join([question, *blocks])


def _changed(
    sources: Sequence[Source], after: Sequence[SourceFile]
) -> list[tuple[Source, SourceFile]]:
    new = {file.path: file for file in after}
    return [
        (source, new[source.file.path])
        for source in sources
        if source.file.path in new and new[source.file.path].text != source.file.text
    ]


def _reply_document(reply: Reply) -> dict[str, Any]:
    document: dict[str, Any] = to_document(reply)
    return document


def _repair_document(
    before: Sequence[SourceFile],
    after: Sequence[SourceFile],
    mended: Mended | None,
    by_base: Reply | None,
    right: bool,
) -> dict[str, Any] | None:
    if mended is None and by_base is None:
        return None
    return {
        "applied": [list(rule) for rule in mended.applied] if mended is not None else [],
        "by": by_base.base if by_base is not None else None,
        "ok": right,
        "diff": unified(before, after),
        "files": [to_document(file) for file in after],
    }
