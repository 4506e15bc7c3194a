"""Whom a rival's name means: services and models of this machine, never a classifier."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from local_models import install_local
from metier.assembly import Metier
from metier.assembly.rivals import Rivals, plain
from metier.errors import NotFoundError
from metier.settings import Settings
from tiny_gguf import tiny_model


@pytest.fixture
def metier(tmp_path: Path) -> Metier:
    opened = Metier.open(Settings(home=tmp_path / "home"))
    install_local(opened.fleet, "tiny", tiny_model(tmp_path))
    return opened


def rivals(metier: Metier, **settings: str) -> Rivals:
    return Metier.open(replace(metier.settings, **settings))._workbench.rivals


def test_names_of_what_writes(metier: Metier) -> None:
    found = rivals(metier)
    assert [found.ref(name) for name in ("tiny", "tiny:latest", "local:tiny", "remote:x")] == [
        "tiny", "tiny:latest", "local:tiny", "remote:x",
    ]  # fmt: skip
    assert found.ref("tickets") is None
    assert found.system("tickets", ("a", "b")) is None
    assert plain("local:tiny") == plain("tiny:latest") == plain("tiny")


def test_the_general_model_is_the_routers(metier: Metier, tmp_path: Path) -> None:
    assert rivals(metier).ref("general") == "tiny"
    assert rivals(metier, base="remote:mine").ref("general") == "remote:mine"
    service = {"general_url": "http://127.0.0.1:9/v1", "general_model": "x"}
    assert rivals(metier, **service).ref("general") == "remote:general"
    assert rivals(Metier.open(Settings(home=tmp_path / "empty"))).ref("general") is None


def test_what_writes_is_put_to_labels(metier: Metier) -> None:
    system = rivals(metier).system("tiny", ("a", "b"))
    assert system is not None
    assert (system.name, system.labels, system.elsewhere) == ("local:tiny", ("a", "b"), False)
    with pytest.raises(NotFoundError) as told:
        rivals(metier).system("remote:nobody", ("a", "b"))
    assert told.value.code == "no_service"
