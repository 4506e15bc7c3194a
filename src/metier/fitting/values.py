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
        why_not: Why nothing here can run it, or "".
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
    why_not: str = ""


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
        accelerators: What else computes here.
        engine_uses: Of these, the names of those that the installed engine's build uses.
    """

    processor: str
    cpu_class: str
    cores: int
    memory_bytes: int
    room_now: int
    room: int
    accelerators: tuple[Accelerator, ...] = ()
    engine_uses: tuple[str, ...] = ()


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
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return asdict(self)
