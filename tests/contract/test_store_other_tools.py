"""Another OCI tool reads what we export, and we read what it writes, byte for byte."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from store_worker import install, parts_of

from metier.store import Store

skopeo = pytest.mark.skipif(shutil.which("skopeo") is None, reason="needs skopeo")


@skopeo
def test_skopeo_copies_what_we_wrote_and_we_read_its_copy(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "here")
    install(store, "banking-intents", parts_of(1))
    install(store, "team/two:3", parts_of(2))
    for reference in store.references():
        store.export(reference, tmp_path / "out")
    sources = {
        f"oci:{tmp_path}/out:team/two:3": "team/two:3",
        f"oci:{tmp_path}/here/store:banking-intents:latest": "banking-intents:latest",
    }
    for source, name in sources.items():
        target = f"oci:{tmp_path}/copy:{name}"
        subprocess.run(["skopeo", "copy", source, target], check=True, capture_output=True)
    other = Store.open(tmp_path / "other")
    came = dict(other.import_layout(tmp_path / "copy"))
    assert came == {name: entry.digest for name, entry in store.entries().items()}
    assert other.verify().problems == ()
