"""An auditor of OCI layouts that shares no code with the store."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def audit(layout: Path) -> dict[str, set[str]]:
    """Check an OCI layout without any of Metier's code; name to the digests that it needs.

    Every blob has its digest, and everything that the index names is there.
    """
    folder = layout / "blobs" / "sha256"
    blobs: dict[str, bytes] = {}
    for path in folder.iterdir() if folder.exists() else ():
        blobs[path.name] = path.read_bytes()
        assert hashlib.sha256(blobs[path.name]).hexdigest() == path.name, f"corrupt: {path}"
    names: dict[str, set[str]] = {}
    index = layout / "index.json"
    for entry in json.loads(index.read_bytes())["manifests"] if index.exists() else ():
        name = entry["annotations"]["org.opencontainers.image.ref.name"]
        hexes = {entry["digest"].removeprefix("sha256:")}
        assert hexes <= blobs.keys(), f"dangling manifest of {name}"
        manifest = json.loads(blobs[entry["digest"].removeprefix("sha256:")])
        for blob in [manifest["config"], *manifest["layers"]]:
            found = blob["digest"].removeprefix("sha256:")
            assert found in blobs, f"dangling blob of {name}"
            assert len(blobs[found]) == blob["size"]
            hexes.add(found)
        names[name] = hexes
    if index.exists():
        assert (layout / "oci-layout").read_bytes() == b'{"imageLayoutVersion":"1.0.0"}'
    return names
