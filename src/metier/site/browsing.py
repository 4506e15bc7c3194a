"""*Run in this page* as values, and the scripts that such a page loads.

It knows what is loaded and how large it is; it runs nothing. The scripts are modules of their own
under one address that changes with any of them, so that a browser may keep them for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from metier.site import words
from metier.site.values import Runs

_FOLDER = Path(__file__).parent / "static" / "running"
LARGE = 50_000_000
"""Bytes above which a page says that it is much for a phone."""


@lru_cache(maxsize=1)
def modules() -> Mapping[str, bytes]:
    """The page's scripts by name."""
    return {path.name: path.read_bytes() for path in sorted(_FOLDER.glob("*.js"))}


@lru_cache(maxsize=1)
def version() -> str:
    """Twelve digits that change with any of the scripts."""
    digest = hashlib.sha256()
    for name, body in modules().items():
        digest.update(name.encode() + b"\0" + body)
    return digest.hexdigest()[:12]


def page_values(running: Runs) -> dict[str, Any]:
    """What the template prints."""
    files = []
    if running.plan is not None:
        files = [(item.name, item.size) for item in running.plan.files]
    programs = [path for path in running.assets.values() if path.suffix == ".wasm"]
    files += [(path.name, path.stat().st_size) for path in programs]
    total = sum(size for _, size in files)
    address = f"/specialists/{quote(running.name)}"
    return {
        "name": running.name,
        "address": address,
        "files": [(name, _about(name), words.size(size)) for name, size in files],
        "total": words.size(total),
        "large": total > LARGE,
        "runs": running.problem is None,
        "exact": running.plan is None or running.plan.exact,
        "encoder": running.plan is not None and running.plan.encoder,
        "problem": running.problem,
        "remedy": running.remedy,
        "scripts": f"/running/{version()}",
        "json_address": f"{address}/run.json",
    }


def _about(name: str) -> str:
    """What a file is, in a few words."""
    known = {
        "tokenizer.json": "parts words into pieces",
        "static.safetensors": "a vector for each piece",
        "model.safetensors": "the encoder's weights",
        "encoder-fp32.onnx": "the encoder's graph",
        "encoder-int8.onnx": "the encoder, weights of 8 bits",
    }
    if name.endswith(".wasm"):
        return "ONNX Runtime Web, which runs the encoder"
    return known.get(name, "the specialist's own weights")
