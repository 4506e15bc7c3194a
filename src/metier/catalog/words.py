"""Words of entries and of queries: folding, and the terms that a text is found by.

It knows names like ``Qwen2.5-Coder-7B`` and ``all-MiniLM-L6-v2``; it knows no index. A query is
text and nothing else: no character of it is an operator.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

MOST_CHARACTERS = 1000
"""Of a query; what is longer is cut, and the answer says so."""
MOST_WORDS = 24
LONGEST_TERM = 60
STEM = "~"
"""Stands before a stem, so that no word is taken for one."""

_CHUNK = re.compile(r"[^\W_]+(?:[-._+'’][^\W_]+)*(?:\+\+|#)?")
_PIECE = re.compile(r"[^\W_]+(?:\.\d+)*(?:\+\+|#)?")
_ENDS = ("coder", "bert", "math", "sql", "kit", "llm", "guard", "chat", "embed", "reranker")
"""What names of models end in without a mark before it: ``sqlcoder``, ``modernbert``."""
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_TURN = re.compile(r"(?<=[a-z])(?=\d)")
_JOINS = re.compile(r"[-._+'’]")

_FUNCTION = (
    "a all an and any are as at be by can do does for from has have how i in into is it its me my"
    " of on or our so some that the their them these this those to us was we what when where which"
    " who will with would you your"
)
_ASKING = (
    "best find finding finds good great help like looking model models need needs really search"
    " searching small tell that want wants"
)
STOP = frozenset(f"{_FUNCTION} {_ASKING}".split())
"""Words of a query that say nothing where another word is left: they hold a sentence together, or
say that something is sought. Nearly every description has some of them, so that alone they would
find nearly everything. They count where there is no other word, and to tell names
apart that are alike otherwise (``idle``)."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a query.

    Attributes:
        said: As a person typed it, folded.
        term: The term that means all of it.
        parts: The terms of its pieces, if it has several: ``all-minilm`` has ``all``, ``minilm``.
        open: Whether it may be unfinished: the last word.
    """

    said: str
    term: str
    parts: tuple[str, ...] = ()
    open: bool = False


@dataclass(frozen=True, slots=True)
class Meant:
    """What a word of a query is taken for.

    Attributes:
        word: As it was asked.
        terms: Any of these satisfies it.
        all_of: Or all of these together.
        instead: What it was corrected to, or "".
    """

    word: Word
    terms: tuple[str, ...]
    all_of: tuple[str, ...] = ()
    instead: str = ""


def unicode_only(text: str) -> str:
    """Text without half characters (lone surrogates), which no index and no database takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def fold(text: str) -> str:
    """Without case and accents: ``Café`` and ``CAFE`` are one word."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(mark for mark in decomposed if not unicodedata.combining(mark))
    return plain.casefold()


def terms(text: str) -> list[str]:
    """The terms that a text of an entry is found by, in its order, repetitions kept.

    A compound is found whole and by its pieces: ``SvelteKit`` by ``sveltekit``, ``svelte``,
    ``kit``; ``Qwen2.5-Coder`` by ``qwen2.5coder``, ``qwen2.5``, ``qwen``, ``coder``.
    """
    found: list[str] = []
    for chunk in _CHUNK.findall(text):
        found.extend(_terms_of(chunk))
    return found


def words(text: str) -> tuple[tuple[Word, ...], tuple[str, ...]]:
    """The words of a query, and sentences on what of it was left out.

    Args:
        text: Anything that a person may type or paste.
    """
    notes: list[str] = []
    if len(text) > MOST_CHARACTERS:
        notes.append(f"Only the first {MOST_CHARACTERS:,} characters were searched for.")
        text = text[:MOST_CHARACTERS]
    chunks = _CHUNK.findall(text)
    unfinished = bool(chunks) and text.rstrip().endswith(chunks[-1]) and text == text.rstrip()
    found = [_word(chunk) for chunk in chunks]
    if found and unfinished:
        last = found[-1]
        found[-1] = Word(last.said, last.term, last.parts, open=True)
    telling = [word for word in found if word.term not in STOP] or found
    telling = list({word.term: word for word in telling}.values())
    if len(telling) > MOST_WORDS:
        notes.append(f"Only the first {MOST_WORDS} words were searched for.")
    return tuple(telling[:MOST_WORDS]), tuple(notes)


def idle(text: str) -> tuple[str, ...]:
    """The words of a query that say nothing, for the names that have them: ``bge small``."""
    found = (fold(chunk) for chunk in _CHUNK.findall(text[:MOST_CHARACTERS]))
    return tuple(dict.fromkeys(term for term in found if term in STOP))


def _word(chunk: str) -> Word:
    whole, *parts = dict.fromkeys(_terms_of(chunk))
    told = tuple(part for part in parts if len(part) > 1)
    return Word(fold(chunk)[:LONGEST_TERM], whole, told)


@lru_cache(maxsize=1 << 16)
def _terms_of(chunk: str) -> tuple[str, ...]:
    """The whole, then its pieces, each folded and of bounded length."""
    if chunk.isalpha() and chunk.islower() and chunk.isascii():
        whole = chunk[:LONGEST_TERM]
        return (whole, *_compound(whole))
    return tuple(_pieces(chunk))


def _pieces(chunk: str) -> Iterator[str]:
    pieces = _PIECE.findall(chunk)
    whole = fold(_JOINS.sub("", chunk) if len(pieces) > 1 else chunk)
    yield whole[:LONGEST_TERM]
    for piece in pieces:
        folded = fold(piece)
        if folded != whole:
            yield folded[:LONGEST_TERM]
        humps = _HUMP.split(piece)
        if len(humps) > 1:
            yield from (fold(hump)[:LONGEST_TERM] for hump in humps if len(hump) > 2)
        else:
            yield from _compound(folded[:LONGEST_TERM])
        turned = _TURN.split(folded, maxsplit=1)
        if len(turned) > 1 and len(turned[0]) > 1:
            yield turned[0][:LONGEST_TERM]


def _compound(word: str) -> tuple[str, ...]:
    """The two pieces of a name that is written in one; none for any other word."""
    if word.endswith(_ENDS):
        end = max((one for one in _ENDS if word.endswith(one)), key=len)
        if len(word) - len(end) > 2:
            return word[: -len(end)], end
    return ()


def distance(one: str, two: str, most: int) -> int:
    """Edits between two words, swaps of neighbours counted once; ``most + 1`` if more.

    Source: the optimal string alignment distance (Damerau 1964; Boytsov 2011).
    """
    if abs(len(one) - len(two)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, left in enumerate(one, start=1):
        above, row, older = row, [i], before
        for j, right in enumerate(two, start=1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (left != right))
            swapped = i > 1 and j > 1 and left == two[j - 2] and one[i - 2] == right
            row.append(min(cost, older[j - 2] + 1) if swapped else cost)
        before = above
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def edits_allowed(word: str) -> int:
    """How many typing errors a word may have: none up to 2 letters, one up to 7, else two.

    Words with digits are names: none.
    """
    if len(word) <= 2 or any(mark.isdigit() for mark in word):
        return 0
    return 1 if len(word) <= 7 else 2


def mistyped(said: str, meant: str) -> bool:
    """Whether one word may be another mistyped: a short one has swapped, lost or doubled letters.

    Another letter in a short word makes another word (``data``, ``date``).
    """
    return len(said) > 4 or len(said) != len(meant) or sorted(said) == sorted(meant)
