"""What is installed, what is not, and what each says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.errors import NotFoundError, UnavailableError
from metier.toolchains import KNOWN, Toolchains


def placed(folder: Path, name: str) -> Path:
    """A toolchain's place, as an install leaves it."""
    digest = Toolchains(folder).digest(name).removeprefix("sha256:")
    place = folder / name / digest[:12]
    (place / "node_modules").mkdir(parents=True)
    return place


def test_nothing_is_installed_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    kept = Toolchains(tmp_path / "none")
    assert [state.installed for state in kept.list()] == [False] * len(KNOWN)
    assert not (tmp_path / "none").exists()
    with pytest.raises(UnavailableError) as caught:
        kept.path("svelte@5")
    assert caught.value.code == "no_toolchain"
    assert caught.value.remedy == "Run 'metier doctor --install svelte@5'."
    assert caught.value.details == {"toolchain": "svelte@5"}


def test_a_toolchain_is_found_at_its_digest(tmp_path: Path) -> None:
    place = placed(tmp_path, "svelte@4")
    kept = Toolchains(tmp_path)
    assert kept.installed("svelte@4")
    assert kept.path("svelte@4") == place
    state = next(state for state in kept.list() if state.name == "svelte@4")
    assert state.path == place
    assert state.versions["svelte"].startswith("4.2.")
    assert state.packages > 10


def test_one_of_an_older_lock_counts_as_missing(tmp_path: Path) -> None:
    (tmp_path / "svelte@4" / "000000000000" / "node_modules").mkdir(parents=True)
    assert not Toolchains(tmp_path).installed("svelte@4")


def test_what_is_there_is_not_installed_again(tmp_path: Path) -> None:
    place = placed(tmp_path, "react@19")
    told: list[object] = []
    assert Toolchains(tmp_path).install("react@19", report=told.append) == place
    assert told == []


@pytest.mark.parametrize("method", ["path", "digest", "installed", "install"])
def test_an_unknown_name_is_refused_everywhere(tmp_path: Path, method: str) -> None:
    with pytest.raises(NotFoundError):
        getattr(Toolchains(tmp_path), method)("../../etc")
    assert list(tmp_path.iterdir()) == []


def test_digests_differ_between_toolchains(tmp_path: Path) -> None:
    assert len({Toolchains(tmp_path).digest(name) for name in KNOWN}) == len(KNOWN)
