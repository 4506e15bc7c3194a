"""A home with the tiny encoder and a specialist of every kind that a page can run; random heads.

What they answer means nothing; that Python and the page's scripts answer the same does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import tiny_bert
import workshop
from metier.answer import base_digest
from metier.assembly import Metier
from metier.engines.encoder import read_base
from metier.engines.parts import (
    SPECIALIST_FILE,
    Member,
    SpecialistFile,
    pack_hashed,
    pack_head,
)
from metier.heads import LinearHead
from metier.manifest import KIND, TASK
from metier.reference import Reference
from toolchain import toolchains

LABELS = ("delivery", "payment", 'a <b>"label"</b> & \u202emore', "returns", "zażółć")
BUCKETS = 4096
KINDS: dict[str, tuple[str, ...]] = {
    "words": ("linear",),
    "table": ("static",),
    "full": ("fp32",),
    "small": ("int8",),
    "team/both": ("linear", "fp32"),
    "same": ("prior",),
}
"""Specialist to its members."""
THRESHOLDS = {"words": (0.75, 2.9), "table": (0.5, 1.1), "full": (0.5, 0.7)}
"""Probability and energy below which one abstains, so that every decision occurs."""


def opened(home: Path) -> Metier:
    """A ``Metier`` with the specialists of ``KINDS`` and the assets that tests install."""
    metier = workshop.opened(home, METIER_TOOLCHAINS=str(toolchains().folder))
    for name, members in KINDS.items():
        install(metier, name, members)
    return metier


def install(metier: Metier, name: str, members: tuple[str, ...], **rules: Any) -> None:
    """Put a specialist with random heads into the fleet; ``rules`` change its file."""
    random = np.random.default_rng(len(name))
    parts: dict[str, tuple[str, bytes]] = {}
    told = []
    for kind in members:
        member, data = _member(kind, random)
        told.append(member)
        parts[member.file] = ("weight", data)
    needs_base = any(member.kind in ("static", "encoder") for member in told)
    if needs_base:
        folder = metier.fleet.store.folder(Reference.parse(workshop.BASE))
        rules = {"base": workshop.BASE, "base_digest": base_digest(read_base(folder)), **rules}
    abstain, energy = THRESHOLDS.get(name, (0.25, 0.9))
    rules = {"abstain_below": abstain, "energy_below": energy, **rules}
    file = SpecialistFile(labels=LABELS, members=tuple(told), out_of_scope_label="none", **rules)
    parts[SPECIALIST_FILE] = ("weight-config", file.to_bytes())
    metier.fleet.install(
        Reference.parse(name), parts, {KIND: "specialist", TASK: "classify"}, "Apache-2.0"
    )


def _member(kind: str, random: np.random.Generator) -> tuple[Member, bytes]:
    labels = len(LABELS)

    def head(rows: int, scale: float) -> LinearHead:
        weights = (random.normal(size=(rows, labels)) * scale).astype(np.float32)
        return LinearHead(weights, random.normal(size=labels).astype(np.float32) / 3)

    if kind == "linear":
        idf = (1 + random.random(BUCKETS) * 5).astype(np.float32)
        member = Member(
            kind="linear",
            file="linear.safetensors",
            weight=1.7,
            buckets=BUCKETS,
            words=(1, 2),
            characters=(1, 2, 3, 4),
        )
        return member, pack_hashed(idf, head(BUCKETS, 2.0))
    if kind == "prior":
        return Member(kind="prior", file="prior.safetensors"), pack_head(head(0, 1.0))
    static = kind == "static"
    member = Member(
        kind="static" if static else "encoder",
        file=f"{kind}.safetensors",
        weight=0.8,
        precision=None if static else kind,
    )
    return member, pack_head(head(tiny_bert.HIDDEN * (2 if static else 1), 3.0))
