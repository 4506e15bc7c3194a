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

    def __init__(self, fleet: Fleet, base_folder: Held, threads: int) -> None:
        self._fleet = fleet
        self._base_folder = base_folder
        self._threads = threads
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
        return self.classifier(name).predict(texts, top=top)

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
        from metier.engines.encoder import read_base

        folder = self._base_folder(base)
        key = (folder, view)
        with self._lock:
            # Another base may have been installed under the name since.
            digest = base_digest(read_base(folder))
            known, encoder = self._encoders.get(key, (None, None))
            if encoder is None or known != digest:
                encoder = _open(folder, view, self._threads)
                self._encoders[key] = (digest, encoder)
            return encoder

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
            view = "static" if member.kind == "static" else member.precision or "fp32"
            return self.encoder(specialist.base or "", view)

        return TextClassifier.load(
            specialist,
            digest=str(installed.system),
            read=lambda path: self._fleet.read_part(installed, path),
            encoder_for=encoder_for,
        )

    def _check_base(self, installed: Installed, base: str, digest: str | None) -> None:
        from metier.engines.encoder import read_base

        found = base_digest(read_base(self._base_folder(base)))
        if digest is not None and found != digest:
            raise UnavailableError(
                f"{installed.name!r} was made on {base} {digest[:19]}, but {found[:19]} is "
                "installed under that name: its answers would be wrong.",
                code="wrong_base",
                remedy="Install the base it was made on, or make it again on this one.",
            )


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
