"""A BERT sentence encoder of 40 kB with random weights, and its arithmetic written out in numpy.

The numpy forward is independent of what it checks: it follows the paper (Devlin et al. 2019) and
shares no code with ``metier.conversion``.
"""

from __future__ import annotations

import json
from math import erf
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

LAYERS, HEADS, HIDDEN, WIDE, POSITIONS = 2, 4, 32, 64, 40
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WHOLE = ["the", "card", "is", "late", "my", "train", "where", "pay", "##ment", "lost", "é"]
WORDS = [*LETTERS, *"0123456789.,!?'", *(f"##{letter}" for letter in LETTERS), *WHOLE]
VOCABULARY = [*SPECIAL, *WORDS]
EPSILON = 1e-12


def make_weights(seed: int = 7, prefix: str = "") -> dict[str, NDArray[np.float32]]:
    """Random weights under the names that transformers gives them."""
    random = np.random.default_rng(seed)

    def normal(*shape: int, scale: float = 0.3) -> NDArray[np.float32]:
        return (random.normal(size=shape) * scale).astype(np.float32)

    weights = {
        "embeddings.word_embeddings.weight": normal(len(VOCABULARY), HIDDEN),
        "embeddings.position_embeddings.weight": normal(POSITIONS, HIDDEN),
        "embeddings.token_type_embeddings.weight": normal(2, HIDDEN),
        "embeddings.LayerNorm.weight": 1 + normal(HIDDEN, scale=0.1),
        "embeddings.LayerNorm.bias": normal(HIDDEN, scale=0.1),
    }
    for layer in range(LAYERS):
        path = f"encoder.layer.{layer}"
        shapes = {
            "attention.self.query": (HIDDEN, HIDDEN),
            "attention.self.key": (HIDDEN, HIDDEN),
            "attention.self.value": (HIDDEN, HIDDEN),
            "attention.output.dense": (HIDDEN, HIDDEN),
            "intermediate.dense": (WIDE, HIDDEN),
            "output.dense": (HIDDEN, WIDE),
        }
        for name, shape in shapes.items():
            weights[f"{path}.{name}.weight"] = normal(*shape)
            weights[f"{path}.{name}.bias"] = normal(shape[0], scale=0.1)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            weights[f"{path}.{name}.weight"] = 1 + normal(HIDDEN, scale=0.1)
            weights[f"{path}.{name}.bias"] = normal(HIDDEN, scale=0.1)
    return {prefix + name: array for name, array in weights.items()}


def make_folder(
    folder: Path, *, pooling: str = "mean", max_tokens: int = 24, prefix: str = "", **config: Any
) -> Path:
    """Write the encoder as its authors would have published it; ``config`` changes config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(make_weights(prefix=prefix), folder / "model.safetensors", {"format": "pt"})
    settings = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": WIDE,
        "vocab_size": len(VOCABULARY),
        "max_position_embeddings": POSITIONS,
        "layer_norm_eps": EPSILON,
        **config,
    }
    (folder / "config.json").write_text(json.dumps(settings))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": max_tokens}))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    modes = {
        "pooling_mode_mean_tokens": pooling == "mean",
        "pooling_mode_cls_token": pooling == "cls",
    }
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(modes))
    (folder / "tokenizer.json").write_text(json.dumps(make_tokenizer()))
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Tiny\n")
    return folder


def make_tokenizer() -> dict[str, Any]:
    """A WordPiece tokenizer.json; its own truncation and padding are upstream's leftovers."""
    ids = {token: number for number, token in enumerate(VOCABULARY)}
    cls = {"SpecialToken": {"id": "[CLS]", "type_id": 0}}
    sep = {"SpecialToken": {"id": "[SEP]", "type_id": 0}}
    return {
        "version": "1.0",
        "truncation": {
            "direction": "Right",
            "max_length": 8,
            "strategy": "LongestFirst",
            "stride": 0,
        },
        "padding": {
            "strategy": {"Fixed": 8},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "[PAD]",
        },
        "added_tokens": [
            {
                "id": ids[token],
                "special": True,
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
            }
            for token in SPECIAL
        ],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": False,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [cls, {"Sequence": {"id": "A", "type_id": 0}}, sep],
            "pair": [cls, {"Sequence": {"id": "A", "type_id": 0}}, sep],
            "special_tokens": {
                token: {"id": token, "ids": [ids[token]], "tokens": [token]}
                for token in ("[CLS]", "[SEP]")
            },
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": ids,
        },
    }


def forward(
    weights: dict[str, NDArray[np.float32]], ids: list[int], pooling: str = "mean"
) -> NDArray[np.float64]:
    """The unit vector of one text of token ``ids``, in float64, special tokens included."""
    w = {name: array.astype(np.float64) for name, array in weights.items()}

    def linear(name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    x = w["embeddings.word_embeddings.weight"][ids]
    x = x + w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm("embeddings.LayerNorm", x + w["embeddings.token_type_embeddings.weight"][0])
    for layer in range(LAYERS):
        path = f"encoder.layer.{layer}"
        heads = [
            linear(f"{path}.attention.self.{part}", x).reshape(len(ids), HEADS, -1).swapaxes(0, 1)
            for part in ("query", "key", "value")
        ]
        scores = heads[0] @ heads[1].swapaxes(1, 2) / np.sqrt(HIDDEN / HEADS)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        context = (shares @ heads[2]).swapaxes(0, 1).reshape(len(ids), HIDDEN)
        x = norm(
            f"{path}.attention.output.LayerNorm",
            x + linear(f"{path}.attention.output.dense", context),
        )
        wide = linear(f"{path}.intermediate.dense", x)
        wide = wide * 0.5 * (1 + np.vectorize(erf)(wide / np.sqrt(2)))
        x = norm(f"{path}.output.LayerNorm", x + linear(f"{path}.output.dense", wide))
    pooled = x.mean(0) if pooling == "mean" else x[0]
    return np.asarray(pooled / np.linalg.norm(pooled))


TEXTS = [
    "where is my card",
    "the train is late, late, late!",
    "payment lost",
    "",
    "é",
    "zzz 999 ~",
    "a",
    "the card is late and my payment is lost and where is the train " * 4,
]
"""Texts of several lengths: none, unknown signs, one token, more than ``max_tokens``."""
