from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import pytest

import tiny_bert
from metier.assembly import Metier, pulling
from metier.assembly.pulling import How, Pulling
from metier.errors import InputError, MetierError, NotFoundError, UnavailableError
from metier.fleet import Fleet, Installed
from metier.generating import Order
from metier.hub import Manner, Patience, parse_source
from metier.messages import Progress
from metier.settings import Settings
from metier.store import Store
from stand_in.hub import TOKEN, Fault, Hub, serving_hub
from tiny_gguf import tiny_adapter, tiny_model
from tiny_source import tiny_folder, tiny_peft

NAME = "maker/model-GGUF"
MANNER = Manner(Patience(stall=1.0, pause=0.01), piece=64 << 10)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(pulling, "stored_token", lambda: None)
    with serving_hub() as found:
        yield found


class Bench:
    """A fleet to pull into, and the orders that were made."""

    def __init__(self, hub: Hub, home: Path) -> None:
        self.settings = Settings(home=home, hub_endpoint=hub.url)
        self.fleet = Fleet(Store.open(home))
        self.orders: list[Order] = []
        self.contents: list[dict[str, bytes]] = []
        self.steps: list[Progress] = []
        self.based: list[list[str]] = []

    def pull(self, text: str, **told: Any) -> Installed:
        """Pull with the tests' manner; orders are noted and made of a plain base."""
        revision = told.pop("revision", None)
        puller = Pulling(self.settings, self.fleet, self.create, self.install_base)
        how = How(self.steps.append, told.pop("cancelled", lambda: False), MANNER)
        return puller.pull(parse_source(text, revision=revision), how=how, **told)

    def create(self, order: Order, report: Any) -> None:
        """Note an order; what it names is given a second name, so that it is there."""
        self.orders.append(order)
        files = {**order.weights, **order.adapters}
        self.contents.append({name: path.read_bytes() for name, path in files.items()})
        report("converting")
        self.fleet.copy(order.base or "base", order.name)

    def install_base(self, folder: Path, name: str, _report: Any) -> Installed:
        """Note what a folder has."""
        found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        self.based.append([path.relative_to(folder).as_posix() for path in found])
        return self.fleet.copy("base", name)


@pytest.fixture
def model(tmp_path: Path) -> bytes:
    return tiny_model(tmp_path / "made").read_bytes()


@pytest.fixture
def bench(hub: Hub, tmp_path: Path, model: bytes) -> Bench:
    hub.add(NAME, {"m-Q4_0.gguf": model, "LICENSE": b"Do as you like.\n", "x.py": b"import os"},
            license="MIT", base_model="maker/model")  # fmt: skip
    found = Bench(hub, tmp_path / "home")
    path = tmp_path / "base.gguf"
    path.write_bytes(tiny_model(tmp_path / "other", seed=9).read_bytes())
    found.fleet.import_gguf(path, "base")
    return found


def files_of(folder: dict[str, Path] | Path) -> dict[str, bytes]:
    assert isinstance(folder, Path)
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_a_model_of_the_hub_keeps_its_name_its_bytes_and_its_licence(
    bench: Bench, hub: Hub, model: bytes
) -> None:
    item = bench.pull(f"hf.co/{NAME}:Q4_0")
    assert item.name == f"hf.co/{NAME}:Q4_0"
    assert item.kind == "base"
    assert item.model is not None
    assert item.model.source == f"hf.co/{NAME}@{'c' * 40}"
    assert item.model.licences == ("Do as you like.\n",)
    assert item.model.task == "generate"
    assert bench.fleet.read_part(item, "m-Q4_0.gguf") == model
    assert "x.py" not in [part.filepath for part in bench.fleet.parts(item)]
    assert not hub.requests("x.py")
    assert list(bench.fleet.store.partial_folder().iterdir()) == []
    assert bench.fleet.store.verify().problems == ()


def test_progress_speaks_ollamas_words(bench: Bench, hub: Hub, model: bytes) -> None:
    bench.pull(f"hf.co/{NAME}")
    said = list(dict.fromkeys(step.message for step in bench.steps))
    digest = hub.large(model)
    assert said[0] == "pulling manifest"
    assert f"pulling {digest[:12]}" in said
    assert "verifying sha256 digest" in said
    assert said[-1] == "writing manifest"
    whole = [step for step in bench.steps if step.data.get("digest") == f"sha256:{digest}"][-1]
    assert whole.data["completed"] == whole.data["total"] == len(model)


def test_again_with_nothing_changed_downloads_nothing(bench: Bench, hub: Hub) -> None:
    first = bench.pull(f"hf.co/{NAME}")
    before = len(hub.requests("/resolve/")) + len(hub.requests("/cdn/"))
    again = bench.pull(f"hf.co/{NAME}")
    assert again.digest == first.digest
    assert len(hub.requests("/resolve/")) + len(hub.requests("/cdn/")) == before


def test_a_new_commit_with_the_same_weights_fetches_no_weights(
    bench: Bench, hub: Hub, model: bytes
) -> None:
    bench.pull(f"hf.co/{NAME}")
    hub.commits[NAME] = "d" * 40
    hub.repositories[NAME]["README.md"] = b"# New\n"
    sent = hub.sent_of(model)
    item = bench.pull(f"hf.co/{NAME}")
    assert item.model is not None
    assert item.model.source == f"hf.co/{NAME}@{'d' * 40}"
    assert hub.sent_of(model) == sent
    assert hub.requests(f"resolve/{'d' * 40}/LICENSE") == []
    assert bench.fleet.read_part(item, "README.md") == b"# New\n"


def test_changed_weights_replace_the_old_ones(bench: Bench, hub: Hub, tmp_path: Path) -> None:
    first = bench.pull(f"hf.co/{NAME}")
    hub.commits[NAME] = "d" * 40
    other = tiny_model(tmp_path / "changed", seed=3).read_bytes()
    hub.repositories[NAME]["m-Q4_0.gguf"] = other
    item = bench.pull(f"hf.co/{NAME}")
    assert item.digest != first.digest
    assert bench.fleet.read_part(item, "m-Q4_0.gguf") == other


def test_two_names_share_the_bytes(bench: Bench, hub: Hub, model: bytes) -> None:
    bench.pull(f"hf.co/{NAME}")
    item = bench.pull(f"hf.co/{NAME}", name="mine")
    assert item.name == "mine"
    assert hub.sent_of(model) <= len(model) + 1


def test_a_header_that_lies_is_refused_before_an_engine_sees_it(
    bench: Bench, hub: Hub, model: bytes
) -> None:
    hub.repositories[NAME]["m-Q4_0.gguf"] = model[: len(model) // 2]
    with pytest.raises(InputError) as caught:
        bench.pull(f"hf.co/{NAME}")
    assert caught.value.code == "bad_gguf"
    with pytest.raises(NotFoundError):
        bench.fleet.show(f"hf.co/{NAME}")


def test_shards_and_their_projector_come_together(bench: Bench, hub: Hub, tmp_path: Path) -> None:
    hub.repositories["maker/two"] = _two_shards(tmp_path)
    item = bench.pull("hf.co/maker/two")
    assert item.model is not None
    assert item.model.weights == ("m-00001-of-00002.gguf", "m-00002-of-00002.gguf")


def _two_shards(folder: Path) -> dict[str, bytes]:
    """A tiny model in two files, as llama.cpp splits them."""
    whole = gguf.GGUFReader(tiny_model(folder / "whole"))
    half = len(whole.tensors) // 2
    found = {}
    for number, tensors in enumerate((whole.tensors[:half], whole.tensors[half:])):
        path = folder / f"m-0000{number + 1}-of-00002.gguf"
        writer = gguf.GGUFWriter(path, "qwen2")
        if number == 0:
            for field in whole.fields.values():
                if not field.name.startswith(("GGUF.", "general.architecture")):
                    kind = field.types[0]
                    sub = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
                    writer.add_key_value(field.name, field.contents(), kind, sub)
        writer.add_uint16("split.no", number)
        writer.add_uint16("split.count", 2)
        writer.add_int32("split.tensors.count", len(whole.tensors))
        for tensor in tensors:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        found[path.name] = path.read_bytes()
    return found


def test_an_adapter_finds_its_base_by_origin(bench: Bench, hub: Hub, tmp_path: Path) -> None:
    bench.pull(f"hf.co/{NAME}")
    folder = tiny_peft(tmp_path / "peft")
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "Maker/model"
    (folder / "adapter_config.json").write_text(json.dumps(config))
    hub.add("maker/adapter", files_of(folder))
    item = bench.pull("hf.co/maker/adapter")
    assert item.name == "hf.co/maker/adapter"
    assert bench.orders[0].base == f"hf.co/{NAME}"
    assert bench.contents[0] == files_of(folder)


def test_an_adapter_without_its_base_says_what_to_pull(
    bench: Bench, hub: Hub, tmp_path: Path
) -> None:
    folder = tiny_peft(tmp_path / "peft")
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "other/base"
    (folder / "adapter_config.json").write_text(json.dumps(config))
    hub.add("maker/adapter", files_of(folder))
    with pytest.raises(InputError) as caught:
        bench.pull("hf.co/maker/adapter")
    assert caught.value.code == "no_base"
    assert "metier pull hf.co/other/base" in (caught.value.remedy or "")
    bench.pull("hf.co/maker/adapter", base="base")
    assert bench.orders[0].base == "base"
    assert bench.pull(str(folder), base="base", name="local").name == "local"


def test_a_gguf_adapter_goes_over_a_base(bench: Bench, hub: Hub, tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "again")
    data = tiny_adapter(tmp_path / "adapter", base, seed=2).read_bytes()
    hub.add("maker/lora", {"style-f16.gguf": data})
    bench.pull("hf.co/maker/lora", base="base")
    assert bench.contents[0] == {"style-f16.gguf": data}
    path = tmp_path / "style.gguf"
    path.write_bytes(data)
    assert bench.pull(str(path), base="base").name == "style"
    with pytest.raises(InputError) as caught:
        bench.pull(str(path))
    assert caught.value.code == "no_base"


def test_an_encoder_becomes_a_base(bench: Bench, hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "encoder"
    folder.mkdir()
    tiny_bert.make_folder(folder)
    hub.add("maker/encoder", {**files_of(folder), "1_Pooling/config.json": b"{}", "x.bin": b"x"})
    bench.pull("hf.co/maker/encoder")
    assert "1_Pooling/config.json" in bench.based[0]
    assert "model.safetensors" in bench.based[0]
    assert "x.bin" not in bench.based[0]
    assert list((bench.settings.home / "work").iterdir()) == []


def test_a_folder_of_a_known_family_is_converted(bench: Bench, hub: Hub, tmp_path: Path) -> None:
    hub.add("maker/qwen", files_of(tiny_folder(tmp_path / "qwen")))
    bench.pull("hf.co/maker/qwen")
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(bench.contents[0])
    assert "convert" in {step.stage for step in bench.steps}


def test_folders_and_adapters_are_converted_bound_and_not_fetched_twice(
    hub: Hub, tmp_path: Path
) -> None:
    hub.add("Maker/qwen", files_of(tiny_folder(tmp_path / "qwen")), license="mit")
    folder = tiny_peft(tmp_path / "peft")
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "Maker/qwen"
    (folder / "adapter_config.json").write_text(json.dumps(config))
    hub.add("maker/adapter", files_of(folder))
    metier = Metier.open(Settings(home=tmp_path / "home", hub_endpoint=hub.url))
    base = metier.pull("hf.co/Maker/qwen")
    item = metier.pull("hf.co/maker/adapter")
    assert (base.kind, item.kind) == ("base", "specialist")
    assert base.model is not None
    assert item.model is not None
    assert base.model.source == f"hf.co/Maker/qwen@{'c' * 40}"
    assert item.model.source == f"hf.co/maker/adapter@{'c' * 40}"
    assert item.model.base == base.model.base
    assert item.model.parent == "hf.co/Maker/qwen"
    before = len(hub.requests("/resolve/"))
    assert metier.pull("hf.co/Maker/qwen").digest == base.digest
    assert metier.pull("hf.co/maker/adapter").digest == item.digest
    assert len(hub.requests("/resolve/")) == before
    metier.close()


def test_an_encoder_is_made_once(hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "encoder"
    folder.mkdir()
    tiny_bert.make_folder(folder)
    hub.add("maker/encoder", files_of(folder))
    metier = Metier.open(Settings(home=tmp_path / "home", hub_endpoint=hub.url))
    item = metier.pull("hf.co/maker/encoder", name="small-encoder")
    assert item.kind == "base"
    assert {"base.json", "model.safetensors"} <= {part.filepath for part in metier.parts(item.name)}
    before = len(hub.requests("/resolve/"))
    assert metier.pull("hf.co/maker/encoder", name="small-encoder").digest == item.digest
    assert len(hub.requests("/resolve/")) == before
    metier.close()


def test_damaged_bytes_are_mended_by_pulling_again(bench: Bench, hub: Hub, model: bytes) -> None:
    item = bench.pull(f"hf.co/{NAME}")
    path = bench.fleet.part_path(item, "m-Q4_0.gguf")
    path.chmod(0o644)
    path.write_bytes(model[:-1] + b"#")
    assert bench.fleet.store.verify().problems != ()
    bench.pull(f"hf.co/{NAME}")
    assert bench.fleet.store.verify().problems == ()


def _config(hub: Hub, **facts: object) -> None:
    weights = b"w" * 5000
    hub.add("maker/odd", {"config.json": json.dumps(facts).encode(), "model.safetensors": weights})


def test_code_in_the_repository_is_refused_before_the_weights_come(bench: Bench, hub: Hub) -> None:
    _config(hub, model_type="llama", auto_map={"AutoModel": "modeling.Evil"})
    with pytest.raises(InputError) as caught:
        bench.pull("hf.co/maker/odd")
    assert caught.value.code == "remote_code"
    assert hub.requests("/cdn/") == []


def test_a_family_that_cannot_be_converted_is_named(bench: Bench, hub: Hub) -> None:
    _config(hub, model_type="mamba")
    with pytest.raises(InputError) as caught:
        bench.pull("hf.co/maker/odd")
    assert caught.value.code == "unsupported_model"
    assert "'mamba'" in caught.value.message


def test_an_address_and_a_file_are_pulled_too(
    bench: Bench, hub: Hub, tmp_path: Path, model: bytes
) -> None:
    url = f"{hub.url}/{NAME}/resolve/main/m-Q4_0.gguf"
    item = bench.pull(url)
    assert item.name == "m-Q4_0"
    assert bench.fleet.read_part(item, "m-Q4_0.gguf") == model
    digest = hashlib.sha256(model).hexdigest()
    assert bench.pull(f"{url}#sha256={digest}", name="proved").name == "proved"
    with pytest.raises(MetierError) as caught:
        bench.pull(f"{url}#sha256={'0' * 64}", name="wrong")
    assert caught.value.code == "digest_mismatch"
    path = tmp_path / "my model.gguf"
    path.write_bytes(model)
    assert bench.pull(str(path)).name == "my-model"


def test_offline_takes_files_only(bench: Bench, tmp_path: Path, model: bytes) -> None:
    bench.settings = Settings(home=bench.settings.home, hub_offline=True)
    with pytest.raises(UnavailableError) as caught:
        bench.pull(f"hf.co/{NAME}")
    assert caught.value.code == "offline"
    path = tmp_path / "m.gguf"
    path.write_bytes(model)
    assert bench.pull(str(path)).name == "m"


def test_a_gated_repository_says_what_to_do(
    bench: Bench, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.gated.add(NAME)
    with pytest.raises(UnavailableError) as caught:
        bench.pull(f"hf.co/{NAME}")
    assert caught.value.code == "gated"
    monkeypatch.setattr(pulling, "stored_token", lambda: TOKEN)
    assert bench.pull(f"hf.co/{NAME}").name == f"hf.co/{NAME}"


def test_a_pull_that_failed_goes_on_where_it_stopped(bench: Bench, hub: Hub, model: bytes) -> None:
    hub.faults = [Fault("status", times=99, status=500)]
    with pytest.raises(UnavailableError):
        bench.pull(f"hf.co/{NAME}")
    assert list(bench.fleet.store.partial_folder().iterdir())
    hub.faults = []
    bench.pull(f"hf.co/{NAME}")
    assert hub.sent_of(model) <= len(model) + 4 * (256 << 10)


def test_several_pull_the_same_at_once_and_the_bytes_come_once(
    bench: Bench, hub: Hub, model: bytes
) -> None:
    failures: list[MetierError] = []

    def one(number: int) -> None:
        try:
            bench.pull(f"hf.co/{NAME}", name=f"copy-{number % 2}")
        except MetierError as error:
            failures.append(error)

    crew = [threading.Thread(target=one, args=(number,)) for number in range(6)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join(60)
    assert failures == []
    assert hub.sent_of(model) <= len(model) + 1
    assert bench.fleet.store.verify().problems == ()


def test_doors_for_others_take_neither_paths_nor_addresses(
    hub: Hub, tmp_path: Path, model: bytes
) -> None:
    hub.add(NAME, {"m.gguf": model})
    metier = Metier.open(Settings(home=tmp_path / "home", hub_endpoint=hub.url))
    path = tmp_path / "m.gguf"
    path.write_bytes(model)
    for text in (str(path), f"{hub.url}/x/m.gguf"):
        with pytest.raises(InputError) as caught:
            metier.pull(text)
        assert caught.value.code == "bad_source"
    assert metier.pull(str(path), anywhere=True).name == "m"
    assert metier.pull(f"hf.co/{NAME}").name == f"hf.co/{NAME}"
    metier.close()
