from __future__ import annotations

import pytest

from metier.errors import InputError, NotFoundError
from metier.hub.choosing import Choice, choose, gguf_files
from metier.hub.files import RemoteFile, Repository


def repository(*paths: str) -> Repository:
    files = tuple(RemoteFile(path, f"https://hub.example/{path}", 100) for path in paths)
    return Repository("maker/model", "c" * 40, files)


def names(choice: Choice) -> list[str]:
    return [file.path for file in choice.files]


SEVERAL = ("m-F16.gguf", "m-Q2_K.gguf", "m-Q4_K_M.gguf", "m-Q8_0.gguf", "README.md", "x.py")


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (None, "m-Q4_K_M.gguf"),
        ("Q8_0", "m-Q8_0.gguf"),
        ("q8_0", "m-Q8_0.gguf"),
        ("fp16", "m-F16.gguf"),
        ("m-Q2_K.gguf", "m-Q2_K.gguf"),
        ("M-q2_k", "m-Q2_K.gguf"),
    ],
)
def test_a_quantisation_is_taken_as_it_is_written(selector: str | None, expected: str) -> None:
    choice = choose(repository(*SEVERAL), selector)
    assert choice.kind == "gguf"
    assert names(choice) == [expected, "README.md"]


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (("m.Q5_K_M.gguf", "m.Q8_0.gguf"), "m.Q5_K_M.gguf"),
        (("m-f16.gguf", "m-q8_0.gguf"), "m-q8_0.gguf"),
        (("m-IQ4_XS.gguf", "m-Q2_K.gguf"), "m-IQ4_XS.gguf"),
        (("odd.gguf",), "odd.gguf"),
        (("m-UD-Q4_K_XL.gguf", "m-BF16.gguf"), "m-BF16.gguf"),
        (("Q4_K_M/m-00001-of-00001.gguf", "Q8_0/m-00001-of-00001.gguf"),
         "Q4_K_M/m-00001-of-00001.gguf"),
    ],
)  # fmt: skip
def test_without_a_quantisation_the_order_of_the_page_decides(
    paths: tuple[str, ...], expected: str
) -> None:
    assert names(choose(repository(*paths))) == [expected]


def test_a_quantisation_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(NotFoundError) as caught:
        choose(repository(*SEVERAL), "Q6_K")
    assert caught.value.code == "no_such_file"
    assert caught.value.details["there"] == ["Q4_K_M", "Q8_0", "Q2_K", "F16"]


def test_several_that_fit_are_listed() -> None:
    with pytest.raises(InputError) as caught:
        choose(repository("a-Q4_K_M.gguf", "b-Q4_K_M.gguf"))
    assert caught.value.code == "several_models"
    assert "a-Q4_K_M.gguf" in caught.value.message
    chosen = choose(repository("a-Q4_K_M.gguf", "b-Q4_K_M.gguf"), "b-Q4_K_M.gguf")
    assert names(chosen) == ["b-Q4_K_M.gguf"]


def test_all_shards_come_in_order_and_a_missing_one_is_an_error() -> None:
    shards = [f"m-Q8_0-0000{number}-of-00003.gguf" for number in (3, 1, 2)]
    assert names(choose(repository(*shards))) == sorted(shards)
    assert names(choose(repository(*shards), shards[0])) == sorted(shards)
    with pytest.raises(InputError) as caught:
        choose(repository(*shards[:2]))
    assert caught.value.code == "incomplete_model"


def test_the_projector_comes_along_half_precision_first() -> None:
    paths = ("m-Q4_0.gguf", "mmproj-m-f32.gguf", "mmproj-m-f16.gguf", "mmproj-m-Q8_0.gguf")
    choice = choose(repository(*paths))
    assert choice.projector is not None
    assert choice.projector.path == "mmproj-m-f16.gguf"
    assert names(choose(repository("m-Q4_0.gguf"))) == ["m-Q4_0.gguf"]
    assert [one.label for one in gguf_files(repository(*paths))] == ["Q4_0"]


def test_a_gguf_adapter_is_told_by_its_name() -> None:
    choice = choose(repository("style-lora-f16.gguf"))
    assert choice.kind == "gguf-adapter"


def test_a_peft_adapter_needs_its_two_files() -> None:
    choice = choose(repository("adapter_config.json", "adapter_model.safetensors", "x.py"))
    assert choice.kind == "peft"
    assert names(choice) == ["adapter_model.safetensors", "adapter_config.json"]
    with pytest.raises(InputError) as caught:
        choose(repository("adapter_config.json", "adapter_model.bin"))
    assert caught.value.code == "unsafe_weights"


def test_a_folder_brings_settings_and_tokenizer_and_no_code() -> None:
    paths = (
        "model.safetensors", "config.json", "tokenizer.json", "1_Pooling/config.json",
        "modules.json", "pytorch_model.bin", "modeling_x.py", "onnx/model.onnx", "LICENSE",
        "weights.tar.gz", "openvino/x.xml",
    )  # fmt: skip
    choice = choose(repository(*paths))
    assert choice.kind == "folder"
    assert sorted(names(choice)) == sorted(
        ["model.safetensors", "config.json", "tokenizer.json", "1_Pooling/config.json",
         "modules.json", "LICENSE"]
    )  # fmt: skip


def test_shards_of_safetensors_come_all_or_not() -> None:
    paths = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    assert choose(repository(*paths, "config.json")).weights[1].path == paths[1]
    with pytest.raises(InputError) as caught:
        choose(repository(paths[0], "config.json"))
    assert caught.value.code == "incomplete_model"


@pytest.mark.parametrize(
    ("paths", "code"),
    [
        (("pytorch_model.bin", "config.json"), "unsafe_weights"),
        (("model.pkl",), "unsafe_weights"),
        (("onnx/model.onnx", "config.json"), "no_model"),
        (("README.md",), "no_model"),
        (("modeling_x.py", "config.json"), "no_model"),
        (("weights.zip",), "no_model"),
        ((), "no_model"),
    ],
)
def test_what_cannot_be_loaded_safely_is_refused_at_the_door(
    paths: tuple[str, ...], code: str
) -> None:
    with pytest.raises(InputError) as caught:
        choose(repository(*paths))
    assert caught.value.code == code


def test_a_quantisation_of_a_folder_without_gguf_is_not_there() -> None:
    with pytest.raises(NotFoundError):
        choose(repository("model.safetensors", "config.json"), "Q4_0")
