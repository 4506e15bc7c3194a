"""An answer as it is written on a terminal: word by word, wrapped, thinking set apart.

It knows columns and styles. What is written by a model is somebody else's text: nothing in it
reaches the terminal as a command. It asks no model.
"""

from __future__ import annotations

from rich.text import Text

from metier.cli.terminal import Terminal, shown_text
from metier.generating import Piece, Written

_THINKING = "Thinking…"
_THOUGHT = "…done thinking."


class Wrapping:
    """Breaks flowing text at spaces; a word is held back until it is whole.

    Lines inside a fenced block stay as they are.

    Args:
        width: Columns of a line; 0 leaves every line as it is.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._column = 0
        self._word = ""
        self._space = ""
        self._line = ""
        self._fenced = False

    def feed(self, text: str) -> str:
        """What can be shown now."""
        if not self._width:
            return text
        shown = []
        for character in text:
            if character == "\n":
                shown += [self._flush(), "\n"]
                if self._line.lstrip().startswith("```"):
                    self._fenced = not self._fenced
                self._column, self._line, self._space = 0, "", ""
            elif character in " \t":
                shown.append(self._flush())
                self._space += character
                self._line += character
            else:
                self._word += character
                self._line += character
        return "".join(shown)

    def finish(self) -> str:
        """The word that was held back."""
        return self._flush()

    def _flush(self) -> str:
        if not self._word:
            return ""
        space, word = self._space, self._word
        self._space, self._word = "", ""
        wide = Text(word).cell_len
        if self._fenced or not self._column or self._column + len(space) + wide <= self._width:
            self._column += len(space) + wide
            return space + word
        self._column = wide
        return f"\n{word}"


class Speaking:
    """Shows one answer piece by piece.

    Args:
        screen: Where it goes.
        wrap: Whether long lines are broken at spaces.
        thinking: Whether thinking is shown.
    """

    def __init__(self, screen: Terminal, *, wrap: bool = True, thinking: bool = True) -> None:
        self._screen = screen
        self._thinking = thinking
        width = screen.width if wrap and screen.interactive else 0
        self._wrapping = Wrapping(width)
        self._thoughts = Wrapping(width)
        self._thought = False
        self._spoke = False

    def piece(self, piece: Piece) -> None:
        """Show a piece at once."""
        if piece.thinking and self._thinking:
            if not self._thought:
                self._write(f"{_THINKING}\n", "dim")
                self._thought = True
            self._write(self._thoughts.feed(shown_text(piece.thinking)), "dim")
        if piece.text:
            self._end_thinking()
            self._spoke = True
            self._write(self._wrapping.feed(shown_text(piece.text)), "")
        for call in piece.tool_calls:
            self._end_thinking()
            arguments = ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())
            self._write(shown_text(f"{call.name}({arguments})\n"), "bold")

    def finish(self) -> None:
        """Show what was held back and end the line."""
        self._end_thinking()
        self._write(f"{self._wrapping.finish()}\n", "")

    def _end_thinking(self) -> None:
        if self._thought:
            self._write(f"{self._thoughts.finish()}\n{_THOUGHT}\n\n", "dim")
            self._thought = False

    def _write(self, text: str, style: str) -> None:
        if not text:
            return
        console = self._screen.console
        console.print(self._screen.plain(Text(text, style=style)), end="", soft_wrap=True)
        console.file.flush()


def timing_lines(written: Written) -> list[str]:
    """What an answer took, a fact a line."""
    taken = written.taken
    lines = [
        f"total            {taken.total:.2f} s",
        f"load             {taken.load:.2f} s",
        f"prompt           {_rate(taken.tokens_in - taken.tokens_cached, taken.prompt)}",
    ]
    if taken.tokens_cached:
        lines.append(f"from the cache   {taken.tokens_cached:,} tokens")
    lines.append(f"answer           {_rate(taken.tokens_out, taken.writing)}")
    return lines


def _rate(tokens: int, seconds: float) -> str:
    rate = f", {tokens / seconds:.1f} tokens/s" if seconds > 0 else ""
    return f"{tokens:,} tokens in {seconds:.2f} s{rate}"
