"""Answering: a name and texts in, predictions out; what is loaded is shared and kept.

It knows which parts a specialist needs and that many specialists stand over one base: an encoder
is loaded once, whatever number of heads looks at it. It makes nothing and measures nothing.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from metier.errors import InputError, UnavailableError
from metier.manifest import canonical_json
from metier.messages import Encoder, Prediction
from metier.picturing import VISION_FILE, Pictures
from metier.reference import Digest

if TYPE_CHECKING:
    from metier.engines.classifier import TextClassifier
    from metier.engines.encoder import BaseDescription
    from metier.engines.parts import Member
    from metier.fleet import Fleet, Installed

MOST_LOADED = 256
"""Specialists kept loaded; a head is small, so the limit is one of good order."""


class Held(Protocol):
    """What knows the folder of an installed base."""

    def __call__(self, base: str) -> Path:
        """The folder that holds the base's files under their own names."""


class Answering:
    """The loaded specialists and encoders of one process; threads may share it."""

    def __init__(
        self, fleet: Fleet, base_folder: Held, threads: int, pictures: Pictures | None = None
    ) -> None:
        self._fleet = fleet
        self._base_folder = base_folder
        self._threads = threads
        self._pictures = pictures
        self._lock = threading.Lock()
        self._classifiers: OrderedDict[Digest, TextClassifier] = OrderedDict()
        self._encoders: dict[tuple[Path, str], tuple[str, Encoder]] = {}

    def classify(self, name: str, texts: Sequence[str], *, top: int = 5) -> list[Prediction]:
        """One prediction per text.

        Raises:
            NotFoundError: There is no such specialist.
            InputError: It is a base, or a text is not a string.
            UnavailableError: Its base is not installed, or is another one.
        """
        classifier = self.classifier(name)
        if classifier.task != "classify":
            raise InputError(
                f"{name!r} classifies pictures, not texts.",
                code="wants_pictures",
                remedy=f"Give it picture files: metier run {name} --image FILE.",
            )
        return classifier.predict(texts, top=top)

    def pictured(self, name: str) -> TextClassifier:
        """The loaded classifier of pictures, which is given their digests.

        Raises:
            InputError: It classifies texts (``wants_texts``), or nothing (``not_a_classifier``).
        """
        classifier = self.classifier(name)
        if classifier.task != "classify-image":
            raise InputError(
                f"{name!r} classifies texts, not pictures.",
                code="wants_texts",
                remedy=f"Give it a text: metier run {name} TEXT.",
            )
        return classifier

    def classifier(self, name: str) -> TextClassifier:
        """The loaded specialist; loads it if it is not resident."""
        installed = self._fleet.show(name)
        with self._lock:
            found = self._classifiers.get(installed.digest)
            if found is not None:
                self._classifiers.move_to_end(installed.digest)
                return found
        loaded = self._load(installed)
        with self._lock:
            self._classifiers[installed.digest] = loaded
            while len(self._classifiers) > MOST_LOADED:
                self._classifiers.popitem(last=False)
        return loaded

    def encoder(self, base: str, view: str) -> Encoder:
        """The base's ``static``, ``int8`` or ``fp32`` encoder, loaded once.

        Raises:
            UnavailableError: The base is not installed.
            NotFoundError: It has no such view.
        """
        if view == "features":
            from metier.engines.seeing import PictureFeatures

            return PictureFeatures(self._shelf)
        folder = self._base_folder(base)
        key = (folder, view)
        with self._lock:
            # Another base may have been installed under the name since.
            digest = digest_in(folder)
            known, encoder = self._encoders.get(key, (None, None))
            if encoder is None or known != digest:
                encoder = self._open(folder, view)
                self._encoders[key] = (digest, encoder)
            return encoder

    @property
    def _shelf(self) -> Pictures:
        if self._pictures is None:
            raise AssertionError("answering was opened without a shelf of pictures")
        return self._pictures

    def _open(self, folder: Path, view: str) -> Encoder:
        if view == "vision":
            from metier.engines.seeing import VisionEncoder

            return VisionEncoder(folder, self._shelf, threads=self._threads)
        return _open(folder, view, self._threads)

    def _load(self, installed: Installed) -> TextClassifier:
        from metier.engines.classifier import TextClassifier
        from metier.engines.parts import SPECIALIST_FILE, SpecialistFile

        if installed.kind != "specialist" or installed.manifest.part(SPECIALIST_FILE) is None:
            raise InputError(
                f"{installed.name!r} is a {installed.kind}, which does not classify.",
                code="not_a_classifier",
                remedy="Name a specialist; 'metier list' shows them.",
            )
        specialist = SpecialistFile.from_bytes(self._fleet.read_part(installed, SPECIALIST_FILE))
        if specialist.base is not None:
            self._check_base(installed, specialist.base, specialist.base_digest)

        def encoder_for(member: Member) -> Encoder:
            return self.encoder(specialist.base or "", member.view)

        return TextClassifier.load(
            specialist,
            digest=str(installed.system),
            read=lambda path: self._fleet.read_part(installed, path),
            encoder_for=encoder_for,
        )

    def _check_base(self, installed: Installed, base: str, digest: str | None) -> None:
        found = digest_in(self._base_folder(base))
        if digest is not None and found != digest:
            raise UnavailableError(
                f"{installed.name!r} was made on {base} {digest[:19]}, but {found[:19]} is "
                "installed under that name: its answers would be wrong.",
                code="wrong_base",
                remedy="Install the base it was made on, or make it again on this one.",
            )


def digest_in(folder: Path) -> str:
    """``sha256:…`` of the base in a folder, of texts or of pictures."""
    from metier.engines.encoder import read_base

    if (folder / VISION_FILE).is_file():
        from metier.engines.seeing import read_vision

        return read_vision(folder).digest
    return base_digest(read_base(folder))


def base_digest(base: BaseDescription) -> str:
    """``sha256:…`` of a base: its upstream files by name and digest.

    Graphs that are built from them here are left out, so that a specialist made on one machine
    answers on another whose graph was built by a newer library.
    """
    made = ("encoder-fp32.onnx", "encoder-int8.onnx", "static.safetensors")
    upstream = {name: digest for name, digest in base.digests.items() if name not in made}
    return str(Digest.of(canonical_json(upstream)))


def _open(folder: Path, view: str, threads: int) -> Encoder:
    if view == "static":
        from metier.engines.static import StaticEncoder

        return StaticEncoder(folder)
    from metier.engines.encoder import OnnxEncoder

    if view not in ("fp32", "int8"):
        raise InputError(f"An encoder has no view {view!r}.", code="bad_encoder_settings")
    return OnnxEncoder(folder, "int8" if view == "int8" else "fp32", threads=threads)
