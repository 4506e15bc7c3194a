"""Making models from models: inherited, replaced, bound, converted, the same bytes each time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metier.assembly.creating import checked_parameters, create, language_of
from metier.errors import InputError, MetierError, NotFoundError
from metier.fleet import Fleet, Installed, model_of
from metier.formats import describe, read_gguf
from metier.generating import Message, Order
from metier.manifest import BASE, TASK
from metier.reference import Digest, Reference
from metier.store import Store
from tiny_gguf import tiny_adapter, tiny_folder, tiny_model, tiny_peft

Make = Callable[..., Installed]


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(Store.open(tmp_path / "home"))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "files")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def make(fleet: Fleet, weights: Path, said: list[str]) -> Make:
    """Make a model over the installed base 'team/tiny:1', unless the order says another."""
    fleet.import_gguf(weights, "team/tiny:1", licences=("Base licence",))

    def made(name: str = "mine", **order: Any) -> Installed:
        if "weights" not in order:
            order.setdefault("base", "team/tiny:1")
        return create(fleet, Order(name=name, **order), report=said.append)

    return made


def wrong(make: Make, code: str, **order: Any) -> MetierError:
    with pytest.raises(MetierError) as caught:
        make(**order)
    assert caught.value.code == code
    return caught.value


def test_a_model_over_an_installed_one(fleet: Fleet, make: Make, weights: Path) -> None:
    made = make(
        "team/kind:2",
        system="You are kind.",
        parameters={"temperature": 0.3, "stop": ["a", "b"], "num_ctx": 512.0, "top_k": None},
        messages=(Message("user", "Hello"), Message("assistant", "Hi")),
        template="{{ .Prompt }}",
    )
    model = model_of(made)
    assert (made.kind, made.task) == ("specialist", "generate")
    assert model.parent == "team/tiny:1"
    assert model.weights == (weights.name,)
    assert model.system == "You are kind."
    assert model.parameters == {"temperature": 0.3, "stop": ["a", "b"], "num_ctx": 512}
    assert [(message.role, message.content) for message in model.messages] == [
        ("user", "Hello"),
        ("assistant", "Hi"),
    ]
    assert (model.template, model.template_language) == ("{{ .Prompt }}", "go")
    assert model.licences == ("Base licence",)
    assert model.base == model_of(fleet.show("team/tiny:1")).base
    assert made.manifest.annotations[BASE] == model.base
    assert made.manifest.annotations[TASK] == "generate"


def test_what_is_not_said_is_inherited(make: Make) -> None:
    make(
        "first", system="One", parameters={"seed": 1, "top_k": 5}, messages=(Message("user", "x"),)
    )
    second = model_of(make("second", base="first", parameters={"seed": 2}))
    assert second.parent == "first"
    assert (second.system, second.parameters) == ("One", {"seed": 2, "top_k": 5})
    assert len(second.messages) == 1
    third = model_of(make("third", base="first", system="", messages=(), licences=()))
    assert (third.system, third.messages, third.licences) == ("", (), ())


def test_the_same_order_makes_the_same_bytes(fleet: Fleet, make: Make, weights: Path) -> None:
    adapter = tiny_adapter(weights.parent, weights, seed=1)
    order: dict[str, Any] = {"adapters": {"a.gguf": adapter}, "system": "x"}
    first = make(**order)
    fleet.remove("mine")
    fleet.store.collect_garbage()
    assert make(**order).digest == first.digest
    assert fleet.store.verify().problems == ()


def test_adapters_add_up_and_bring_their_base(fleet: Fleet, make: Make, weights: Path) -> None:
    one, two = (tiny_adapter(weights.parent / str(seed), weights, seed=seed) for seed in (1, 2))
    make("first", adapters={"a.gguf": one})
    made = make("second", base="first", adapters={"deep/a.gguf": two, "c": one})
    assert [part.file for part in model_of(made).adapters] == ["a.gguf", "a-2.gguf", "c.gguf"]
    for path, file in (("a.gguf", one), ("a-2.gguf", two), ("c.gguf", one)):
        assert fleet.read_part(made, path) == file.read_bytes()
    fleet.remove("first")
    fleet.remove("team/tiny:1")
    fleet.store.collect_garbage()
    assert fleet.part_path(made, weights.name).read_bytes() == weights.read_bytes()


def test_a_wrong_pairing_is_refused_and_leaves_nothing(
    fleet: Fleet, make: Make, weights: Path, tmp_path: Path
) -> None:
    adapter = tiny_adapter(weights.parent, weights, seed=1)
    fleet.import_gguf(tiny_model(tmp_path / "l", architecture="llama"), "llama")
    error = wrong(make, "wrong_base", base="llama", adapters={"a.gguf": adapter})
    assert "it is for qwen2 models, the base is a llama model" in error.message
    assert {item.name for item in fleet.list()} == {"team/tiny:1", "llama"}
    assert list((fleet.store.home / "work").iterdir()) == []


def test_files_of_the_store_become_a_base(fleet: Fleet, make: Make, weights: Path) -> None:
    data = weights.read_bytes()
    digest = Digest.of(data)
    fleet.put_blob(digest, [data])
    made = make("blob", weights={"some model": fleet.blob_path(digest)})
    assert made.kind == "base"
    assert model_of(made).weights == ("some model.gguf",)
    assert model_of(made).parent is None


def test_files_that_make_no_model(make: Make, weights: Path, tmp_path: Path) -> None:
    adapter = tiny_adapter(weights.parent, weights, seed=1)
    wrong(make, "bad_gguf", weights={"a.gguf": adapter})
    wrong(make, "bad_gguf", weights={"a.gguf": weights, "b.gguf": weights})
    wrong(make, "bad_options", base="team/tiny:1", weights={"a.gguf": weights})
    wrong(make, "bad_options", weights={})
    (tmp_path / "x").write_bytes(b"no model")
    wrong(make, "bad_gguf", weights={"a.gguf": tmp_path / "x"})
    wrong(make, "bad_gguf", adapters={"a.gguf": weights})
    wrong(make, "bad_gguf", adapters={"a.gguf": tmp_path / "x"})


def test_a_folder_is_converted(fleet: Fleet, make: Make, tmp_path: Path, said: list[str]) -> None:
    folder = tiny_folder(tmp_path / "folder")
    files = {path.name: path for path in folder.iterdir()}
    made = make("conv", weights=files, quantize="Q8_0")
    assert model_of(made).weights == ("conv-q8_0.gguf",)
    facts = describe(read_gguf(fleet.part_path(made, "conv-q8_0.gguf")))
    assert (facts.quantization, facts.name) == ("Q8_0", "conv")
    assert any("Converting" in sentence for sentence in said)
    again = make("conv", weights=files, quantize="q8_0")
    assert again.digest == made.digest
    plain = make("plain", weights=files)
    assert describe(read_gguf(fleet.part_path(plain, "plain-f16.gguf"))).quantization == "F16"
    peft = tiny_peft(tmp_path / "peft")
    config = json.loads((peft / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "team/somebody-else"
    (peft / "adapter_config.json").write_text(json.dumps(config))
    adapters = {f"peft/{path.name}": path for path in peft.iterdir()}
    tuned = make("tuned", base="conv", adapters=adapters)
    assert [part.file for part in model_of(tuned).adapters] == ["peft.gguf"]
    assert make("tuned", base="conv", adapters=adapters).digest == tuned.digest
    assert any("says it was made for" in sentence for sentence in said)


def test_a_peft_folder_for_another_base(make: Make, tmp_path: Path) -> None:
    peft = tiny_peft(tmp_path / "peft", architecture="qwen3")
    files = {path.name: path for path in peft.iterdir()}
    config = json.loads(files["adapter_config.json"].read_text())
    wrong(make, "wrong_base", adapters=files)
    config["r"] = 0
    (tmp_path / "config").write_text(json.dumps(config))
    with pytest.raises(InputError):
        make(adapters={**files, "adapter_config.json": tmp_path / "config"})
    wrong(make, "no_file", adapters={"adapter_config.json": files["adapter_config.json"]})


def test_a_folder_cannot_name_files_outside(make: Make, tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "folder")
    files = {f"../{path.name}": path for path in folder.iterdir()}
    wrong(make, "bad_parts", weights=files)


def test_odd_names_of_files_are_put_right_or_refused(
    fleet: Fleet, make: Make, weights: Path, tmp_path: Path
) -> None:
    for name, part in (
        ("ü" * 300, "ü" * 100 + ".gguf"),
        ("..", "model.gguf"),
        ("a:b\\c", "a-b-c.gguf"),
        ("deep/er/A.GGUF", "A.gguf"),
        ("a\x00b\x1b", "ab.gguf"),
    ):
        assert model_of(make("odd", weights={name: weights})).weights == (part,)
    folder = {path.name: path for path in tiny_folder(tmp_path / "folder").iterdir()}
    config = folder["config.json"]
    for name in ("./config.json", "config.json/x", "x" * 300, "a\x00b", "/a", ""):
        wrong(make, "bad_parts", weights={**folder, name: config})
    peft = tiny_peft(tmp_path / "peft")
    dotted = {f"./{path.name}": path for path in peft.iterdir()}
    made = make("dotted", adapters=dotted)
    assert [part.file for part in model_of(made).adapters] == ["adapter.gguf"]


def test_quantising_is_for_folders_that_are_converted(make: Make, weights: Path) -> None:
    wrong(make, "bad_options", quantize="q4_k_m")
    wrong(make, "bad_options", quantize="q8_0")
    wrong(make, "bad_options", weights={"a.gguf": weights}, quantize="f16")


def test_parameters_and_templates_are_checked_before_anything_is_done(make: Make) -> None:
    assert "temperature" in wrong(make, "bad_options", parameters={"temperature": "warm"}).message
    wrong(make, "bad_options", parameters={"nothing": 1})
    wrong(make, "bad_template", template="{{ if }}")
    wrong(make, "bad_template", template="{% if %}")
    wrong(make, "bad_options", messages=(Message("tool", "x"),))
    wrong(make, "bad_options", system="x" * ((1 << 20) + 1))
    assert checked_parameters({"mirostat": 1, "seed": "7"}) == {"seed": 7}


def test_a_base_without_weights_of_its_own(fleet: Fleet, make: Make) -> None:
    fleet.install(Reference.parse("intents"), {"a.json": ("doc", b"{}")})
    wrong(make, "no_capability", base="intents")
    with pytest.raises(NotFoundError, match="Did you mean team/tiny:1"):
        make(base="team/tini:1")


def test_the_language_of_a_template() -> None:
    assert language_of("{{ .Prompt }}") == "go"
    assert language_of("{%- if tools %}x{% endif %}") == "jinja"


def test_a_model_may_replace_its_own_base(fleet: Fleet, make: Make) -> None:
    make("team/tiny:1", system="Now with a prompt.")
    assert model_of(fleet.show("team/tiny:1")).system == "Now with a prompt."
