"""What is wrong with the rows of a file, gathered so that a person mends them all at once.

It knows how to keep the first twenty problems, count the rest and raise them as one InputError;
it does not know how files are read or what makes a row good.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from metier.errors import InputError

SHOWN = 20
"""Problems that are kept with their row; the rest are only counted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one row.

    Attributes:
        code: A stable snake_case identifier (``empty_text``, ``ragged_row`` …).
        row: 1-based line of the file on which the row starts, or number of the file in a folder.
        place: The same for people: ``line 17`` or ``file spam/3.txt``.
        what: What is wrong, without a full stop.
        remedy: How to mend it, as a sentence.
    """

    code: str
    row: int
    place: str
    what: str
    remedy: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return {
            "code": self.code,
            "row": self.row,
            "place": self.place,
            "what": self.what,
            "remedy": self.remedy,
        }


@dataclass(slots=True)
class Problems:
    """The problems of one source, in the order in which they were found.

    Attributes:
        source: What people call the source, usually the name of the file.
        first: The first ``SHOWN`` problems.
        count: All of them.
    """

    source: str
    first: list[Problem] = field(default_factory=list)
    count: int = 0

    def add(self, problem: Problem) -> None:
        """Count a problem, and keep it if it is among the first."""
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(problem)

    def raise_if_any(self) -> None:
        """Raise InputError with the code and remedy of the first problem, if there is one."""
        if not self.count:
            return
        first = self.first[0]
        more = self.count - 1
        rest = f" (and {more:,} more problem{'s' if more > 1 else ''})" if more else ""
        raise InputError(
            f"{self.source}, {first.place}: {first.what}{rest}.",
            code=first.code,
            remedy=first.remedy,
            details={
                "source": self.source,
                "count": self.count,
                "problems": [problem.as_dict() for problem in self.first],
            },
        )


def excerpt(text: str, limit: int = 60) -> str:
    """The head of a text on one line, for messages."""
    flat = " ".join(text[: limit * 4].split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"
