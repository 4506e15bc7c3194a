"""A document pack: built from sources into the files of an artifact, opened, and searched.

It knows how the two halves, words and vectors, are kept together and fused by rank; where the
documents come from and what is done with the passages is not its concern.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from metier.conversing import Passage
from metier.errors import CorruptError, InputError, MetierError
from metier.messages import Encoder, Progress, Report, silent
from metier.reference import Digest
from metier.retrieval.chunking import Chunk, PackSource, chunks_of
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

FUSION_K = 20
"""The constant of reciprocal rank fusion: 1 / (k + rank)."""
VECTOR_WEIGHT = 1.0
"""What a rank among the vectors counts against one among the words."""
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
        """The best passages, best first; an empty list if no word and no meaning is near.

        Args:
            query: A question, some words, a diagnostic's code, a piece of code.
            top: At most so many.
        """
        if top < 1:
            raise InputError(
                f"A search for {top} passages finds nothing.",
                code="bad_top",
                remedy="Ask for 1 or more.",
            )
        ranked = self.rank(query)
        return [self._chunks[row].passage(score) for row, score in ranked[:top]]

    def rank(self, query: str, *, depth: int = DEPTH) -> list[tuple[int, float]]:
        """Rows of chunks with their fused scores, best first."""
        import numpy as np

        query = query[:MAX_QUERY]
        lexical = self._lexicon.search(words_of(query))
        rankings = [(1.0, _best(lexical, depth, above=0.0))]
        if self._encoder is not None and self._vectors is not None and query.strip():
            vector = np.asarray(self._encoder.encode([query])[0], np.float32)
            rankings.append((VECTOR_WEIGHT, _best(self._vectors.search(vector), depth, above=0.0)))
        return fused(rankings)


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
    """Digest of the encoder that a pack needs for meaning, or ``None`` if it has no vectors."""
    encoder = json.loads(read(FACTS)).get("encoder")
    return str(encoder["digest"]) if encoder else None


def _wrong_encoder(name: str, wanted: str, got: str) -> InputError:
    return InputError(
        f"The pack {name!r} was built with the encoder {wanted!r}, not with {got!r}.",
        code="wrong_encoder",
        remedy="Make the pack again, or open it without an encoder.",
    )
