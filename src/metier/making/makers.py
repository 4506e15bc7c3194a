"""What the maker is handed: places, the base's encoders, the general model, facts of this machine.

It knows no step of the work; ``assembly`` fills it in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from metier.card import BaseReference, Machine
from metier.engines.remote import Service
from metier.making.rows import Places
from metier.messages import Encoder
from metier.picturing import Pictures


@dataclass(frozen=True)
class Makers:
    """What assembly hands to the maker.

    Attributes:
        places: Where data may come from.
        base: The base by name and digest, or ``None`` if it is not installed here.
        encoder: View (``static``, ``int8``, ``fp32``) to encoder; raises MetierError if missing.
        service: The general model, if one is configured.
        machine: This machine.
        toolchain: What can change a number: library versions and the class of processor.
        threads: Fits at once.
        journals: Folder of interrupted runs.
        today: ISO date.
        resumes: Whether what is climbed is kept until the specialist is installed, so that a make
            that was stopped can go on.
        pictures: Pictures by digest, for what is shown some.
    """

    places: Places
    base: BaseReference | None
    encoder: Callable[[str], Encoder]
    service: Service | None
    machine: Machine
    toolchain: dict[str, str]
    threads: int
    journals: Path
    today: str
    resumes: bool = False
    pictures: Pictures | None = None
