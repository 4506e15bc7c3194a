"""When the documents move and not the base: the eval that is made of them, and the rule.

It is pure: passages of the pack as it is and of the pack on other documents come in, questions and
a ruling go out. Questions are made by a rule, before any search, and are sealed by their digest:

* *heading*: the title of the page and a heading, asked for the section under it;
* *link*: a sentence that points to another section, asked for that section.

A question is **kept** if the passage that answers it stands in the old documents and, all but for
a few words, in the new ones: it was made of the old. It is **changed** if its passage stands only
in the new. What stands only in the old is not of this world any more and is not asked. An outcome
is 1 if one of the first ``top`` passages found holds the answer as it is now, else 0.

A challenger is promoted if it WINs the changed questions and is not worse on the kept ones.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, Protocol

from metier.card import Verdict
from metier.evals.results import Result, ResultItem
from metier.hop.judging import numbers
from metier.hop.values import Challenger, Ground, Promotion, Ruling
from metier.manifest import canonical_json
from metier.reference import Digest

ALIKE = 0.8
"""Share of its runs of words that a passage has in common with another to be the same one."""
RUN = 4
"""Words of a run."""
WORDS = (6, 40)
"""Fewest and most words of a sentence that asks."""
TOP = 5
"""Passages of an answer, unless the recipe says otherwise."""
MARGIN = 0.03
"""What counts as no worse on the kept questions. Questions of one document hang together: 150
documents whose every answer is the same still have an interval of ±2.8 points."""
MOST = 2_000
"""Questions of a kind at most; those with the lowest digests are taken."""
FORMAT = "metier.documents-eval/1"

Kind = Literal["heading", "link"]
Group = Literal["kept", "changed"]
_WORD = re.compile(r"[^\W_]+")
_LINK = re.compile(r"\[([^\]\n]+)\]\(([^)\s]+)\)")
_TARGET = re.compile(r"\]\([^)]*\)")
_FENCED = re.compile(r"^\s*(`{3,}|~{3,}).*?(?:^\s*\1\s*$|\Z)", re.DOTALL | re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`\[*_\"'(])|\n\s*\n|\n\s*(?:[-*>]|\d+\.)\s+")
_NUMBER = re.compile(r"^\d+-")


class Piece(Protocol):
    """A passage, as far as it matters here."""

    @property
    def id(self) -> str:
        """``version/path#anchor``, with ``~2`` … for further parts of one section."""

    @property
    def path(self) -> str:
        """The document."""

    @property
    def trail(self) -> tuple[str, ...]:
        """Headings from the title down."""

    @property
    def text(self) -> str:
        """Markdown."""

    @property
    def version(self) -> str:
        """What is documented."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question with the passage that answers it.

    Attributes:
        id: Digest of text and answer, twelve digits.
        text: What is asked.
        kind: See the module.
        group: See the module.
        answer: Id of the passage that answers, in the documents that the question was made of.
        cluster: The document that it was made of: its questions hang together.
        runs: Hashes of the answering passage's runs of words, sorted.
    """

    id: str
    text: str
    kind: Kind
    group: Group
    answer: str
    cluster: str
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sealed:
    """The eval of documents that moved.

    Attributes:
        questions: Sorted by id.
        gone: Questions of the old documents whose passage no longer stands anywhere.
        passages: New passages in all.
        unchanged: Of them, those that stand in the old documents too.
    """

    questions: tuple[Question, ...]
    gone: int
    passages: int
    unchanged: int

    @property
    def fingerprint(self) -> str:
        """``sha256:…`` over every question, its group and its answer."""
        return self.of("kept", "changed")

    def of(self, *groups: Group) -> str:
        """``sha256:…`` over the questions of some groups."""
        said = [
            [one.id, one.text, one.kind, one.group, one.answer, one.cluster, list(one.runs)]
            for one in self.questions
            if one.group in groups
        ]
        return str(Digest.of(canonical_json({"format": FORMAT, "questions": said})))

    def count(self, group: Group) -> int:
        """Questions of a group."""
        return sum(one.group == group for one in self.questions)

    def to_bytes(self) -> bytes:
        """The file: a header, then a question a line."""
        header = {
            "format": FORMAT,
            "fingerprint": self.fingerprint,
            "kept": self.count("kept"),
            "changed": self.count("changed"),
            "gone": self.gone,
        }
        lines = [canonical_json(header)]
        for one in self.questions:
            lines.append(
                canonical_json(
                    {
                        "id": one.id,
                        "text": one.text,
                        "kind": one.kind,
                        "group": one.group,
                        "answer": one.answer,
                        "cluster": one.cluster,
                        "runs": list(one.runs),
                    }
                )
            )
        return b"\n".join(lines) + b"\n"


def sealed(old: Sequence[Piece], new: Sequence[Piece]) -> Sealed:
    """The questions on documents that moved, made by the rule; the same passages give the same.

    Args:
        old: Passages of the pack as it is.
        new: Passages of the pack on the other documents.
    """
    before, after = [runs_of(one.text) for one in old], [runs_of(one.text) for one in new]
    standing = _alike(before, after)
    known = _alike(after, before)
    found: list[Question] = []
    gone = 0
    for text, kind, place, cluster in _asked(old):
        if place in standing:
            found.append(_question(text, kind, "kept", (old[place], before[place]), cluster))
        else:
            gone += 1
    for text, kind, place, cluster in _asked(new):
        if place not in known:
            found.append(_question(text, kind, "changed", (new[place], after[place]), cluster))
    chosen = {one.id: one for one in found}
    kept: list[Question] = []
    for group in ("kept", "changed"):
        for kind in ("heading", "link"):
            both = [one for one in chosen.values() if (one.group, one.kind) == (group, kind)]
            kept += sorted(both, key=lambda one: one.id)[:MOST]
    ordered = tuple(sorted(kept, key=lambda one: one.id))
    return Sealed(ordered, gone, len(new), len(known))


def rank(question: Question, texts: Iterable[str]) -> int | None:
    """The place, from 1, of the first passage that holds the answer; ``None`` if none does."""
    wanted = frozenset(question.runs)
    for place, text in enumerate(texts, start=1):
        if _share(wanted, runs_of(text)) >= ALIKE:
            return place
    return None


def result_of(
    ranks: Mapping[str, int | None],
    questions: Sequence[Question],
    *,
    fingerprint: str,
    system: tuple[str, str],
    top: int,
    toolchain: Mapping[str, str],
) -> Result:
    """The outcomes of one pack: 1 where the answer stood among the first ``top``, else 0.

    Args:
        ranks: Question id to place.
        questions: Those that were asked.
        fingerprint: Of the eval.
        system: Digest and name of the pack.
        top: Passages that count.
        toolchain: Name to version of what can change an outcome.
    """
    items = tuple(
        ResultItem(
            one.id,
            one.cluster,
            1.0 if (place := ranks[one.id]) is not None and place <= top else 0.0,
        )
        for one in questions
    )
    scorer = f'found{{"alike":{ALIKE},"run":{RUN},"top":{top}}}'
    return Result(
        system=system[0],
        system_name=system[1],
        eval_fingerprint=fingerprint,
        scorer=scorer,
        items=items,
        toolchain=toolchain,
    )


def decide_documents(challengers: Sequence[Challenger]) -> Promotion:
    """Who is promoted; ``evidence`` is on the kept questions and ``fresh`` on the changed ones.

    One challenger is held against the champion, so there is no luck of the best of many; repeated
    hops ask other questions, since they are made of other documents.

    Args:
        challengers: One, as a rule.
    """
    rulings = [_ruling(one) for one in challengers]
    promoted = next((one.challenger for one in rulings if one.act == "hop"), None)
    first = next((n for n, one in enumerate(rulings) if one.act == "hop"), len(rulings))
    final = tuple(
        one
        if one.act == "kept" or number == first
        else Ruling(one.challenger, "kept", "outdone", f"{one.challenger.key}: another was first.")
        for number, one in enumerate(rulings)
    )
    return Promotion(promoted, final, max(1, len(challengers)))


def runs_of(text: str) -> frozenset[str]:
    """Hashes of the runs of words of a passage; where it links to does not count."""
    words = _WORD.findall(_TARGET.sub("]", text).lower())
    if len(words) < RUN:
        return frozenset([_hash(" ".join(words))]) if words else frozenset()
    return frozenset(_hash(" ".join(words[n : n + RUN])) for n in range(len(words) - RUN + 1))


# -------------------------------------------------------------------------------------- questions


def _asked(pieces: Sequence[Piece]) -> Iterator[tuple[str, Kind, int, str]]:
    """Text, kind, place of the passage that answers, and the document that asks."""
    places = _places(pieces)
    headings = Counter(" ".join(piece.trail).casefold() for piece in pieces if _first(piece))
    for place, piece in enumerate(pieces):
        title = " ".join(piece.trail)
        if (
            _first(piece)
            and headings[title.casefold()] == 1
            and len(piece.text.split()) >= WORDS[0]
        ):
            text = (
                ": ".join(dict.fromkeys((piece.trail[0], piece.trail[-1]))) if piece.trail else ""
            )
            if text:
                yield text, "heading", place, _document(piece)
        for sentence in _SENTENCE.split(_FENCED.sub("\n\n", piece.text)):
            told = " ".join(_plain(sentence).split())
            if not WORDS[0] <= len(told.split()) <= WORDS[1]:
                continue
            for _, target in _LINK.findall(sentence):
                answer = places.get(_key(piece, target))
                if answer is not None and answer != place:
                    yield told, "link", answer, _document(piece)
                    break


def _places(pieces: Sequence[Piece]) -> dict[tuple[str, str, str], int]:
    """Version, page and anchor to the passage; pages whose name is not their own are left out."""
    found: dict[tuple[str, str, str], int] = {}
    pages: dict[tuple[str, str], set[str]] = defaultdict(set)
    for place, piece in enumerate(pieces):
        page = _page(piece.path)
        pages[piece.version, page].add(piece.path)
        if _first(piece):
            found.setdefault((piece.version, page, _anchor(piece)), place)
    return {key: place for key, place in found.items() if len(pages[key[:2]]) == 1}


def _key(piece: Piece, target: str) -> tuple[str, str, str]:
    """What a link points to, as ``_places`` has it; addresses elsewhere match nothing there."""
    path, _, anchor = target.partition("#")
    page = _page(path) if path else _page(piece.path)
    return piece.version, "" if "://" in target else page, anchor


def _page(path: str) -> str:
    last = path.rstrip("/").rpartition("/")[2]
    return _NUMBER.sub("", last.removesuffix(".md").removesuffix(".mdx")).casefold()


def _anchor(piece: Piece) -> str:
    return piece.id.partition("~")[0].partition("#")[2]


def _first(piece: Piece) -> bool:
    """Whether it begins its section."""
    return "~" not in piece.id.rpartition("/")[2]


def _document(piece: Piece) -> str:
    return f"{piece.version.partition('@')[0]}/{piece.path}"


def _plain(markdown: str) -> str:
    return re.sub(r"[`*_>#]+", "", _LINK.sub(r"\1", markdown))


def _question(
    text: str, kind: Kind, group: Group, answer: tuple[Piece, frozenset[str]], cluster: str
) -> Question:
    piece, runs = answer
    key = sha256(canonical_json([text, kind, group, piece.id, cluster])).hexdigest()[:12]
    return Question(key, text, kind, group, piece.id, cluster, tuple(sorted(runs)))


def _alike(ours: Sequence[frozenset[str]], theirs: Sequence[frozenset[str]]) -> set[int]:
    """Places of those of ours that stand among theirs."""
    holding: dict[str, list[int]] = defaultdict(list)
    for place, runs in enumerate(theirs):
        for run in runs:
            holding[run].append(place)
    found = set()
    for place, runs in enumerate(ours):
        shared = Counter(other for run in runs for other in holding.get(run, ()))
        for other, count in shared.items():
            if count >= ALIKE * max(len(runs), len(theirs[other])):
                found.add(place)
                break
    return found


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, len(one), len(other))


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]


# ------------------------------------------------------------------------------------------- rule


def _ruling(challenger: Challenger) -> Ruling:
    kept, changed = challenger.evidence, challenger.fresh
    if challenger.failed:
        return Ruling(challenger, "kept", "failed", f"{challenger.key}: {challenger.failed}")
    if changed is None:
        why = f"{challenger.key}: no question is about anything that changed."
        return Ruling(challenger, "kept", "underpowered", why)
    won = changed.difference.verdict is Verdict.WIN
    same = kept is None or kept.difference.verdict in (
        Verdict.WIN,
        Verdict.TIE,
        Verdict.NOT_WORSE,
    )
    said = f"{challenger.key}: what changed {numbers(changed)}, {changed.difference.verdict.value}"
    if kept is not None:
        said += f"; what did not {numbers(kept)}, {kept.difference.verdict.value}"
    ground: Ground
    if kept is not None and kept.difference.verdict is Verdict.LOSS:
        ground, told = "loss", "it finds less of what did not change."
    elif changed.difference.verdict is Verdict.LOSS:
        ground, told = "fresh", "it finds less of what changed."
    elif won and same:
        ground, told = "win", "promoted."
    else:
        ground, told = "underpowered", _needed(challenger)
    return Ruling(challenger, "hop" if ground == "win" else "kept", ground, f"{said}: {told}")


def _needed(challenger: Challenger) -> str:
    counts = [
        one.difference.needed_n
        for one in (challenger.evidence, challenger.fresh)
        if one is not None and one.difference.needed_n
    ]
    if counts:
        return f"so few questions cannot tell; about {max(counts):,} could."
    return "a challenger must win what changed and not be worse on the rest."
