"""When the world moves: a document pack made again on other documents, and promoted only on proof.

It knows what of the champion is reused and who asks the questions. Which documents are meant is
``versions``'; which questions, and the rule, are ``hop.documents``'; the change of names is
``promoting``'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from metier.answer import Answering
from metier.assembly.making import Making
from metier.assembly.promoting import Promoting
from metier.assembly.shelves import VIEW
from metier.assembly.versions import Version, versions, versions_for, wanted
from metier.assembly.workbench import Workbench, never, today, toolchain
from metier.card import Evidence
from metier.errors import InputError, MetierError, UnavailableError
from metier.fleet import Installed
from metier.hop import Challenger, Hopped
from metier.messages import Encoder, Progress, Report, silent
from metier.recipe import DocumentPart, SearchRecipe
from metier.reference import Digest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from metier.evals.results import Result
    from metier.hop.documents import Group, Question, Sealed
    from metier.messages import FloatArray
    from metier.retrieval import Pack
    from metier.retrieval.chunking import Chunk


@dataclass
class Remembering:
    """An encoder that encodes no text twice, nor what the champion's pack holds already.

    A vector is kept with 16 bits and comes back as it was, so that nothing changes by it.

    Attributes:
        encoder: What encodes the rest.
        known: Text to its vector, float32; grows.
        reused, encoded: Texts so far.
    """

    encoder: Encoder
    known: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    reused: int = 0
    encoded: int = 0

    @property
    def name(self) -> str:
        """The encoder's."""
        return self.encoder.name

    @property
    def digest(self) -> str:
        """The encoder's."""
        return self.encoder.digest

    @property
    def dimension(self) -> int:
        """The encoder's."""
        return self.encoder.dimension

    @property
    def size_bytes(self) -> int:
        """The encoder's."""
        return self.encoder.size_bytes

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors; those that are known are not worked out."""
        import numpy as np

        rest = list(dict.fromkeys(text for text in texts if text not in self.known))
        if rest:
            self.known.update(zip(rest, self.encoder.encode(rest), strict=True))
        self.encoded += len(rest)
        self.reused += len(texts) - len(rest)
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        return np.stack([self.known[text] for text in texts]).astype(np.float32)


class MovingDocuments:
    """The packs of one home, hopped from documents to documents."""

    def __init__(
        self, workbench: Workbench, maker: Making, answering: Answering, promoting: Promoting
    ) -> None:
        self._workbench = workbench
        self._fleet = workbench.fleet
        self._maker = maker
        self._answering = answering
        self._promoting = promoting

    def versions(self) -> dict[str, DocumentPart]:
        """Versions of documents that have a name."""
        return versions()

    def offers(self, name: str) -> tuple[Version, ...]:
        """Versions of what a pack documents, those that it holds too; none where it may not hop."""
        try:
            recipe = self._recipe(self._promoting.champion(name))
        except MetierError:
            return ()
        return versions_for(name, recipe)

    def hop(
        self,
        name: str,
        docs: str,
        *,
        report: Report = silent,
        cancelled: Callable[[], bool] = never,
    ) -> Hopped:
        """Make a pack on other documents and promote it if it finds what changed.

        Args:
            name: An installed document pack.
            docs: A version by name (``kit@3``), a folder of markdown, or ``VERSION=FOLDER``.
            report: Receives progress.
            cancelled: Stops the work; the champion stays.

        Raises:
            InputError: ``not_a_pack``, ``other_documents`` (it holds none of that kind),
                ``which_documents``, ``same_documents``.
            NotFoundError: ``no_version``: neither a name nor a folder.
            UnavailableError: The documents cannot be had; ``hopping``: it is hopped already.
        """
        from metier.hop.documents import decide_documents

        start, processor = time.monotonic(), time.process_time()
        with self._promoting.alone(name) as champion:
            recipe = self._recipe(champion)
            place, part = wanted(docs, recipe)
            moved = _moved(recipe, place, part)
            key = part.version or Path(part.path).name
            began = time.monotonic(), time.process_time()
            encoder = self._encoder(champion, recipe)
            made = self._maker.pack_challenger(
                moved,
                encoder,
                report,
                cancelled,
                aside=lambda card: self._promoting.aside(champion.reference, card.system),
            )
            if made.system == champion.system:
                raise InputError(
                    f"{champion.name!r} holds these very documents already.",
                    code="same_documents",
                    remedy="Name another version, or a folder whose files changed.",
                )
            reused = _reused(encoder)
            challenger = self._asked(champion, made, key, encoder, report, cancelled)
            challenger = _timed(challenger, began, reused)
            promotion = self._promoting.conclude(champion, [challenger], rule=decide_documents)
        for ruling in promotion.rulings:
            report(Progress("judge", ruling.why, data=ruling.to_dict()))
        hopped = Hopped(
            name=champion.name,
            champion=str(champion.system),
            champion_key=", ".join(one.version or one.path for one in recipe.data),
            promotion=promotion,
            seconds=time.monotonic() - start,
            cpu_seconds=time.process_time() - processor,
            reused=reused,
        )
        report(Progress("done", promotion.why, 1.0, data=hopped.to_dict()))
        return hopped

    # --- the challenger -------------------------------------------------------------------------

    def _recipe(self, champion: Installed) -> SearchRecipe:
        """The champion's recipe, its local folders found again."""
        recipe = None if champion.pack is None else self._workbench.recipe_of(champion.name)
        if not isinstance(recipe, SearchRecipe):
            raise InputError(
                f"{champion.name!r} is no document pack, so it stands on no documents.",
                code="not_a_pack",
                remedy="'metier list' shows the task of each; packs have the task search.",
            )
        sources = self._workbench.sources
        placed = tuple(
            part.model_copy(update={"path": sources.where(part.files_sha256) or part.path})
            if part.kind == "dir"
            else part
            for part in recipe.data
        )
        return recipe.model_copy(update={"data": placed})

    def _encoder(self, champion: Installed, recipe: SearchRecipe) -> Remembering | None:
        """What encodes passages and questions; it knows the champion's passages."""
        from metier.retrieval.pack import built_with

        built = built_with(lambda path: self._fleet.read_part(champion, path))
        if built is None or recipe.base.ref is None:
            return None
        try:
            encoder = self._answering.encoder(recipe.base.ref, VIEW)
        except MetierError as error:
            raise UnavailableError(
                f"{champion.name!r} is searched by meaning, and its encoder cannot be had: "
                f"{error.message}",
                code="base_missing",
                remedy=error.remedy,
            ) from error
        if built != encoder.digest:
            return Remembering(encoder)
        return Remembering(encoder, self._known(champion, encoder))

    def _known(self, champion: Installed, encoder: Encoder) -> dict[str, NDArray[np.float32]]:
        """The champion's windows with their vectors."""
        from metier.retrieval.vectors import read_vectors, windows

        chunks = self._chunks(champion)
        kept = read_vectors(
            lambda path: self._fleet.read_part(champion, path),
            count=len(chunks),
            dimension=encoder.dimension,
        )
        texts = [text for chunk in chunks for text in windows(chunk.trail, chunk.text)]
        if len(texts) != len(kept.matrix):
            return {}
        return dict(zip(texts, kept.matrix.astype("float32"), strict=True))

    def _chunks(self, pack: Installed) -> list[Chunk]:
        from metier.retrieval.chunking import Chunk
        from metier.retrieval.pack import CHUNKS

        lines = self._fleet.read_part(pack, CHUNKS).splitlines()
        return [Chunk.from_line(line) for line in lines]

    # --- the eval -------------------------------------------------------------------------------

    def _asked(
        self,
        champion: Installed,
        made: Installed,
        key: str,
        encoder: Encoder | None,
        report: Report,
        cancelled: Callable[[], bool],
    ) -> Challenger:
        """Seal the questions, then ask both packs."""
        from metier.hop.documents import MARGIN, sealed

        questions = sealed(self._chunks(champion), self._chunks(made))
        self._seal(champion.name, questions)
        kept, changed = questions.count("kept"), questions.count("changed")
        report(
            Progress(
                "eval",
                f"{kept:,} questions on what did not change and {changed:,} on what did are "
                f"sealed: {questions.fingerprint}.",
                data={"kept": kept, "changed": changed, "gone": questions.gone},
            )
        )
        results: dict[str, dict[Group, Result]] = {}
        for number, pack in enumerate((made, champion)):
            opened = self._opened(pack, encoder)
            results[pack.name] = self._answers(opened, pack, questions, number, report, cancelled)
        found: dict[Group, Evidence] = {}
        for group, first in results[made.name].items():
            second = results[champion.name][group]
            margin = MARGIN if group == "kept" else None
            found[group] = self._compared((champion, made), key, (first, second), margin)
        return Challenger(
            key=key,
            system=str(made.system),
            name=made.name,
            evidence=found.get("kept"),
            fresh=found.get("changed"),
        )

    def _seal(self, name: str, questions: Sealed) -> None:
        """The file, then a row of the ledger: both before any pack is asked."""
        from metier.evals.items import write_whole
        from metier.hop.documents import FORMAT

        digest = Digest.parse(questions.fingerprint)
        folder = self._workbench.home / "evals" / "documents"
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / f"{digest.hex}.jsonl", questions.to_bytes())
        body = {
            "format": FORMAT,
            "role": "documents",
            "fingerprint": questions.fingerprint,
            "kept": questions.count("kept"),
            "changed": questions.count("changed"),
            "gone": questions.gone,
            "passages": questions.passages,
            "unchanged": questions.unchanged,
        }
        self._workbench.ledger.append("result", name, digest, body)

    def _opened(self, pack: Installed, encoder: Encoder | None) -> Pack:
        from metier.retrieval import open_pack

        return open_pack(
            lambda path: self._fleet.read_part(pack, path),
            encoder=encoder,
            name=pack.name,
            digest=str(pack.system),
        )

    def _answers(
        self,
        opened: Pack,
        pack: Installed,
        questions: Sealed,
        number: int,
        report: Report,
        cancelled: Callable[[], bool],
    ) -> dict[Group, Result]:
        """What one pack finds, by group; filed as results."""
        from metier.evals.results import Timings, write_result
        from metier.hop.documents import TOP, rank, result_of

        ranks: dict[str, int | None] = {}
        seconds: dict[str, float] = {}
        everything = questions.questions
        for place, question in enumerate(everything):
            if cancelled():
                raise UnavailableError(
                    "The hop was stopped; the champion stays.", code="cancelled", retryable=True
                )
            began = time.perf_counter()
            passages = opened.search(question.text, top=TOP)
            seconds[question.id] = time.perf_counter() - began
            ranks[question.id] = rank(question, [one.text for one in passages])
            if place % 100 == 0:
                share = (number + place / len(everything)) / 2
                report(Progress("eval", f"Asking {pack.name}.", share))
        found: dict[Group, Result] = {}
        groups: tuple[Group, ...] = ("kept", "changed")
        for group in groups:
            own: list[Question] = [one for one in everything if one.group == group]
            if not own:
                continue
            plain = result_of(
                ranks,
                own,
                fingerprint=questions.of(group),
                system=(str(pack.system), pack.name),
                top=TOP,
                toolchain=toolchain(),
            )
            timed = {one.id: seconds[one.id] for one in own}
            plain = replace(plain, timings=Timings(date=today(), seconds=timed))
            folder = self._workbench.home / "results"
            folder.mkdir(parents=True, exist_ok=True)
            write_result(folder / f"{Digest.parse(plain.digest).hex}.jsonl", plain)
            found[group] = plain
        return found

    def _compared(
        self,
        packs: tuple[Installed, Installed],
        key: str,
        results: tuple[Result, Result],
        margin: float | None,
    ) -> Evidence:
        """The challenger against the champion on one group of questions, into the ledger."""
        from metier.evals.comparing import compare

        (champion, made), (first, second) = packs, results
        costs = []
        for pack, result in ((made, first), (champion, second)):
            card = pack.pack
            assert card is not None
            milliseconds = result.timings.median_ms() if result.timings else None
            costs.append(card.cost.model_copy(update={"ms_per_text": milliseconds}))
        found = compare(
            first,
            second,
            against="other",
            command=f"metier hop {champion.name} --docs {key}",
            date=today(),
            margin=margin if margin is not None else 0.01,
            costs=(costs[0], costs[1]),
        )
        body = found.model_dump(mode="json")
        self._workbench.ledger.append("evidence", champion.name, Digest.parse(first.digest), body)
        return found


def _moved(recipe: SearchRecipe, place: int, part: DocumentPart) -> SearchRecipe:
    data = tuple(part if number == place else one for number, one in enumerate(recipe.data))
    return recipe.model_copy(update={"data": data})


def _reused(encoder: Remembering | None) -> tuple[str, ...]:
    """Said before the questions are encoded, which are none of the champion's texts."""
    if encoder is None or not encoder.reused:
        return ()
    total = encoder.reused + encoder.encoded
    return (f"{encoder.reused:,} of {total:,} vectors",)


def _timed(
    challenger: Challenger, began: tuple[float, float], reused: tuple[str, ...]
) -> Challenger:
    return replace(
        challenger,
        seconds=time.monotonic() - began[0],
        cpu_seconds=time.process_time() - began[1],
        reused=reused,
    )


def open_moving(
    workbench: Workbench, maker: Making, answering: Answering, promoting: Promoting
) -> MovingDocuments:
    """The packs of one home that may move."""
    return MovingDocuments(workbench, maker, answering, promoting)
