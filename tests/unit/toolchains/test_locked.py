"""Lock files: complete, exact, without a registry, and what of them this machine needs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from metier.errors import NotFoundError
from metier.toolchains.locked import FILES, Lock, Package, lock, names


@pytest.mark.parametrize("name", names())
def test_every_package_has_a_digest_and_none_an_address(name: str) -> None:
    folder = lock(name).folder
    assert {path.name for path in folder.iterdir()} == set(FILES)
    table = json.loads((folder / "package-lock.json").read_text("utf-8"))["packages"]
    for place, facts in table.items():
        assert "resolved" not in facts, place
        if place:
            assert facts["integrity"].startswith("sha512-"), place
            assert re.fullmatch(r"\d+\.\d+\.\d+\S*", facts["version"]), place


@pytest.mark.parametrize("name", names())
def test_what_was_asked_for_is_exact_and_in_the_lock(name: str) -> None:
    wanted = lock(name)
    places = {item.place: item.version for item in wanted.packages}
    for package, version in wanted.versions.items():
        assert places[f"node_modules/{package}"] == version


def test_only_one_program_of_esbuild_is_for_this_machine() -> None:
    programs = [item for item in lock("svelte@5").packages if item.name.startswith("@esbuild/")]
    assert len(programs) == 1
    assert programs[0].needed


def test_the_digest_is_the_lock_files(tmp_path: Path) -> None:
    (tmp_path / "package-lock.json").write_bytes(b"{}")
    assert Lock("x", tmp_path).digest == f"sha256:{hashlib.sha256(b'{}').hexdigest()}"


def test_packages_for_other_systems_are_left_out(tmp_path: Path) -> None:
    packages = {
        "": {"name": "x"},
        "node_modules/a": {"version": "1.0.0", "integrity": "sha512-AA=="},
        "node_modules/b": {"version": "1.0.0", "integrity": "sha512-AA==", "os": ["nowhere"]},
        "node_modules/c": {"version": "1.0.0", "integrity": "sha512-AA==", "os": ["!nowhere"]},
        "node_modules/a/node_modules/@s/d": {
            "version": "1.0.0",
            "integrity": "sha512-AA==",
            "optional": True,
        },
    }
    text = json.dumps({"packages": packages})
    (tmp_path / "package-lock.json").write_text(text, "utf-8")
    found = Lock("x", tmp_path).packages
    assert [(item.name, item.needed) for item in found] == [
        ("a", True),
        ("c", True),
        ("@s/d", False),
    ]


def test_the_place_in_npms_cache_is_made_of_the_digest(tmp_path: Path) -> None:
    digits = "ab" * 64
    encoded = base64.b64encode(bytes.fromhex(digits)).decode()
    package = Package("node_modules/a", "a", "1.0.0", f"sha512-{encoded}")
    expected = tmp_path / "_cacache/content-v2/sha512/ab/ab" / digits[4:]
    assert package.content_in(tmp_path) == expected


@pytest.mark.parametrize("name", ["svelte@6", "", "../svelte@5", "svelte"])
def test_an_unknown_name_is_told_the_known_ones(name: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        lock(name)
    assert caught.value.code == "unknown_toolchain"
    assert "svelte@5" in (caught.value.remedy or "")
