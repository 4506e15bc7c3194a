from __future__ import annotations

from pathlib import Path

import pytest

from metier.assembly.origins import MADE_FROM, Origins, git_sha1
from metier.errors import InputError
from metier.fleet import Fleet, Installed
from metier.hub import Choice, RemoteFile, Repository
from metier.localmodel import LocalModelFile
from metier.reference import Digest, Reference
from metier.store import Store
from tiny_gguf import tiny_model

NAME = Reference.parse("hf.co/maker/model")
SOURCE = f"hf.co/maker/model@{'c' * 40}"
README = b"# A model\n"


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(Store.open(tmp_path / "home"))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "made", name="m")


def installed(fleet: Fleet, weights: Path, source: str | None = SOURCE) -> Installed:
    model = LocalModelFile(weights=("m.gguf",), base="", source=source)
    files = {"m.gguf": weights, "README.md": README}
    return fleet.install_model(NAME, model, files, annotations={MADE_FROM: "Maker/Original"})


def choice(weights: Path, readme: bytes = README) -> Choice:
    digest = Digest.of(weights.read_bytes()).hex
    size = weights.stat().st_size
    document = RemoteFile("README.md", "u", len(readme), git_sha1=git_sha1(readme))
    return Choice("gguf", (RemoteFile("m.gguf", "u", size, digest),), documents=(document,))


def test_the_same_commit_and_bytes_are_unchanged(fleet: Fleet, weights: Path) -> None:
    item = installed(fleet, weights)
    origins = Origins(fleet)
    found = origins.unchanged(NAME, choice(weights), SOURCE, None)
    assert found is not None
    assert found.digest == item.digest
    other = SOURCE.replace("c" * 40, "d" * 40)
    assert origins.unchanged(NAME, choice(weights), other, None) is None
    assert origins.unchanged(NAME, choice(weights, b"# Another\n"), SOURCE, None) is None
    assert origins.unchanged(NAME, choice(weights), SOURCE, "another-base") is None
    assert origins.unchanged(Reference.parse("mine"), choice(weights), SOURCE, None) is None


def test_what_is_held_is_found_by_either_digest(fleet: Fleet, weights: Path) -> None:
    item = installed(fleet, weights)
    origins = Origins(fleet)
    weight, readme = choice(weights).files
    assert origins.held(weight, None) == fleet.part_path(item, "m.gguf")
    assert origins.held(readme, NAME) == fleet.part_path(item, "README.md")
    assert origins.held(readme, None) is None
    assert origins.held(RemoteFile("x", "u", 10), NAME) is None
    assert origins.held(RemoteFile("x", "u", 10, "0" * 64), NAME) is None


@pytest.mark.parametrize("wants", ["maker/model", "Maker/Model", "maker/original"])
def test_a_base_is_found_by_what_it_came_from(fleet: Fleet, weights: Path, wants: str) -> None:
    installed(fleet, weights)
    assert Origins(fleet).base_for(wants, Reference.parse("adapter")) == "hf.co/maker/model"


@pytest.mark.parametrize("wants", ["", "other/base"])
def test_without_a_base_it_is_said_what_to_do(fleet: Fleet, weights: Path, wants: str) -> None:
    installed(fleet, weights, source=None)
    with pytest.raises(InputError) as caught:
        Origins(fleet).base_for(wants, Reference.parse("adapter"))
    assert caught.value.code == "no_base"
    assert "--base" in (caught.value.remedy or "")


def test_a_source_is_written_down_and_nothing_else_changes(fleet: Fleet, weights: Path) -> None:
    item = installed(fleet, weights, source=None)
    repository = Repository("maker/model", "c" * 40, (), licence="mit", base="maker/first")
    found = Origins(fleet).stamped(item, SOURCE, repository)
    assert found.model is not None
    assert item.model is not None
    assert found.model == item.model.model_copy(update={"source": SOURCE})
    before = {part.filepath: part.digest for part in fleet.parts(item)}
    after = {part.filepath: part.digest for part in fleet.parts(found)}
    assert {name for name in before if before[name] != after[name]} == {"model.json"}
    assert Origins(fleet).stamped(found, SOURCE, repository) is found
