"""What the unit tests of the store share: small specialists, quickly made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from metier.manifest import CONFIG_TYPE, FILEPATH, WEIGHT_TYPE, Manifest, model_config
from metier.reference import Digest, Reference
from metier.store import Store

Put = Callable[..., Digest]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "home", wait=0.2)


@pytest.fixture
def put(store: Store) -> Put:
    """Give parts a name in ``store``, or in another one."""

    def install(name: str, parts: dict[str, bytes] | None = None, into: Store = store) -> Digest:
        with into.ingest() as work:
            layers = tuple(
                work.add(data, media_type=WEIGHT_TYPE, annotations={FILEPATH: path})
                for path, data in (parts or {"a.json": name.encode()}).items()
            )
            config = work.add(
                model_config(name="x", layers=layers, licence=None), media_type=CONFIG_TYPE
            )
            return work.put(Reference.parse(name), Manifest(config=config, layers=layers))

    return install
