"""The scripts of "Run in this page" in Node: what Python answers, number for number."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import made_up
import running_fleet
import workshop
from metier.answer.browsing import alphabet
from metier.assembly import Metier
from metier.conversion.upstream import find_packaged_default
from metier.engines.tokenizing import TokenReader
from metier.errors import NotFoundError
from metier.features import FeatureSpec, hashed_counts
from metier.reference import Reference
from running_scripts import HOSTILE, SCRIPTS, answers_in_node, in_node
from toolchain import needs

pytestmark = needs()
SPEC = FeatureSpec(1 << 16, (1, 2), (1, 2, 3, 4, 5))
TEXTS = [row["text"] for row in made_up.rows(15)] + list(HOSTILE)
# Every character, its neighbour a letter or a mark: some change only beside others.
EVERY = [
    "".join(f"a{chr(point)}\u0301 " for point in range(at, at + 512))
    for at in range(0, 0x30000, 512)
    if not 0xD800 <= at < 0xE000
]


def buckets_here(texts: list[str]) -> list[list[list[int]]]:
    rows = hashed_counts(texts, SPEC)
    return [[row.indices.tolist(), row.data.astype(int).tolist()] for row in rows]


def buckets_there(texts: list[str]) -> list[list[list[int]]]:
    spec = {"buckets": SPEC.buckets, "words": SPEC.words, "characters": SPEC.characters}
    return list(in_node("buckets", alphabet=alphabet(), spec=spec, texts=texts))


@pytest.mark.parametrize("texts", [TEXTS, EVERY], ids=["texts", "every character"])
def test_buckets_are_those_of_python(texts: list[str]) -> None:
    assert buckets_there(texts) == buckets_here(texts)


def test_an_alphabet_that_knows_fewer_characters_is_kept_to() -> None:
    # The server's Unicode may be older than the browser's: "Ä" then stays as it is.
    told = dict(alphabet())
    capital = ord("Ä")
    told["unknown"] = [capital, 1]
    spec = {"buckets": 1 << 16, "words": [1], "characters": []}
    of = {text: in_node("buckets", alphabet=told, spec=spec, texts=[text]) for text in ("Ä", "ä")}
    assert of["Ä"] != of["ä"]


@pytest.fixture(scope="module")
def metier(tmp_path_factory) -> Metier:
    return running_fleet.opened(tmp_path_factory.mktemp("running"))


@pytest.fixture(scope="module")
def tokenizer(metier):
    return metier.fleet.store.folder(Reference.parse(workshop.BASE)) / "tokenizer.json"


@pytest.mark.parametrize("special", [True, False])
@pytest.mark.parametrize(
    "change", [{}, {"strip_accents": True}, {"lowercase": False}, {"clean_text": False}]
)
def test_tokens_are_those_of_the_library(tokenizer, tmp_path, special, change) -> None:
    facts = json.loads(tokenizer.read_bytes())
    facts["normalizer"] |= change
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(facts))
    # Room for whole texts, so that a difference late in one is seen as well.
    wanted = TokenReader(path, max_tokens=3000, special=special).read(TEXTS)
    options = {"maxTokens": 3000, "special": special}
    assert in_node("tokens", tokenizer=str(path), options=options, texts=TEXTS) == wanted


def test_the_default_encoder_s_tokens_are_those_of_the_library() -> None:
    try:
        path = find_packaged_default() / "tokenizer.json"
    except NotFoundError:
        pytest.skip("the default encoder is not installed")
    wanted = TokenReader(path, max_tokens=256).read([*TEXTS, *EVERY])
    options = {"maxTokens": 256, "special": True}
    texts = [*TEXTS, *EVERY]
    assert in_node("tokens", tokenizer=str(path), options=options, texts=texts) == wanted


def test_every_character_is_normalised_as_by_the_library(tokenizer) -> None:
    from tokenizers.normalizers import BertNormalizer

    facts = {"clean_text": True, "handle_chinese_chars": True, "lowercase": True}
    facts["strip_accents"] = True
    library = BertNormalizer(**facts)
    wanted = [library.normalize_str(text) for text in EVERY]
    assert in_node("normalised", normaliser=facts, texts=EVERY) == wanted


@pytest.mark.parametrize("name", ["words", "table", "same"])
def test_answers_without_an_encoder_are_those_of_python(metier, name) -> None:
    agree(metier, name, TEXTS)


@needs("browser")
@pytest.mark.parametrize("name", ["full", "small", "team/both"])
def test_answers_of_encoders_are_those_of_python(metier, name) -> None:
    agree(metier, name, TEXTS, most=5e-2 if name == "small" else 1e-4)


def agree(metier: Metier, name: str, texts: list[str], most: float = 1e-4) -> None:
    """Labels equal, all scores near; a rounded int8 value may move a score (decision 0297)."""
    plan = metier.browsing.plan(name)
    assets = dict(metier.browsing.assets()) if plan.encoder else {}
    answers = answers_in_node(plan, texts, assets, top=len(running_fleet.LABELS))
    furthest = 0.0
    for text, answer in zip(texts, answers, strict=True):
        wanted = metier.classify(name, [text], top=len(running_fleet.LABELS))[0]
        scores = {score["label"]: score["probability"] for score in answer["scores"]}
        furthest = max(furthest, *(abs(scores[key] - value) for key, value in wanted.scores))
        told = (answer["label"], answer["abstained"], answer["out_of_scope"], answer["best"])
        if most <= 1e-4:
            assert told == (wanted.label, wanted.abstained, wanted.out_of_scope, wanted.best), text
            assert answer["energy"] == pytest.approx(wanted.energy, abs=1e-4)
    assert furthest <= most


@pytest.mark.parametrize("name", ["words", "table", "full"])
def test_all_decisions_occur(metier, name) -> None:
    """Otherwise the comparison would not show that abstentions and outsiders are the same."""
    answers = metier.classify(name, TEXTS)
    decided = {(answer.abstained, answer.out_of_scope) for answer in answers}
    assert decided == {(False, False), (True, False), (True, True)}
    assert len({answer.best for answer in answers}) > 2


@settings(max_examples=6, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=40, max_size=60))
def test_any_texts_have_the_buckets_of_python(texts: list[str]) -> None:
    assert buckets_there(texts) == buckets_here(texts)


def test_the_scripts_are_small() -> None:
    for path in SCRIPTS.glob("*.js"):
        assert len(path.read_text("utf-8").splitlines()) <= 500, path.name


def test_characters_that_the_browser_does_not_know_are_told(metier) -> None:
    """An old browser before a new server: U+0378 is nobody's, so its server is made to know it."""
    plan = metier.browsing.plan("words")
    assert not any(answer["strange"] for answer in answers_in_node(plan, TEXTS, {}))
    known = {**alphabet(), "unknown": []}
    texts = ["plain ä 😀", "a \u0378 b"]
    files = {item.digest: str(item.path) for item in plan.files}
    told = in_node(
        "classify",
        plan={**plan.document, "alphabet": known},
        files=files,
        texts=texts,
        top=1,
        runtime={},
    )
    assert [answer["strange"] for answer in told["answers"]] == [False, True]
