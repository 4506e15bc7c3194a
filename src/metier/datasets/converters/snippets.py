"""The converter ``code-snippets-v1``: source files of many repositories to labelled snippets.

It knows which language a file is in by its name, which lines of it a person could tell the
language by, and how to cut snippets without a random number; it knows no repository. What a snippet
cannot show is not asked: one that is all comment, all prose or fits another label is passed over.
Everything is decided by digests and ASCII rules, so that every Python gives the same rows.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from metier.datasets.converters.languages import COMMENTS, MARKUP, language_of, settled
from metier.datasets.converters.upstream import Row, UpstreamBytes

_WINDOWS = 5
"""Snippets that are tried in each file."""
_SHORTEST, _LONGEST = 3, 20
"""Lines of a snippet."""
_LEAST_CHARACTERS = 60
_LEAST_WORDS = 8
_MAX_CHARACTERS = 1600
_MAX_LINE = 240
"""A file with a longer line is minified or generated and is passed over."""
_MAX_BYTES = 200_000
_PER_LABEL = {"train": 640, "test": 200}
_PER_REPOSITORY = {"train": 160, "test": 100}
_SHARED_WORDS = 13
"""An eval snippet that shares so many words in a row with a training snippet is passed over."""

_WORD = re.compile(r"[A-Za-z0-9_]+")
_CODE = re.compile(r"[][(){};=<>:$@|&%!.,\"']")
_PROSE = re.compile(r"[a-z'’]{2,},? [a-z'’]+,? [a-z'’]+,? [a-z'’]+")
_NOT_PROSE = re.compile(r"[{};=\"`|]|->")
_SPOKEN = frozenset({"sql", *MARKUP})
"""Languages whose lines may read like prose."""
_GENERATED = re.compile(r"@generated|DO NOT EDIT|auto-?generated|code generated", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Snippet:
    text: str
    label: str
    file: UpstreamBytes
    order: bytes
    words: tuple[str, ...]


def code_snippets(files: Sequence[UpstreamBytes]) -> Iterator[Row]:
    """Snippets of 3 to 20 lines with the language they are in.

    Training rows are grouped by repository; eval rows (``split = "test"``) by file, and they come
    from other repositories. Per label at most 640 train and 200 test rows, of one repository at
    most 160 and 100; no two with the same words; an eval snippet shares no 13 words in a row
    with any other snippet.
    """
    drawn = [snippet for file in files for snippet in _draw(file)]
    drawn.sort(key=lambda snippet: snippet.order)
    seen: set[tuple[str, ...]] = set()
    train = _take((item for item in drawn if item.file.split != "test"), "train", seen)
    known = {run for snippet in train for run in _runs(snippet.words)}
    test = _take((item for item in drawn if item.file.split == "test"), "test", seen, known)
    for split, snippets in (("train", train), ("test", test)):
        for snippet in snippets:
            repository, path = snippet.file.repository, snippet.file.path
            yield {
                "text": snippet.text,
                "label": snippet.label,
                "group": repository if split == "train" else f"{repository}/{path}",
                "repository": repository,
                "path": path,
                "split": split,
            }


def _take(
    snippets: Iterator[_Snippet],
    split: str,
    seen: set[tuple[str, ...]],
    known: set[tuple[str, ...]] | None = None,
) -> list[_Snippet]:
    """The first snippets that fit the shares of their label and repository, by label.

    Args:
        snippets: Candidates in their order.
        split: Whose shares count.
        seen: The words of every snippet so far; added to.
        known: If given, a snippet that shares a run of words with it is left out; added to.
    """
    labels: Counter[str] = Counter()
    repositories: Counter[tuple[str, str]] = Counter()
    taken = []
    for snippet in snippets:
        place = (snippet.label, snippet.file.repository)
        full = (
            labels[snippet.label] >= _PER_LABEL[split]
            or repositories[place] >= _PER_REPOSITORY[split]
        )
        if not full and snippet.words not in seen:
            if known is not None:
                runs = set(_runs(snippet.words))
                if runs & known:
                    continue
                known |= runs
            seen.add(snippet.words)
            labels[snippet.label] += 1
            repositories[place] += 1
            taken.append(snippet)
    return sorted(taken, key=lambda snippet: (snippet.label, snippet.order))


def _runs(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every run of 13 words; a shorter snippet is one run."""
    for start in range(max(1, len(words) - _SHARED_WORDS + 1)):
        yield words[start : start + _SHARED_WORDS]


def _draw(file: UpstreamBytes) -> Iterator[_Snippet]:
    """The snippets of one file, cut at places that its name decides."""
    language = language_of(file.path)
    lines = _lines(file, language) if language else None
    if language is None or lines is None:
        return
    whole = "\n".join(lines)
    for number in range(_WINDOWS * 2 if language == "markdown" else _WINDOWS):
        key = f"{file.repository}\n{file.path}\n{number}".encode("utf-8", "surrogateescape")
        digest = hashlib.sha256(key).digest()
        start = int.from_bytes(digest[:4], "big") % len(lines)
        length = _SHORTEST + digest[4] % (_LONGEST - _SHORTEST + 1)
        if number == 0:
            start = 0
        elif number % 2 or number >= _WINDOWS:
            while start > 0 and lines[start - 1].strip():
                start -= 1
        end = start + length
        if number >= _WINDOWS:  # one paragraph
            end = start + 1
            while end < len(lines) and lines[end].strip():
                end += 1
        text = _cut(lines, start, end, fenced=language == "markdown")
        label = settled(language, text, whole, path=file.path)
        if label and _telling(text, label):
            order = hashlib.sha256(text.encode()).digest()
            yield _Snippet(text, label, file, order, tuple(_WORD.findall(text.lower())))


def _lines(file: UpstreamBytes, language: str) -> list[str] | None:
    """The lines of a file that a person wrote, or ``None``."""
    if not 0 < len(file.content) <= _MAX_BYTES or b"\0" in file.content:
        return None
    try:
        text = file.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    generated = language != "dockerfile" and _GENERATED.search(text[:1000])
    minified = language != "markdown" and any(len(line) > _MAX_LINE for line in lines)
    return None if generated or minified else lines


def _cut(lines: list[str], start: int, end: int, *, fenced: bool) -> str:
    """The lines from ``start`` to ``end`` as one text; empty if they are mostly a fenced block."""
    if fenced:
        inside = _inside_fences(lines)[start:end]
        if inside[0] or sum(inside) * 2 > len(inside):
            return ""
    window = lines[start:end]
    while window and not window[0].strip():
        window.pop(0)
    while window and not window[-1].strip():
        window.pop()
    return _without_indent(window)


def _telling(text: str, label: str) -> bool:
    """Whether a snippet is long enough and at least half of its lines are not comment or prose."""
    filled = [line.strip() for line in text.split("\n") if line.strip()]
    if label == "text":
        return 100 <= len(text) <= _MAX_CHARACTERS
    if not (len(filled) >= _SHORTEST and _LEAST_CHARACTERS <= len(text) <= _MAX_CHARACTERS):
        return False
    comments = COMMENTS.get(label, ())
    telling = 0
    for line in filled:
        prose = label not in _SPOKEN and _PROSE.search(line) and not _NOT_PROSE.search(line)
        code = label in MARKUP or _CODE.search(line)
        telling += bool(code and not prose and not line.startswith(comments))
    return telling >= 2 and telling * 2 >= len(filled) and len(_WORD.findall(text)) >= _LEAST_WORDS


def _without_indent(lines: list[str]) -> str:
    """The lines without the indentation that all of them share and without trailing blanks."""
    filled = [line for line in lines if line.strip()]
    shared = min((len(line) - len(line.lstrip(" \t")) for line in filled), default=0)
    if any(line[:shared] != filled[0][:shared] for line in filled):
        shared = 0
    return "\n".join(line[shared:].rstrip() for line in lines)


def _inside_fences(lines: list[str]) -> list[bool]:
    """Which lines of a Markdown file are in a fenced block or in the front matter."""
    inside: list[bool] = []
    fence = ""
    for number, line in enumerate(lines):
        mark = line.strip()[:3]
        if fence:
            inside.append(True)
            if mark == fence:
                fence = ""
        else:
            opens = mark in ("```", "~~~") or (number == 0 and line.strip() == "---")
            fence = mark if opens else ""
            inside.append(opens)
    return inside
