"""What a person types: one line, or several between three quotation marks, with a history.

It knows the keyboard (prompt_toolkit, which is imported only when somebody sits there) and the
file of past lines. What lines mean it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

PROMPT = ">>> "
MORE = "... "
_FENCE = '"""'
_KEPT_LINES = 10_000


def entries(read: Callable[[str], str]) -> Iterator[str]:
    """What is typed, entry by entry, until the end of the input.

    A line that begins with three quotation marks goes on until a line that ends with them. Ctrl-C
    drops what was typed so far.

    Args:
        read: Shows a prompt and gives a line; raises EOFError at the end, KeyboardInterrupt at
            Ctrl-C.
    """
    while True:
        try:
            line = read(PROMPT)
            opening, fence, begun = line.partition(_FENCE)
            if fence and (not opening.strip() or opening.startswith("/set system")):
                yield opening + _until_fence(begun, read)
            else:
                yield line
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def _until_fence(begun: str, read: Callable[[str], str]) -> str:
    lines = [begun]
    while not lines[-1].rstrip().endswith(_FENCE):
        lines.append(read(MORE))
    lines[-1] = lines[-1].rstrip().removesuffix(_FENCE)
    return "\n".join(lines).strip("\n")


def keyboard(history: Path, commands: Sequence[str]) -> Callable[[str], str]:
    """A reader of lines for ``entries``, with editing, a history file and Tab for commands."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.history import FileHistory

    history.parent.mkdir(parents=True, exist_ok=True)
    _shorten(history)
    history.touch(mode=0o600)
    words = sorted({command.split(" ")[0] for command in commands})
    session: PromptSession[Any] = PromptSession(
        history=FileHistory(str(history)),
        completer=WordCompleter(words, sentence=True),
        complete_while_typing=False,
        enable_history_search=True,
    )

    def read(prompt: str) -> str:
        return str(session.prompt(prompt))

    return read


def _shorten(history: Path) -> None:
    """Keep the last lines only, so that the file does not grow for ever."""
    if not history.exists() or history.stat().st_size < 1 << 20:
        return
    lines = history.read_text("utf-8", errors="replace").splitlines(keepends=True)
    history.write_text("".join(lines[-_KEPT_LINES:]), "utf-8")
