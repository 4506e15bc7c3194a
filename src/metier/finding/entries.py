"""An entry of a catalogue: what is known of one specialist or model, and where each fact was read.

Facts only. What somebody reports about quality is a claim; what was measured in pairs is evidence,
and stays a claim too until it was measured here or is signed by a key that this person trusts.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from metier.card import Evidence, Frozen
from metier.manifest import canonical_json

Line = Annotated[str, StringConstraints(max_length=300)]
Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Source(Frozen):
    """A page that was read: its address and the day."""

    address: Annotated[str, StringConstraints(pattern=r"^https://\S{4,900}$")]
    read: Day


class Claim(Frozen):
    """A number that somebody reports: not measured by us.

    Attributes:
        metric: ``accuracy``, ``pass@1``, ``F1`` … as its source says.
        value: As its source says, in ``unit``.
        unit: ``%``, ``share``, ``points``, ``tokens/s`` or "".
        on: The eval or data set.
        by: Who reports it.
        n: Items, if the source says so.
        rival: What it is compared with, as ``name: value``, or "".
        note: What a reader must know to read it rightly.
        source: Where it was read.
    """

    metric: Line
    value: float
    unit: Line = ""
    on: Line = ""
    by: Line = ""
    n: int | None = None
    rival: Line = ""
    note: Line = ""
    source: Source


class Entry(Frozen):
    """One specialist or model of a catalogue. See ``docs/formats/catalogue.md``.

    Attributes:
        name: Unique in its catalogue: ``owner/name`` upstream, or a specialist's name.
        kind: ``specialist`` (made for one job) or ``model`` (a general model or a base).
        task: ``classify``, ``classify-image``, ``chat``, ``complete``, ``embed``, ``rerank``,
            ``entities``, ``extract``, ``search`` or ``describe-image``.
        domain: ``svelte``, ``react``, ``python``, ``code``, ``sql``, ``maths``, ``pii``,
            ``general`` …
        also: Further words that people search it by.
        description: One sentence, ours.
        upstream: Where it lives: an https address.
        pull: What ``metier pull`` takes, or "" if Metier cannot run it yet.
        parameters: Their number.
        size_bytes: Of the file that ``pull`` brings.
        quantization: Of that file.
        context: Tokens.
        licence: SPDX name where there is one, else the upstream's word.
        base: What it was made from, as upstream says.
        languages: ISO 639 codes, or names of programming languages.
        released: ISO date.
        claims: What is reported about its quality.
        evidence: Paired comparisons that its publisher made; a claim here.
        card: ``sha256:`` of its card, if the catalogue brings it along.
        sources: For each fact, by the name of its field, the page on which it was read.
    """

    format: Literal[1] = 1
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    kind: Literal["specialist", "model"]
    task: Line
    domain: Line = "general"
    also: tuple[Line, ...] = ()
    description: Annotated[str, StringConstraints(max_length=2000)] = ""
    upstream: Annotated[str, StringConstraints(max_length=900)] = ""
    pull: Line = ""
    parameters: int | None = Field(default=None, ge=0)
    size_bytes: int | None = Field(default=None, ge=0)
    quantization: Line = ""
    context: int | None = Field(default=None, ge=0)
    licence: Line | None = None
    base: Line | None = None
    languages: tuple[Line, ...] = ()
    released: str | None = None
    claims: tuple[Claim, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    card: str | None = None
    sources: dict[str, Source] = Field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical_json(self.model_dump(mode="json", exclude_defaults=True))

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return self.model_dump(mode="json")
