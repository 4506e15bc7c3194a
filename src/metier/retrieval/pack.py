"""A document pack: built from sources into the files of an artifact, opened, and searched.

It knows how the two halves, words and vectors, are kept together and fused by rank; where the
documents come from and what is done with the passages is not its concern.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from metier.conversing import Passage
from metier.errors import CorruptError, InputError, MetierError
from metier.messages import Encoder, Progress, Report, silent
from metier.reference import Digest
from metier.retrieval.chunking import Chunk, PackSource, chunks_of
from metier.retrieval.finding import Found, probability, share_of_words
from metier.retrieval.lexical import Lexicon, build_lexicon, lexicon_parts, read_lexicon
from metier.retrieval.vectors import Vectors, build_vectors, read_vectors, vector_parts
from metier.retrieval.words import words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = "metier-pack/1"
FACTS = "pack.json"
CHUNKS = "chunks.jsonl"
MAX_CHUNKS = 200_000
"""More than that is no documentation; the search is a product over all of them."""
MAX_QUERY = 4_000
"""Characters of a query that are read; a pasted file is cut here."""

FUSION_K = 10
"""The constant of reciprocal rank fusion: 1 / (k + rank); chosen on the development half of
``benchmarks/questions``."""
VECTOR_WEIGHT = 1.0
"""What a rank among the vectors counts against one among the words."""
UNKNOWN_WORD = 8.0
"""How telling a word is that stands in no passage: as much as one that stands in one."""
DEPTH = 100
"""Ranks of each half that take part."""


class Pack:
    """An open pack; a ``conversing.Searcher``. Reading only, so threads may share it."""

    def __init__(
        self,
        chunks: Sequence[Chunk],
        lexicon: Lexicon,
        vectors: Vectors | None,
        encoder: Encoder | None,
        *,
        name: str,
        digest: str,
    ) -> None:
        self._chunks = tuple(chunks)
        self._lexicon = lexicon
        self._vectors = vectors
        self._encoder = encoder if vectors is not None else None
        self._name = name
        self._subjects = _subjects(self._chunks)
        way = "words" if self._encoder is None else f"words+{self._encoder.digest}"
        self._digest = str(Digest.of(f"{digest}\n{way}".encode()))

    @property
    def name(self) -> str:
        """The pack's name, ``svelte-docs``."""
        return self._name

    @property
    def digest(self) -> str:
        """``sha256:…`` of its artifact and its way of searching."""
        return self._digest

    @property
    def way(self) -> str:
        """``words and meaning``, or ``words only`` where the encoder is missing."""
        return "words and meaning" if self._encoder is not None else "words only"

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """Every chunk, in the order of the pack."""
        return self._chunks

    def search(self, query: str, *, top: int = 5) -> list[Passage]:
        """The best passages, best first, one of each section; none if nothing is near.

        Args:
            query: A question, some words, a diagnostic's code, a piece of code.
            top: At most so many.
        """
        return list(self.find(query, top=top).passages)

    def find(self, query: str, *, top: int = 5) -> Found:
        """The same passages, with the probability that one of them answers the question."""
        if top < 1:
            raise InputError(
                f"A search for {top} passages finds nothing.",
                code="bad_top",
                remedy="Ask for 1 or more.",
            )
        words = words_of(query[:MAX_QUERY])
        ranked, cosines = self._ranked(query[:MAX_QUERY], words)
        rows: list[int] = []
        passages: list[Passage] = []
        sections: set[str] = set()
        for row, score in ranked:
            section = self._chunks[row].id.partition("~")[0]
            if section not in sections:
                sections.add(section)
                rows.append(row)
                passages.append(self._chunks[row].passage(score))
            if len(rows) == top:
                break
        if not rows:
            return Found((), 0.0, self.way)
        best = [self._chunks[row] for row in rows]
        held = [frozenset(words_of(" ".join((*chunk.trail, chunk.text)))) for chunk in best]
        rarities = {word: self._lexicon.rarity(word) or UNKNOWN_WORD for word in words}
        nearest = None if cosines is None else float(cosines[rows].max())
        likely = probability(nearest, share_of_words(rarities, held))
        return Found(tuple(passages), likely, self.way)

    def _ranked(
        self, query: str, words: Sequence[str]
    ) -> tuple[list[tuple[int, float]], NDArray[np.float32] | None]:
        """Rows with their fused scores, best first, and every row's cosine."""
        import numpy as np

        rankings = [(1.0, _best(self._lexicon.search(words), DEPTH, above=0.0))]
        if self._encoder is None or self._vectors is None or not query.strip():
            return fused(rankings), None
        vector = np.asarray(self._encoder.encode([_asked(query, self._subjects)])[0])
        cosines = self._vectors.search(vector)
        rankings.append((VECTOR_WEIGHT, _best(cosines, DEPTH, above=0.0)))
        return fused(rankings), cosines


def fused(
    rankings: Sequence[tuple[float, Sequence[int]]], *, k: float = FUSION_K
) -> list[tuple[int, float]]:
    """Reciprocal rank fusion: the sum of weight / (k + rank) over the rankings that have a row.

    Args:
        rankings: Weight and rows, best first.
        k: How much the first ranks count against later ones.

    Source: Cormack, Clarke, Büttcher, "Reciprocal rank fusion outperforms Condorcet and
    individual rank learning methods", SIGIR 2009.
    """
    scores: dict[int, float] = {}
    for weight, rows in rankings:
        for rank, row in enumerate(rows, start=1):
            scores[row] = scores.get(row, 0.0) + weight / (k + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def _subjects(chunks: Sequence[Chunk]) -> frozenset[str]:
    """Names of what the whole pack is about, from its versions: ``svelte``, ``kit``."""
    names = {chunk.version.partition("@")[0].lower() for chunk in chunks}
    return frozenset(name for name in names if name)


def _asked(query: str, subjects: frozenset[str]) -> str:
    """The query without "in Svelte 5": every passage is about that, so it tells none apart.

    An encoder would draw the question to passages that name the subject.
    """
    if not subjects:
        return query
    names = "|".join(sorted(re.escape(name) for name in subjects))
    subject = rf"(?:{names})(?:(?:{names})|js|\.js)?(?:@?\s?\d+(?:\.\d+)*)?"
    joined = rf"\b(?:in|with|using|for|on)\s+(?:my\s+)?{subject}(?![\w:@/.-]*\w)"
    shorter = re.sub(joined, " ", query, flags=re.IGNORECASE)
    shorter = re.sub(rf"^\s*{subject}\s*[:,-]\s+", "", shorter, flags=re.IGNORECASE)
    return " ".join(shorter.split()) or query


def _best(scores: NDArray[np.float32], depth: int, *, above: float) -> list[int]:
    """Rows of the highest scores above a bound, best first, ties in order of rows."""
    import numpy as np

    rows = np.flatnonzero(scores > above)
    if len(rows) > depth:
        bound = np.partition(scores[rows], len(rows) - depth)[len(rows) - depth]
        rows = rows[scores[rows] >= bound]
    order = np.argsort(-scores[rows], kind="stable")
    return [int(row) for row in rows[order][:depth]]


# ------------------------------------------------------------------------------------- building


def build_pack(
    sources: Sequence[PackSource],
    *,
    encoder: Encoder | None,
    report: Report = silent,
) -> dict[str, bytes]:
    """The files of a pack's artifact: the same sources and encoder give the same bytes.

    Args:
        sources: Documents with what is known about them, in the order of the recipe.
        encoder: Encodes the chunks; without one the pack is searched by its words only.
        report: Told what is done, stages ``chunks``, ``words``, ``vectors``.

    Raises:
        InputError: Codes ``empty_pack``, ``pack_too_large``, ``two_chunks``.
    """
    report(Progress("chunks", "Cutting the documents into sections.", 0.0))
    chunks = [chunk for source in sources for chunk in chunks_of(source)]
    _check_chunks(chunks)
    report(Progress("words", f"Counting words in {len(chunks):,} sections.", 0.05))
    lexicon = build_lexicon(
        [words_of(chunk.text) for chunk in chunks],
        [words_of(" ".join(chunk.trail)) for chunk in chunks],
    )
    parts = {CHUNKS: b"".join(chunk.as_line() for chunk in chunks), **lexicon_parts(lexicon)}
    facts: dict[str, Any] = {
        "format": FORMAT,
        "chunks": len(chunks),
        "documents": len({(chunk.version, chunk.path) for chunk in chunks}),
        "sources": [{"source": item.source, "version": item.version} for item in sources],
        "encoder": None,
    }
    if encoder is not None:
        message = f"Encoding {len(chunks):,} sections."

        def share_done(share: float) -> None:
            report(Progress("vectors", message, 0.1 + 0.9 * share))

        vectors = build_vectors(
            [(chunk.trail, chunk.text) for chunk in chunks], encoder, share_done
        )
        parts |= vector_parts(vectors)
        facts["encoder"] = {
            "name": encoder.name,
            "digest": encoder.digest,
            "dimension": encoder.dimension,
        }
    parts[FACTS] = json.dumps(facts, ensure_ascii=False, indent=1).encode() + b"\n"
    return parts


def _check_chunks(chunks: Sequence[Chunk]) -> None:
    if not chunks:
        raise InputError(
            "The documents have no words to search.",
            code="empty_pack",
            remedy="Name a folder with markdown files (.md, .mdx, .markdown) in the recipe.",
        )
    if len(chunks) > MAX_CHUNKS:
        raise InputError(
            f"The documents make {len(chunks):,} sections; {MAX_CHUNKS:,} are allowed in a pack.",
            code="pack_too_large",
            remedy="Name the folders that matter in the recipe, or make several packs.",
        )
    ids: set[str] = set()
    for chunk in chunks:
        if chunk.id in ids:
            raise InputError(
                f"Two sources of the pack have a section {chunk.id!r}.",
                code="two_chunks",
                remedy="Give each source a version of its own in the recipe.",
            )
        ids.add(chunk.id)


# -------------------------------------------------------------------------------------- opening


def open_pack(
    read: Callable[[str], bytes],
    *,
    encoder: Encoder | None,
    name: str,
    digest: str,
) -> Pack:
    """Open a pack.

    Args:
        read: Gives the bytes of a part of the artifact.
        encoder: The encoder that it was built with, or ``None``: then it is searched by its words
            only and ``way`` says so. Another encoder is refused: its vectors mean something else.
        name: The pack's name.
        digest: Of the artifact.

    Raises:
        InputError: Code ``wrong_encoder``.
        CorruptError: Code ``bad_pack``.
    """
    try:
        facts = json.loads(read(FACTS))
        if facts["format"] != FORMAT:
            raise ValueError(f"its format is {facts['format']!r}")
        chunks = [Chunk.from_line(line) for line in read(CHUNKS).splitlines()]
        lexicon = read_lexicon(read)
        if not len(chunks) == lexicon.count == facts["chunks"]:
            raise ValueError("its parts are of different lengths")
        known = facts["encoder"]
        vectors = None
        if known is not None and encoder is not None:
            if known["digest"] != encoder.digest:
                raise _wrong_encoder(name, known["name"], encoder.name)
            vectors = read_vectors(read, count=len(chunks), dimension=int(known["dimension"]))
    except MetierError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise CorruptError(
            f"The pack {name!r} cannot be opened: {error}.",
            code="bad_pack",
            remedy="Make or pull it again.",
        ) from error
    return Pack(chunks, lexicon, vectors, encoder, name=name, digest=digest)


def built_with(read: Callable[[str], bytes]) -> str | None:
    """Digest of the encoder that a pack needs for meaning, or ``None`` if it has no vectors.

    Raises CorruptError (code ``bad_pack``).
    """
    try:
        encoder = json.loads(read(FACTS)).get("encoder")
        return str(encoder["digest"]) if encoder else None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptError(
            f"{FACTS} is not the description of a pack: {error}.",
            code="bad_pack",
            remedy="Make or pull it again.",
        ) from error


def _wrong_encoder(name: str, wanted: str, got: str) -> InputError:
    return InputError(
        f"The pack {name!r} was built with the encoder {wanted!r}, not with {got!r}.",
        code="wrong_encoder",
        remedy="Make the pack again, or open it without an encoder.",
    )
