"""What holds for every test: a store of its own, no general model, and the same draws in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from routed_fleet import Fleet

# A shared machine makes any single example slow now and then; time limits are pytest's matter.
settings.register_profile("house", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "house")

ASKS_SOMEBODY_ELSE = (
    "METIER_GENERAL_URL",
    "METIER_GENERAL_MODEL",
    "METIER_GENERAL_KEY",
    "METIER_GENERAL_KEY_FILE",
)


@pytest.fixture(scope="session", autouse=True)
def a_store_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Point METIER_HOME to a new folder, so that no test sees or changes the user's store."""
    home = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METIER_HOME", str(home))
        for name in ASKS_SOMEBODY_ELSE:
            patch.delenv(name, raising=False)
        yield home


@pytest.fixture(scope="session")
def routed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The fleet of ``routed_fleet``, its proof measured once; who changes it takes a copy."""
    import routed_fleet
    import sums

    if not sums.sandboxed():
        pytest.skip("no sandbox here, or the package is not installed")
    with routed_fleet.fleet(tmp_path_factory.mktemp("routed")) as made:
        yield made
