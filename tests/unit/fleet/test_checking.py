"""The door of the fleet: what may become an artifact, part by part."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.errors import CorruptError, InputError
from metier.fleet import CARD, check
from metier.fleet.checking import MAX_CARD_BYTES, MAX_MODEL_BYTES
from metier.localmodel import MODEL_FILE
from metier.manifest import CONFIG_TYPE, DOC_TYPE, FILEPATH, Descriptor, Manifest
from metier.reference import Digest


def descriptor(filepath: str | None, size: int = 2, media_type: str = DOC_TYPE) -> Descriptor:
    notes = {FILEPATH: filepath} if filepath else {}
    digest = str(Digest.of(b"{}"))
    return Descriptor(mediaType=media_type, digest=digest, size=size, annotations=notes)


def manifest(*layers: Descriptor, **changes: object) -> Manifest:
    config = descriptor(None, media_type=CONFIG_TYPE)
    return Manifest.model_validate({"config": config, "layers": layers, **changes})


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    path = tmp_path / "part"
    path.write_bytes(b"{}")
    return path


def test_a_sound_part_passes(empty: Path) -> None:
    check(manifest(descriptor("a.json")), lambda _: empty)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (manifest(descriptor("a.json"), artifactType="other"), "not_a_modelpack"),
        (manifest(), "bad_parts"),
        (manifest(*(descriptor(f"{place}.json") for place in range(1001))), "bad_parts"),
        (manifest(descriptor(None)), "bad_parts"),
        (manifest(descriptor("a.json", media_type="application/x-tar")), "bad_parts"),
        (manifest(descriptor("a.gguf")), "bad_gguf"),
        (manifest(descriptor("a.py")), "unsafe_part"),
        (manifest(descriptor(CARD, MAX_CARD_BYTES + 1)), "too_large"),
        (manifest(descriptor(MODEL_FILE, MAX_MODEL_BYTES + 1)), "too_large"),
    ],
)
def test_what_may_not_come_in(empty: Path, found: Manifest, code: str) -> None:
    with pytest.raises(InputError) as caught:
        check(found, lambda _: empty)
    assert caught.value.code == code


@pytest.mark.parametrize(("name", "code"), [(CARD, "bad_card"), (MODEL_FILE, "bad_model")])
def test_what_describes_it_is_read(empty: Path, name: str, code: str) -> None:
    with pytest.raises(CorruptError) as caught:
        check(manifest(descriptor(name)), lambda _: empty)
    assert caught.value.code == code
