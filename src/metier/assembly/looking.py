"""Looking at rows before a make, with the base of this machine to estimate the time.

It knows which base a make would take; what is found in the rows is ``making.previewing``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from metier.assembly.workbench import Workbench
from metier.errors import MetierError
from metier.messages import Encoder
from metier.recipe import BasePart


class Looking:
    """Looks at rows; threads may share it.

    Args:
        workbench: Fills in what a maker needs.
        base: The base that a make would take; the default one where nobody says.
    """

    def __init__(self, workbench: Workbench, base: str | None = None) -> None:
        self._workbench = workbench
        self._base = base or BasePart().ref

    def preview(
        self,
        data: Path,
        *,
        eval_file: Path | None = None,
        columns: Mapping[str, str | None] = MappingProxyType({}),
        seed: int = 0,
        curve: bool = True,
    ) -> dict[str, Any]:
        """What a make with the default base would find in a file; see ``making.previewing``."""
        from metier.making.asking import Columns
        from metier.making.previewing import preview

        return preview(
            data,
            eval_file=eval_file,
            columns=Columns(**columns),
            seed=seed,
            curve=curve,
            speed=self._speed,
        )

    def clean(self, data: Path, target: Path, *, text: str, label: str) -> dict[str, int]:
        """Write the usable rows of a file as JSON Lines; why others were left out, and how many.

        Raises:
            InputError: No row can be used (code ``no_rows``).
        """
        from metier.datasets.cleaning import clean

        return clean(data, target, text=text, label=label).reasons

    def _speed(self, texts: Sequence[str]) -> float | None:
        makers = self._workbench.makers(self._base, Path(), confined=True)
        return None if makers.base is None or not texts else _seconds(makers.encoder, texts)


def _seconds(encoder: Callable[[str], Encoder], texts: Sequence[str]) -> float | None:
    from metier.making.material import RememberingEncoder

    for view in ("int8", "fp32"):
        try:
            return RememberingEncoder(encoder(view), _unheard).seconds_per_text(texts)
        except MetierError:
            continue  # this base has no such view
    return None


def _unheard(_done: int, _number: int) -> None:
    """Nobody follows the few texts of a measurement."""
