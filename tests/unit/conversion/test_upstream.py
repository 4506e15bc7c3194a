"""What an upstream folder says of itself is read; what we cannot convert says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.numpy import save_file

import tiny_bert
from metier.conversion.upstream import DEFAULT_NAME, file_sha256, read_upstream
from metier.errors import CorruptError, InputError, NotFoundError


def test_what_it_says(tmp_path: Path) -> None:
    upstream = read_upstream(tiny_bert.make_folder(tmp_path / "Tiny BERT", prefix="bert."))
    assert upstream.name == "tiny-bert"
    assert upstream.licence == "Apache-2.0"
    assert (upstream.prefix, upstream.pooling, upstream.max_tokens) == ("bert.", "mean", 24)
    assert (upstream.layers, upstream.heads) == (tiny_bert.LAYERS, tiny_bert.HEADS)
    assert upstream.digests["config.json"] == file_sha256(tmp_path / "Tiny BERT" / "config.json")
    assert upstream.array("embeddings.LayerNorm.bias").shape == (tiny_bert.HIDDEN,)


def test_without_the_sentence_transformers_files(tmp_path: Path) -> None:
    folder = tiny_bert.make_folder(tmp_path / "up")
    for name in ("1_Pooling/config.json", "sentence_bert_config.json", "README.md"):
        (folder / name).unlink()
    upstream = read_upstream(folder)
    assert (upstream.pooling, upstream.licence) == ("mean", "unknown")
    assert upstream.max_tokens == tiny_bert.POSITIONS


def test_no_more_tokens_than_positions(tmp_path: Path) -> None:
    assert read_upstream(tiny_bert.make_folder(tmp_path, max_tokens=512)).max_tokens == 40


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"model_type": "xlm-roberta"}, "xlm-roberta"),
        ({"hidden_act": "relu"}, "relu"),
        ({"position_embedding_type": "relative_key"}, "positions"),
        ({"num_attention_heads": 5}, "5 heads"),
    ],
)
def test_what_we_cannot_convert(tmp_path: Path, change: dict[str, object], why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_upstream(tiny_bert.make_folder(tmp_path, **change))


def test_a_pooling_that_we_do_not_have(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="pooling"):
        read_upstream(tiny_bert.make_folder(tmp_path, pooling="max"))


@pytest.mark.parametrize("value", [0, -1, "12", None])
def test_a_config_without_sense(tmp_path: Path, value: object) -> None:
    with pytest.raises(CorruptError, match="num_hidden_layers"):
        read_upstream(tiny_bert.make_folder(tmp_path, num_hidden_layers=value))


def test_broken_files(tmp_path: Path) -> None:
    folder = tiny_bert.make_folder(tmp_path)
    (folder / "config.json").write_text("[1]")
    with pytest.raises(CorruptError, match="not a JSON object"):
        read_upstream(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(CorruptError, match="not JSON"):
        read_upstream(folder)
    (folder / "config.json").unlink()
    with pytest.raises(NotFoundError, match=r"config\.json"):
        read_upstream(folder)


def test_weights_of_something_else(tmp_path: Path) -> None:
    folder = tiny_bert.make_folder(tmp_path)
    save_file({"linear.weight": tiny_bert.make_weights()["embeddings.LayerNorm.bias"]},
              folder / "model.safetensors")  # fmt: skip
    with pytest.raises(CorruptError, match="word_embeddings"):
        read_upstream(folder)


def test_another_encoder_cannot_take_the_defaults_name(tmp_path: Path) -> None:
    with pytest.raises(CorruptError, match=DEFAULT_NAME) as caught:
        read_upstream(tiny_bert.make_folder(tmp_path), name=DEFAULT_NAME)
    assert caught.value.code == "encoder_digest"


def test_the_pooling_is_read_from_json(tmp_path: Path) -> None:
    folder = tiny_bert.make_folder(tmp_path, pooling="cls")
    assert read_upstream(folder).pooling == "cls"
    both = {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(both))
    with pytest.raises(InputError, match="pooling_mode_cls_token, pooling_mode_mean_tokens"):
        read_upstream(folder)
