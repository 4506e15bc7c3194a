"""The converted vocabulary cuts every text into the tokens that tokenizer.json gives it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, models, normalizers, processors, trainers

from conversion_cases import changed
from listening import served, tokens
from metier.conversion.gguf.model import convert_folder
from metier.conversion.gguf.vocabulary import (
    BYTE,
    CONTROL,
    NORMAL,
    UNKNOWN,
    UNUSED,
    USER_DEFINED,
    read_vocabulary,
)
from metier.errors import InputError
from tiny_source import CORPUS, TEMPLATE, Architecture, tiny_folder, tokenizer

TEXTS = [
    CORPUS,
    TEMPLATE,
    "",
    " ",
    "a  b   c    d",
    "tabs\t\there\n\n\n  and lines\r\n\r\n",
    "3.14159, 1234567 and 12 34",
    "don't we'll I'M they'Re",
    "Ünïcödé straße 日本語 русский العربية हिन्दी",
    "emoji 👩\u200d👩\u200d👧 🇩🇪 ☕️",
    "<|im_start|>user\nhello<|im_end|>\n<think>\nhm\n</think>",
    "x<tool_call>y</tool_call> <|endoftext|>tail",
    "\u00a0nbsp\u2003em\u200bzero",
    "snake_case camelCase $money$ {'a': [1, 2]} // comment #hash",
    "ʼn ǆ ﬁ ½ ² ٣",
]


@pytest.mark.parametrize("architecture", ["qwen2", "llama"])
def test_byte_level_tokens_are_equal(architecture: Architecture, tmp_path: Path) -> None:
    source = tiny_folder(tmp_path / "source", architecture=architecture)
    model = convert_folder(source, tmp_path / "m.gguf").path
    known = tokenizer(architecture)
    with served(model) as server:
        for text in TEXTS:
            assert tokens(server, text) == known.encode(text, add_special_tokens=False).ids, text


@pytest.mark.parametrize(
    ("steps", "pre"),
    [
        ([], "gpt-2"),
        ([{"type": "Digits", "individual_digits": True}], "smollm"),
    ],
)
def test_tokens_cut_as_gpt2_are_equal(
    steps: list[dict[str, Any]], pre: str, tmp_path: Path
) -> None:
    source = tiny_folder(tmp_path / "source")
    last = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    cut = {"type": "Sequence", "pretokenizers": [*steps, last]}
    changed(source, "tokenizer.json", {"pre_tokenizer": cut})
    saved = json.loads((source / "tokenizer.json").read_text("utf-8"))
    assert read_vocabulary(saved, {}, 512).pre == pre
    known = Tokenizer.from_file(str(source / "tokenizer.json"))
    with served(convert_folder(source, tmp_path / "m.gguf").path) as server:
        for text in TEXTS:
            assert tokens(server, text) == known.encode(text, add_special_tokens=False).ids, text


def sentence_piece(folder: Path) -> Tokenizer:
    """A tokenizer like llama 2's, trained on the corpus, saved into ``folder``."""
    built = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    built.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=511,
        special_tokens=["<unk>", "<s>", "</s>", *bytes_],
        show_progress=False,
    )
    built.train_from_iterator(CORPUS.split(" "), trainer)
    saved = json.loads(built.to_str())
    saved["added_tokens"] = [entry for entry in saved["added_tokens"] if entry["id"] < 3]
    built = Tokenizer.from_str(json.dumps(saved))
    built.add_tokens([AddedToken("<tool>", special=False, normalized=False)])
    built.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", built.token_to_id("<s>"))]
    )
    built.save(str(folder / "tokenizer.json"))
    return built


def test_sentence_piece_tokens_are_equal(tmp_path: Path) -> None:
    source = tiny_folder(tmp_path / "source", architecture="llama")
    known = sentence_piece(source)
    settings = {"eos_token": "</s>", "bos_token": "<s>", "pad_token": None, "add_bos_token": None}
    changed(source, "tokenizer_config.json", settings)
    model = convert_folder(source, tmp_path / "m.gguf").path
    with served(model) as server:
        for text in TEXTS:
            if text:  # llama.cpp gives no token to no text; HF gives the prepended space
                assert tokens(server, text, add_special=True) == known.encode(text).ids, text


def test_kinds_of_tokens(tmp_path: Path) -> None:
    source = tiny_folder(tmp_path / "source", architecture="llama")
    sentence_piece(source)
    saved = json.loads((source / "tokenizer.json").read_text("utf-8"))
    found = read_vocabulary(saved, {}, 600)
    kinds = dict(zip(found.tokens, found.kinds, strict=True))
    assert (kinds["<unk>"], kinds["<s>"], kinds["<0x41>"]) == (UNKNOWN, CONTROL, BYTE)
    assert (kinds["<tool>"], kinds["▁the"], kinds["[PAD599]"]) == (USER_DEFINED, NORMAL, UNUSED)
    assert (found.model, found.add_bos, found.add_eos, found.add_space) == (
        "llama", True, False, True,
    )  # fmt: skip


def saved_qwen2(**changes: Any) -> dict[str, Any]:
    return {**json.loads(tokenizer("qwen2").to_str()), **changes}


def test_whole_words_before_merging_choose_the_pattern() -> None:
    saved = json.loads(tokenizer("llama").to_str())
    assert read_vocabulary(saved, {}, 512).pre == "llama-bpe"
    saved["model"]["ignore_merges"] = False
    assert read_vocabulary(saved, {}, 512).pre == "smaug-bpe"
    assert read_vocabulary(saved_qwen2(), {}, 512).pre == "qwen2"


def test_merges_of_both_ages() -> None:
    saved = saved_qwen2()
    new = read_vocabulary(saved, {}, 512)
    saved["model"]["merges"] = [" ".join(pair) for pair in saved["model"]["merges"]]
    assert read_vocabulary(saved, {}, 512) == new


def test_who_puts_the_beginning_before_a_text() -> None:
    bos = {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}
    text = {"Sequence": {"id": "A", "type_id": 0}}
    template = {"type": "TemplateProcessing", "single": [bos, text]}
    saved = saved_qwen2(
        post_processor={"type": "Sequence", "processors": [{"type": "ByteLevel"}, template]}
    )
    assert read_vocabulary(saved, {}, 512).add_bos
    assert not read_vocabulary(saved, {}, 512).add_eos
    assert not read_vocabulary(saved, {"add_bos_token": False}, 512).add_bos
    assert read_vocabulary(saved_qwen2(), {"add_eos_token": True}, 512).add_eos


def split(pattern: str, behavior: str = "Isolated") -> dict[str, Any]:
    step = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": False}
    last = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
    return {"type": "Sequence", "pretokenizers": [step, last]}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": {"type": "WordPiece", "vocab": {}}}, "WordPiece"),
        ({"normalizer": {"type": "Lowercase"}}, "Lowercase"),
        ({"pre_tokenizer": {"type": "Whitespace"}}, "no byte-level"),
        ({"pre_tokenizer": None}, "no byte-level"),
        ({"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True}}, "a space before"),
        ({"pre_tokenizer": split(r"\w+")}, r"cuts text by"),
        ({"pre_tokenizer": split(r"\w+", "Removed")}, r"cuts text by"),
    ],
)
def test_rules_that_the_engine_does_not_have(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        read_vocabulary(saved_qwen2(**changes), {}, 512)
    assert caught.value.code == "unknown_tokenizer"


def test_files_that_contradict_themselves() -> None:
    for changes, says in (
        ({"model": None}, "no model"),
        ({"added_tokens": [{"id": 3}]}, "no content"),
        ({"added_tokens": [{"id": 600, "content": "x"}]}, "512 rows"),
        ({"added_tokens": [{"id": 3, "content": "x"}]}, "two tokens"),
        ({"added_tokens": [{"id": "3", "content": "x"}]}, "number 3"),
        ({"normalizer": {"type": "Sequence", "normalizers": 3}}, "not understood"),
        ({"normalizer": 3}, "not understood"),
    ):
        with pytest.raises(InputError, match=says) as caught:
            read_vocabulary(saved_qwen2(**changes), {}, 512)
        assert caught.value.code == "bad_model_folder"


@pytest.mark.parametrize("merges", [None, ["a"], [["a", "b", "c"]], [["a", 1]], [["a ", "b"]], [3]])
def test_merges_that_are_none(merges: Any) -> None:
    saved = saved_qwen2()
    saved["model"]["merges"] = merges
    with pytest.raises(InputError, match="merge"):
        read_vocabulary(saved, {}, 512)
