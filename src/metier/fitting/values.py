"""What an estimate is made of: facts of a model, of this machine, and speeds measured on it.

Values only; ``estimating`` puts them together, ``measuring`` fills the speeds in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from metier.scheduler import Shape

Engine = Literal["llamacpp", "encoder", "tables", "remote", "none"]
"""What would answer: llama.cpp, ONNX Runtime, arrays alone, a service; or nothing that is here."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model before it is loaded.

    Attributes:
        engine: What would run it.
        writes: Whether it writes; the others answer a text at a time.
        shape: What its memory follows from, for models of llama.cpp.
        resident: Bytes that it takes in our own process, for the others; 0 with no ``shape``
            means that not even its size is known.
        read: Bytes that one token reads of the weights, by tensor type (``Q4_K`` …).
        multiplied: Numbers of the weights that one token is multiplied with.
        exact: Whether all this stands in the model's own header; else it is worked out from its
            size and its number of parameters, as models of its size usually are.
        ms_per_text: Time of one answer that its card tells, or ``None``.
        measured_on: Processor and cores of the machine that the card's time was measured on.
        system: Digest of what answers, if it is installed: it may have been asked itself.
        why_not: Why nothing here can run it, or "".
        missing: What must be installed before it runs, as a clause, or "".
        over_base: Whether a base of the person's choice does the work: what it takes is the base's.
        unit: What one answer is given to: ``text`` or ``picture``.
    """

    engine: Engine
    writes: bool
    shape: Shape | None = None
    resident: int = 0
    read: Mapping[str, int] = field(default_factory=dict)
    multiplied: int = 0
    exact: bool = False
    ms_per_text: float | None = None
    measured_on: tuple[str, int] | None = None
    system: str = ""
    why_not: str = ""
    missing: str = ""
    over_base: bool = False
    unit: str = "text"


@dataclass(frozen=True, slots=True)
class Accelerator:
    """A graphics processor or the like that the system shows."""

    name: str
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Here:
    """What this machine gives to models now.

    Attributes:
        processor: Its name.
        cpu_class: Its class: instruction sets and vendor.
        cores: Cores that may be used.
        memory_bytes: Memory of the machine, or of its control group.
        room_now: Bytes that a model can take without another leaving memory.
        room: Bytes that all models together may take.
    """

    processor: str
    cpu_class: str
    cores: int
    memory_bytes: int
    room_now: int
    room: int


@dataclass(frozen=True, slots=True)
class Speeds:
    """What the self-benchmark found, and what it is true of.

    Attributes:
        date: ISO 8601, UTC.
        cpu_class: Of the processor; other classes make it void.
        cores: Threads that were used; another number makes it void.
        version: Of Metier.
        engine: Of llama.cpp's binding.
        bytes_per_second: By tensor type: weights read and multiplied while writing.
        token_seconds: What a token takes beside reading weights.
        multiplied_per_second: Numbers multiplied while a text is read (by llama.cpp).
        encoder_per_second: Numbers multiplied by ONNX Runtime, for encoders.
        ms_per_text: Installed specialists that were asked themselves: digest to milliseconds.
        spread: How far timings of one model lay apart: .1 is a tenth. No estimate is better.
        busy: Processes per core that wanted to compute when measuring began: above about .5 what
            was measured is less than the machine reaches.
        seconds: What measuring took.
    """

    date: str
    cpu_class: str
    cores: int
    version: str
    engine: str
    bytes_per_second: Mapping[str, float]
    token_seconds: float = 0.0
    multiplied_per_second: float | None = None
    encoder_per_second: float | None = None
    ms_per_text: Mapping[str, float] = field(default_factory=dict)
    spread: float = 0.0
    busy: float = 0.0
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return asdict(self)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Speeds:
        """From ``to_dict``; raises KeyError, TypeError or ValueError for others."""
        return cls(
            date=str(plain["date"]),
            cpu_class=str(plain["cpu_class"]),
            cores=int(plain["cores"]),
            version=str(plain["version"]),
            engine=str(plain["engine"]),
            bytes_per_second=_numbers(plain["bytes_per_second"]),
            token_seconds=float(plain["token_seconds"]),
            multiplied_per_second=_number(plain["multiplied_per_second"]),
            encoder_per_second=_number(plain["encoder_per_second"]),
            ms_per_text=_numbers(plain["ms_per_text"]),
            spread=float(plain["spread"]),
            busy=float(plain["busy"]),
            seconds=float(plain["seconds"]),
        )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _numbers(table: Any) -> Mapping[str, float]:
    return {str(key): float(value) for key, value in dict(table).items()}
