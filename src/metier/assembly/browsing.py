"""What pages that run a specialist themselves are given: its plan, and ONNX Runtime Web's files.

It knows where specialists, bases and the installed assets lie; what a plan says is ``answer``'s
and how it is sent is the server's. Plans are kept by digest: making one reads a base's description.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.answer.browsing import MODULE, PROGRAM, RunPlan, alphabet, plan_of
from metier.errors import InputError, NotFoundError, UnavailableError
from metier.fleet import Fleet, Installed
from metier.reference import Digest
from metier.toolchains import Toolchains

if TYPE_CHECKING:
    from metier.answer.browsing import Part
    from metier.engines.encoder import BaseDescription
    from metier.engines.parts import SpecialistFile

ASSETS = "browser"
"""The toolchain that holds them."""
PACKAGED = Path(__file__).parents[1] / "browser_assets"
"""Where a wheel that was built with npm at hand has them."""
_KEPT = 64


def packaged() -> bool:
    """Whether this package has the assets itself."""
    return all((PACKAGED / Path(name).name).is_file() for name in (MODULE, PROGRAM))


class Browsing:
    """Plans and assets of one process; threads may share it."""

    def __init__(
        self,
        fleet: Fleet,
        parts: Callable[[str], Sequence[Part]],
        base_folder: Callable[[str], Path],
        toolchains: Toolchains,
    ) -> None:
        self._fleet = fleet
        self._parts = parts
        self._base_folder = base_folder
        self._toolchains = toolchains
        self._lock = threading.Lock()
        self._plans: OrderedDict[tuple[Digest, Digest | None], RunPlan] = OrderedDict()

    def plan(self, name: str) -> RunPlan:
        """How a browser answers as this classifier.

        Raises:
            NotFoundError: There is no such specialist.
            InputError: It is no classifier (``not_a_classifier``), or of a kind that no page can
                run (``not_for_browsers``).
            UnavailableError: Its base is not here, or is another one.
        """
        installed = self._fleet.show(name)
        specialist = self._read(installed)
        # Another base may have been installed under the name since.
        key = (installed.digest, self._base_manifest(specialist))
        with self._lock:
            found = self._plans.get(key)
        if found is not None:
            return found
        plan = self._plan(installed, specialist)
        with self._lock:
            self._plans[key] = plan
            while len(self._plans) > _KEPT:
                self._plans.popitem(last=False)
        return plan

    def assets(self) -> Mapping[str, Path]:
        """ONNX Runtime Web's two files, by the names that pages load them under.

        Raises:
            UnavailableError: They are not installed (``no_toolchain``).
        """
        if packaged():
            return {Path(name).name: PACKAGED / Path(name).name for name in (MODULE, PROGRAM)}
        modules = self._toolchains.path(ASSETS) / "node_modules"
        return {Path(name).name: modules / name for name in (MODULE, PROGRAM)}

    def alphabet(self) -> Mapping[str, Any]:
        """What this Python takes for letters; every plan is read with it."""
        return alphabet()

    def assets_digest(self) -> str:
        """``sha256:…`` of the lock that fixes the assets."""
        return self._toolchains.digest(ASSETS)

    def _read(self, installed: Installed) -> SpecialistFile:
        from metier.engines.parts import SPECIALIST_FILE, SpecialistFile

        name = installed.name
        if installed.task != "classify" or installed.manifest.part(SPECIALIST_FILE) is None:
            raise InputError(
                f"{name!r} does not classify, and a page runs classifiers only.",
                code="not_a_classifier",
                remedy="Ask it on this server.",
            )
        data = self._fleet.read_part(str(installed.reference), SPECIALIST_FILE)
        return SpecialistFile.from_bytes(data)

    def _base_manifest(self, specialist: SpecialistFile) -> Digest | None:
        try:
            return self._fleet.show(specialist.base).digest if specialist.base else None
        except NotFoundError:
            return None

    def _plan(self, installed: Installed, specialist: SpecialistFile) -> RunPlan:
        name, reference = installed.name, str(installed.reference)

        def base_of() -> tuple[BaseDescription, Sequence[Part]]:
            return self._base(name, specialist)

        return plan_of(name, str(installed.system), specialist, self._parts(reference), base_of)

    def _base(
        self, name: str, specialist: SpecialistFile
    ) -> tuple[BaseDescription, Sequence[Part]]:
        from metier.answer import base_digest
        from metier.engines.encoder import read_base

        base = specialist.base or ""
        description = read_base(self._base_folder(base))
        if specialist.base_digest not in (None, base_digest(description)):
            raise UnavailableError(
                f"{name!r} was made on another {base} than the one that is installed.",
                code="wrong_base",
                remedy="Install the base it was made on, or make it again on this one.",
            )
        return description, self._parts(base)
