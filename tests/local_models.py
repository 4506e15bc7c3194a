"""Tiny local models, installed: a base, adapters over it, one that embeds and one that ranks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from metier.fleet import Fleet, Installed
from metier.localmodel import AdapterPart, LocalModelFile
from metier.reference import Digest, Reference


def install_local(
    fleet: Fleet,
    name: str,
    weights: Path,
    adapters: tuple[Path, ...] = (),
    *,
    kind: Literal["base", "specialist"] = "base",
    **facts: Any,
) -> Installed:
    """Install a GGUF file, with adapters over it, under a name."""
    file = LocalModelFile(
        weights=("model.gguf",),
        adapters=tuple(AdapterPart(file=adapter.name) for adapter in adapters),
        base="",
        **facts,
    )
    files: dict[str, bytes | Path | Digest] = {"model.gguf": weights}
    files |= {adapter.name: adapter for adapter in adapters}
    return fleet.install_model(Reference.parse(name), file, files, kind=kind)
