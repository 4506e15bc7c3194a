"""Modelfiles and what is here: files are found, models are written down and made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.assembly.creating import create
from metier.assembly.modelfiles import (
    export_modelfile,
    modelfile_of,
    modelfile_text,
    order_of,
    read_modelfile,
)
from metier.errors import InputError, NotFoundError, StorageError
from metier.fleet import Fleet, Installed, model_of
from metier.generating import Message, Order
from metier.modelfile import Modelfile, parse_modelfile
from metier.reference import Reference
from metier.store import Store
from tiny_gguf import tiny_adapter, tiny_folder, tiny_model, tiny_peft


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(Store.open(tmp_path / "home"))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a model, an adapter, a folder of safetensors and a PEFT folder."""
    folder = tmp_path / "files"
    weights = tiny_model(folder)
    tiny_adapter(folder, weights, seed=1)
    tiny_folder(folder / "hf")
    tiny_peft(folder / "peft")
    return folder


@pytest.fixture
def made(fleet: Fleet, files: Path) -> Installed:
    """A model that uses everything a Modelfile can say."""
    text = (
        "FROM ./tiny-qwen2-0.gguf\nADAPTER tiny-adapter-qwen2-1.gguf\nSYSTEM Be kind.\n"
        "PARAMETER stop a\nPARAMETER stop b\nPARAMETER temperature 0.25\n"
        'TEMPLATE """{% for message in messages %}{{ message.content }}{% endfor %}"""\n'
        "MESSAGE user Hello\nLICENSE MIT\n"
    )
    return create(fleet, order_of(parse_modelfile(text), "mine", files), report=lambda _: None)


def test_a_modelfile_asks_for_what_it_says(files: Path) -> None:
    text = (
        "FROM team/base:1\nADAPTER tiny-adapter-qwen2-1.gguf\nADAPTER ./peft\nSYSTEM Be kind.\n"
        "PARAMETER num_ctx 512\nMESSAGE system x\nMESSAGE assistant y\nTEMPLATE {{ .Prompt }}\n"
    )
    order = order_of(parse_modelfile(text), "mine", files, quantize="f16")
    assert order == Order(
        name="mine",
        base="team/base:1",
        adapters={
            "tiny-adapter-qwen2-1.gguf": files / "tiny-adapter-qwen2-1.gguf",
            "peft/adapter_config.json": files / "peft/adapter_config.json",
            "peft/adapter_model.safetensors": files / "peft/adapter_model.safetensors",
        },
        template="{{ .Prompt }}",
        template_language="go",
        system="Be kind.",
        parameters={"num_ctx": 512},
        messages=(Message("system", "x"), Message("assistant", "y")),
        quantize="f16",
    )


def test_from_names_a_file_a_folder_or_a_model(files: Path) -> None:
    def weights(source: str) -> set[str]:
        return set(order_of(Modelfile((source,)), "mine", files).weights)

    assert weights("tiny-qwen2-0.gguf") == {"tiny-qwen2-0.gguf"}
    assert weights(str(files / "tiny-qwen2-0.gguf")) == {"tiny-qwen2-0.gguf"}
    assert {"config.json", "model.safetensors"} <= weights("./hf")
    assert weights(".") == {"tiny-qwen2-0.gguf", "tiny-adapter-qwen2-1.gguf"}
    assert order_of(Modelfile(("tiny",)), "mine", files).base == "tiny"
    (files / "tiny").mkdir()
    assert order_of(Modelfile(("tiny",)), "mine", files).base == "tiny"
    for missing in ("./no", "/no/where", "~/no/where", "no.gguf", "./tiny"):
        with pytest.raises(NotFoundError, match="where no model is"):
            weights(missing)
    for sources in (("a", "b"), ("a", "tiny-qwen2-0.gguf")):
        with pytest.raises(InputError, match="one model, or files of one model"):
            order_of(Modelfile(sources), "mine", files)


def test_an_adapter_that_is_not_there(files: Path) -> None:
    for missing in ("no.gguf", "./hf", "tiny"):
        with pytest.raises(NotFoundError, match="where no adapter is"):
            order_of(Modelfile(("tiny",), (missing,)), "mine", files)


def test_two_adapters_of_one_name_are_two(files: Path) -> None:
    (files / "other").mkdir()
    name = "tiny-adapter-qwen2-1.gguf"
    (files / "other" / name).write_bytes((files / name).read_bytes())
    order = order_of(Modelfile(("tiny",), (name, f"other/{name}")), "mine", files)
    assert list(order.adapters) == [name, f"2-{name}"]


def test_a_model_is_written_down_and_made_again(fleet: Fleet, made: Installed) -> None:
    text = modelfile_text(made)
    assert text.startswith("# Modelfile of mine, written by Metier.\n")
    assert "\nFROM mine\n" in text
    assert 'PARAMETER stop "a"\nPARAMETER stop "b"\nPARAMETER temperature 0.25\n' in text
    order = order_of(parse_modelfile(text), "again", Path("/nowhere"))
    again = create(fleet, order, report=lambda _: None)
    assert model_of(again) == model_of(made).model_copy(update={"parent": "mine"})


def test_a_model_from_a_model_says_so(fleet: Fleet, made: Installed) -> None:
    child = create(fleet, Order(name="child", base=made.name), report=lambda _: None)
    assert "# It was made from mine.\n" in modelfile_text(child)
    base = create(fleet, Order(name="bare", base="child", template=""), report=lambda _: None)
    assert modelfile_of(base).sources == ("bare",)


def test_an_export_makes_the_same_model_elsewhere(
    fleet: Fleet, made: Installed, tmp_path: Path
) -> None:
    written = export_modelfile(fleet, "mine", tmp_path / "out")
    assert written.read_text().startswith("FROM ./tiny-qwen2-0.gguf\nADAPTER ./tiny-adapter")
    other = Fleet(Store.open(tmp_path / "other"))
    order = order_of(read_modelfile(written), "mine", written.parent)
    assert create(other, order, report=lambda _: None).digest == made.digest
    with pytest.raises(InputError) as caught:
        export_modelfile(fleet, "mine", tmp_path / "out")
    assert caught.value.code == "not_empty"
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        export_modelfile(fleet, "mine", tmp_path / "file")
    part = tmp_path / "out" / "tiny-qwen2-0.gguf"
    assert not part.samefile(fleet.part_path("mine", part.name))


def test_a_text_that_no_modelfile_can_say_is_told(fleet: Fleet, made: Installed) -> None:
    order = Order(name="odd", base=made.name, system='x"""\ny')
    odd = create(fleet, order, report=lambda _: None)
    assert "Not all of it can be said here" in modelfile_text(odd)
    assert parse_modelfile(modelfile_text(odd)) == Modelfile(("odd",))
    with pytest.raises(InputError):
        export_modelfile(fleet, "odd", Path("/nowhere"))


def test_only_local_models_have_one(fleet: Fleet) -> None:
    other = fleet.install(Reference.parse("other"), {"a.json": ("doc", b"{}")})
    with pytest.raises(InputError) as caught:
        modelfile_text(other)
    assert caught.value.code == "no_capability"


def test_a_modelfile_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_modelfile(tmp_path / "Modelfile")
