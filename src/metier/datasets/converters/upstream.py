"""What a converter is given and what it gives: upstream files in, canonical rows out.

It knows no format of any data set and no way to fetch one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metier.errors import InputError

Row = Mapping[str, Any]
"""One canonical row: ``text`` and ``label`` first, then whatever else, ``split`` last."""


@dataclass(frozen=True, slots=True)
class UpstreamBytes:
    """One file as upstream published it.

    Attributes:
        path: Its path in the repository or folder, with ``/``.
        content: Its bytes.
        repository: Where it came from, for rows that are grouped by it; empty if there is one.
        split: The split that the recipe gives the whole repository; empty if it gives none.
    """

    path: str
    content: bytes
    repository: str = ""
    split: str = ""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    def text(self, *encodings: str) -> str:
        """The content as text in the first of ``encodings`` (default UTF-8) that fits.

        Raises:
            InputError: Code ``bad_upstream``, if none fits.
        """
        for encoding in encodings or ("utf-8",):
            try:
                return self.content.decode(encoding)
            except UnicodeDecodeError:
                continue
        raise bad_upstream(self.path, "it is not text in the expected encoding")

    def json(self, *encodings: str) -> Any:
        """The content as JSON; raises InputError (code ``bad_upstream``) if it is not."""
        try:
            return json.loads(self.text(*encodings))
        except json.JSONDecodeError as error:
            raise bad_upstream(self.path, f"it is not JSON ({error})") from error


Converter = Callable[[Sequence[UpstreamBytes]], Iterator[Row] | Iterator[bytes]]
"""Upstream files, in the order of the recipe, to canonical rows in their fixed order; where
the rows are upstream's own lines of JSON, to those lines."""


def bad_upstream(path: str, why: str) -> InputError:
    """The error for an upstream file that is not what the converter was written for."""
    return InputError(
        f"The upstream file {path!r} cannot be converted: {why}.",
        code="bad_upstream",
        remedy="Check that the recipe names the converter, commit and file that belong together.",
        details={"path": path},
    )
