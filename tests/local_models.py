"""Tiny local models, installed: a base, adapters over it, one that embeds and one that ranks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metier.fleet import Fleet, Installed
from metier.localmodel import MODEL_FILE, AdapterPart, LocalModelFile, base_digest
from metier.manifest import Role
from metier.reference import Digest, Reference


def install_local(
    fleet: Fleet,
    name: str,
    weights: Path,
    adapters: tuple[Path, ...] = (),
    *,
    kind: str = "base",
    **facts: Any,
) -> Installed:
    """Install a GGUF file, with adapters over it, under a name."""
    base = base_digest([Digest.of(weights.read_bytes())], None)
    file = LocalModelFile(
        weights=("model.gguf",),
        adapters=tuple(AdapterPart(file=adapter.name) for adapter in adapters),
        base=str(base),
        **facts,
    )
    parts: dict[str, tuple[Role, bytes | Path]] = {
        "model.gguf": ("weight", weights),
        MODEL_FILE: ("weight-config", file.to_bytes()),
        **{adapter.name: ("weight", adapter) for adapter in adapters},
    }
    return fleet.install(Reference.parse(name), parts, {"io.metier.kind": kind})
