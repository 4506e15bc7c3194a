"""The words of a volume: which entries have them, how much they weigh, and what else was meant.

The one place that knows tantivy. It gets terms and gives places (0 … n-1) with BM25 scores; it
knows no entry. Queries are built of terms, never parsed, so that no text is an operator.

A term of name, task or domain counts three times, of the key words twice, of the description once:
BM25 over repeated terms is BM25F with these field weights (Robertson, Zaragoza and Taylor 2004).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import tantivy

from metier.catalog.words import STEM, Meant, distance, edits_allowed, mistyped
from metier.errors import CorruptError

FACETS = ("task", "domain", "licence")
NUMBERS = ("size", "context", "released")
RANKS = ("newest", "smallest", "name")
COMPLETIONS = 8
_NEAR = 24
_TEXT = "text"
_HEAP = 96_000_000

Query = tantivy.Query
Occur = tantivy.Occur


@dataclass(frozen=True, slots=True)
class Document:
    """What is indexed of one entry.

    Attributes:
        terms: Space-separated, weighted by repetition, stems included.
        facets: Folded values by filter; "" where there is none.
        base: Folded.
        numbers: ``size``, ``context``, ``released`` (as ``20260131``); 0 if not known.
        ranks: Its place in each plain order.
    """

    terms: str
    facets: Mapping[str, str]
    base: str
    numbers: Mapping[str, int]
    ranks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters that a volume's words are asked with; "" and ``None`` for any."""

    facets: Mapping[str, str]
    base: str = ""
    most_bytes: int | None = None
    least_context: int | None = None
    since: int | None = None

    @property
    def plain(self) -> bool:
        """Whether nothing is filtered."""
        numbers = (self.most_bytes, self.least_context, self.since)
        return not (any(self.facets.values()) or self.base or any(n is not None for n in numbers))


class TextIndex:
    """The words of one volume; threads may share it.

    Every method raises CorruptError (``bad_volume``) where the index cannot be read.
    """

    def __init__(self, index: tantivy.Index) -> None:
        self._schema = index.schema
        self._searcher = index.searcher()

    @classmethod
    def open(cls, folder: Path) -> TextIndex:
        """Open what ``build`` wrote."""
        with _damage():
            if os.access(folder, os.W_OK):
                return cls(tantivy.Index.open(str(folder)))
            # tantivy wants a lock file beside what it reads: it gets one beside links to it.
            with tempfile.TemporaryDirectory(prefix="metier-words-") as beside:
                for file in folder.iterdir():
                    if not file.name.endswith(".lock"):
                        (Path(beside) / file.name).symlink_to(file.absolute())
                return cls(tantivy.Index.open(beside))

    @property
    def count(self) -> int:
        """Entries in it."""
        return int(self._searcher.num_docs)

    def known(self, term: str) -> int:
        """How many entries have a term."""
        return int(self._searcher.doc_freq(_TEXT, term))

    def completions(self, start: str) -> list[str]:
        """The most frequent terms that start so, without stems."""
        found = self._searcher.terms_with_prefix(_TEXT, start, limit=256)
        found = [(term, count) for term, count in found if not term.startswith(STEM)]
        found.sort(key=lambda pair: (-pair[1], pair[0]))
        return [term for term, _ in found[:COMPLETIONS]]

    def near(self, term: str, terms_at: Callable[[Sequence[int]], Sequence[str]]) -> str:
        """The likeliest word that was meant by one that nobody has, or "".

        The index finds entries with a word within one or two edits; which word that was is read
        off these entries: the fewest edits, then the most frequent.

        Args:
            term: Of the query.
            terms_at: Places to the terms of their entries.
        """
        for edits in range(1, edits_allowed(term) + 1):
            query = Query.fuzzy_term_query(self._schema, _TEXT, term, distance=edits)
            places = self.places(query, _NEAR)
            near: dict[str, int] = {}
            for terms in terms_at(places):
                for other in set(terms.split(" ")):
                    if other[:1] != STEM and other not in near:
                        apart = distance(term, other, edits)
                        if apart <= edits and mistyped(term, other):
                            near[other] = apart
            if near:
                # The first letter is rarely wrong (Pollock and Zamora 1984).
                return min(
                    near,
                    key=lambda other: (
                        near[other],
                        other[:1] != term[:1],
                        -self.known(other),
                        other,
                    ),
                )
        return ""

    def places(self, query: Query, most: int) -> list[int]:
        """The first places that a query finds."""
        with _damage():
            hits = self._searcher.search(query, max(most, 1), count=False).hits
            return self._places([address for _, address in hits])

    def search(
        self, meant: Sequence[Meant], wanted: Wanted, most: int, *, every: bool = False
    ) -> list[tuple[int, float]]:
        """The best places with their scores, the best first.

        Args:
            meant: The words.
            wanted: Filters.
            most: How many at most.
            every: Whether an entry must have every word.
        """
        with _damage():
            query = self._query(meant, wanted, every=every)
            hits = self._searcher.search(query, max(most, 1), count=False).hits
            places = self._places([address for _, address in hits])
        return list(zip(places, (float(score) for score, _ in hits), strict=True))

    def ordered(self, meant: Sequence[Meant], wanted: Wanted, order: str, most: int) -> list[int]:
        """Places that have every word, by one of the plain orders."""
        with _damage():
            hits = self._searcher.search(
                self._query(meant, wanted, every=True),
                max(most, 1),
                count=False,
                order_by_field=f"by_{order}",
                order=tantivy.Order.Asc,
            ).hits
            return self._places([address for _, address in hits])

    def count_all(self, meant: Sequence[Meant], wanted: Wanted, *, every: bool = False) -> int:
        """How many entries have any of the words (or every one)."""
        if wanted.plain and len(meant) == len(meant[0].terms) == 1 and not meant[0].all_of:
            return self.known(meant[0].terms[0])
        with _damage():
            query = self._query(meant, wanted, every=every)
            return int(self._searcher.search(query, 1, count=True).count)  # type: ignore[attr-defined]  # not in its stubs

    def facets(
        self, meant: Sequence[Meant], wanted: Wanted, *, every: bool = False
    ) -> dict[str, dict[str, int]]:
        """By filter: folded values and how many entries have them, the most frequent 64."""
        asked = {name: {"terms": {"field": name, "size": 64}} for name in FACETS}
        with _damage():
            found = self._searcher.aggregate(self._query(meant, wanted, every=every), asked)
        return {
            name: {
                str(bucket["key"]): int(bucket["doc_count"])
                for bucket in found[name]["buckets"]
                if bucket["key"]
            }
            for name in FACETS
        }

    def _places(self, addresses: list[tantivy.DocAddress]) -> list[int]:
        if not addresses:
            return []
        found = self._searcher.fast_field_values("place", addresses)
        return [int(place) for place in found if place is not None]

    def _query(self, meant: Sequence[Meant], wanted: Wanted, *, every: bool) -> Query:
        words = [self._word(one) for one in meant]
        occur = Occur.Must if every else Occur.Should
        found = words[0] if len(words) == 1 else Query.boolean_query([(occur, q) for q in words])
        if wanted.plain:
            return found
        filters = [(Occur.Must, Query.const_score_query(one, 0.0)) for one in self._filters(wanted)]
        return Query.boolean_query([(Occur.Must, found), *filters])

    def _word(self, meant: Meant) -> Query:
        """Any of its terms, the first counting most: a word itself, then its stem or ending."""
        any_of = [
            self._term(term) if number == 0 else Query.boost_query(self._term(term), 0.7)
            for number, term in enumerate(meant.terms)
        ]
        if meant.all_of:
            parts = [(Occur.Must, self._term(part)) for part in meant.all_of]
            any_of.append(Query.boost_query(Query.boolean_query(parts), 0.7))
        if not any_of:
            return Query.empty_query()
        return any_of[0] if len(any_of) == 1 else Query.disjunction_max_query(any_of)

    def _term(self, term: str) -> Query:
        return Query.term_query(self._schema, _TEXT, term, index_option="freq")

    def _filters(self, wanted: Wanted) -> Iterable[Query]:
        for name, value in {**wanted.facets, "base": wanted.base}.items():
            if value:
                yield Query.term_query(self._schema, name, value, index_option="basic")
        unsigned = tantivy.FieldType.Unsigned
        if wanted.most_bytes is not None:
            # 0 is "not known": who asks for a size wants to know it.
            yield Query.range_query(self._schema, "size", unsigned, 1, max(wanted.most_bytes, 1))
        for name, least in (("context", wanted.least_context), ("released", wanted.since)):
            if least is not None:
                yield Query.range_query(self._schema, name, unsigned, max(least, 1), None)


@contextmanager
def _damage() -> Iterator[None]:
    """The index is ours and its queries are made of terms: what fails, fails by damage."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise CorruptError(
            f"An index of the catalogue cannot be read: {error}.", code="bad_volume"
        ) from error


def build(folder: Path, documents: Iterable[Document]) -> int:
    """Write the words of a volume into an empty folder; returns how many entries there are."""
    index = tantivy.Index(_schema(), str(folder))
    writer = index.writer(_HEAP, 1)
    place = -1
    for place, one in enumerate(documents):
        document = tantivy.Document()
        document.add_unsigned("place", place)
        document.add_text(_TEXT, one.terms)
        for name in FACETS:
            document.add_text(name, one.facets[name])
        document.add_text("base", one.base)
        for name in NUMBERS:
            document.add_unsigned(name, one.numbers[name])
        for name in RANKS:
            document.add_unsigned(f"by_{name}", one.ranks[name])
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    return place + 1


def stems(terms: Sequence[str]) -> list[str]:
    """The English stems of terms, marked, where they differ (Porter 2001)."""
    return [stem for term in terms if (stem := stem_of(term)) and stem[1:] != term]


@lru_cache(maxsize=1 << 16)
def stem_of(term: str) -> str:
    """The marked stem that other forms of a word share with it; "" where there is none."""
    found = _stemmer().analyze(term)
    return STEM + found[0] if len(found) == 1 else ""


@lru_cache(maxsize=1)
def _stemmer() -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
    return builder.filter(tantivy.Filter.stemmer("english")).build()


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("place", fast=True)
    builder.add_text_field(_TEXT, tokenizer_name="whitespace", index_option="freq")
    for name in FACETS:
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    builder.add_text_field("base", tokenizer_name="raw", index_option="basic")
    for name in NUMBERS:
        builder.add_unsigned_field(name, fast=True)
    for name in RANKS:
        builder.add_unsigned_field(f"by_{name}", fast=True)
    return builder.build()
