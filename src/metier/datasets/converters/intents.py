"""Converters of published intent and message sets to canonical rows.

It knows the published layouts of five data sets and the split rule of one that has none; it holds
no text of any of them, only rules.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from typing import Any

from metier.datasets.converters.upstream import Row, UpstreamBytes, bad_upstream


def banking77(files: Sequence[UpstreamBytes]) -> Iterator[Row]:
    """PolyAI's ``banking_data/train.csv`` and ``test.csv``: columns ``text`` and ``category``.

    The split is the name of the file.
    """
    for file in files:
        split = file.name.removesuffix(".csv")
        reader = csv.DictReader(io.StringIO(file.text(), newline=""), strict=True)
        for row in reader:
            yield {"text": row["text"], "label": row["category"], "split": split}


def clinc150(files: Sequence[UpstreamBytes]) -> Iterator[Row]:
    """CLINC's ``data_full.json`` (150 intents and ``oos``) with the domains of ``domains.json``.

    The parts ``val`` and ``oos_val`` are called ``valid``; ``oos_train`` and ``oos_test`` join
    ``train`` and ``test``. Rows keep the order of the file.
    """
    by_name = {file.name: file for file in files}
    domains = {
        intent: domain
        for domain, intents in _mapping(by_name, "domains.json").items()
        for intent in intents
    }
    for part, pairs in _mapping(by_name, "data_full.json").items():
        split = part.removeprefix("oos_").replace("val", "valid")
        for text, label in pairs:
            yield {
                "text": text,
                "label": label,
                "domain": domains.get(label, "oos"),
                "split": split,
            }


def snips(files: Sequence[UpstreamBytes]) -> Iterator[Row]:
    """Snips' custom intent engines: ``train_<Intent>_full.json`` and ``validate_<Intent>.json``.

    One of the files is Latin-1, the others UTF-8. An utterance is the concatenation of its pieces
    without surrounding white space; the slots are moved and cut with it.
    """
    for file in files:
        split = "train" if file.name.startswith("train_") else "test"
        for intent, utterances in file.json("utf-8", "latin-1").items():
            for utterance in utterances:
                yield _snips_row(utterance["data"], intent, split)


def _snips_row(pieces: Sequence[dict[str, Any]], intent: str, split: str) -> Row:
    whole = "".join(piece["text"] for piece in pieces)
    text = whole.strip()
    at = len(whole.lstrip()) - len(whole)
    slots = []
    for piece in pieces:
        end = at + len(piece["text"])
        if "entity" in piece:
            slots.append({"slot": piece["entity"], "start": max(at, 0), "end": min(end, len(text))})
        at = end
    return {"text": text, "label": intent, "slots": slots, "split": split}


def sms_spam(files: Sequence[UpstreamBytes]) -> Iterator[Row]:
    """The SMS spam collection as ``label<TAB>text`` lines, which has no split of its own.

    The split is a rule on the text, so that copies of a message never straddle it: the first four
    bytes (big endian) of the SHA-1 of the lower-cased text with single spaces, modulo 100, are
    below 80 for train, below 90 for valid, else test.
    """
    for file in files:
        for number, line in enumerate(file.text().split("\n"), start=1):
            if not line:
                continue
            label, separator, text = line.partition("\t")
            if not separator:
                raise bad_upstream(file.path, f"line {number} has no tab")
            key = " ".join(text.lower().split()).encode()
            digest = hashlib.sha1(key, usedforsecurity=False).digest()
            place = int.from_bytes(digest[:4], "big") % 100
            split = "train" if place < 80 else "valid" if place < 90 else "test"
            yield {"text": text.strip(), "label": label, "split": split}


def nlu_evaluation(files: Sequence[UpstreamBytes]) -> Iterator[Row]:
    """The NLU evaluation corpora (Ask Ubuntu, Web Applications, Chatbot): ``sentences``."""
    for file in files:
        for sentence in file.json()["sentences"]:
            yield {
                "text": sentence["text"],
                "label": sentence["intent"],
                "split": "train" if sentence["training"] else "test",
            }


def _mapping(by_name: dict[str, UpstreamBytes], name: str) -> dict[str, Any]:
    if name not in by_name:
        raise bad_upstream(name, "the recipe does not list it")
    value = by_name[name].json()
    if not isinstance(value, dict):
        raise bad_upstream(by_name[name].path, "it is not a JSON object")
    return value
