"""Pictures in one home: how files are decoded, where they are held, and who classifies them.

It knows the worker that decodes and the shelf that holds what is being answered or was sealed;
which label a picture has is the classifier's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from metier.errors import InputError
from metier.pictures import Reader, Shelf, write_pack
from metier.pictures.packs import ENDING
from metier.reference import Digest

if TYPE_CHECKING:
    from metier.answer import Answering
    from metier.evals.items import Eval
    from metier.messages import Prediction
    from metier.picturing import Picture
    from metier.recipe import Recipe

MOST_AT_ONCE = 64
"""Pictures of one question."""


class Picturing:
    """Classifies pictures; threads may share it.

    Args:
        home: The home folder.
        answering: The loaded specialists.
    """

    def __init__(self, home: Path, answering: Callable[[], Answering]) -> None:
        self._evals = home / "evals"
        self._answering = answering
        self.reader = Reader()
        self.shelf = Shelf(self._evals, home / "cache" / "pictures")

    def classify(
        self, name: str, files: Sequence[bytes], *, top: int = 5, where: str = "picture"
    ) -> list[Prediction]:
        """One prediction per picture file, in order.

        Args:
            name: A specialist of the task ``classify-image``.
            files: The bytes of PNG, JPEG or WebP files.
            top: How many labels of each.
            where: What people call one of them; its number is added where there are several.

        Raises:
            NotFoundError: There is no such specialist.
            InputError: It classifies no pictures (``wants_texts``, ``not_a_classifier``), or a
                file is none (``not_a_picture``, ``broken_picture``, ``too_large``).
            UnavailableError: Nothing decodes here (``no_decoder``), or its base is missing.
        """
        return self.classify_decoded(name, self.decoded(files, where=where), top=top)

    def decoded(self, files: Sequence[bytes], *, where: str = "picture") -> list[Picture]:
        """The pictures of some files; raises as ``classify`` does."""
        if not 1 <= len(files) <= MOST_AT_ONCE:
            raise InputError(
                f"{len(files)} pictures were given; 1 to {MOST_AT_ONCE} are answered at once.",
                code="too_many_pictures",
                remedy="Ask in several calls.",
            )
        return self.reader.decode_all(files, where=where)

    def classify_decoded(
        self, name: str, pictures: Sequence[Picture], *, top: int = 5
    ) -> list[Prediction]:
        """One prediction per decoded picture."""
        classifier = self._answering().pictured(name)
        with self.shelf.holding(pictures) as digests:
            return classifier.predict(digests, top=top)

    def recipe_for(self, recipe: Recipe, *, base: str | None = None) -> Recipe:
        """A recipe of examples for pictures; ``base`` names an installed vision encoder."""
        from metier.making.asking import for_pictures

        return for_pictures(recipe, base=base)

    def keep(self, sealed: Eval) -> None:
        """Keep the pictures of a sealed eval beside it, so that it can be run again."""
        write_pack(
            self._pack(sealed.fingerprint), (self.shelf.get(item.text) for item in sealed.items)
        )

    def forget(self, fingerprint: str) -> None:
        """Remove the pictures of a sealed eval."""
        self._pack(fingerprint).unlink(missing_ok=True)

    def holds(self, sealed: Eval) -> bool:
        """Whether every picture of an eval is here."""
        return all(self.shelf.has(item.text) for item in sealed.items)

    def close(self) -> None:
        """End the worker; it may be used again."""
        self.reader.close()

    def _pack(self, fingerprint: str) -> Path:
        return self._evals / f"{Digest.parse(fingerprint).hex}{ENDING}"
