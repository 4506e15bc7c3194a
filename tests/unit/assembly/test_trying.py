"""Who of what is here can answer a file of examples, and the search among them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import made_up
import tiny_gguf
import workshop
from local_models import install_local
from metier.assembly import Metier
from metier.assembly.trying import GENERAL
from metier.errors import InputError, NotFoundError
from metier.evals.items import seal, write_eval
from metier.messages import Example
from scripted import service, told


def classifier(metier: Metier, home: Path, name: str, rows: list[dict[str, str]]) -> None:
    data = made_up.write(home / f"{name}.jsonl", rows)
    recipe = workshop.recipe(metier, data, name=name, curve=False)
    ladder = recipe.ladder.model_copy(update={"rungs": ("linear",)})
    metier.make(recipe.model_copy(update={"ladder": ladder}), folder=home)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trying")


@pytest.fixture(scope="module")
def metier(home: Path) -> Metier:
    metier = workshop.opened(home)
    classifier(metier, home, "poor", made_up.rows(3, seed=1))
    classifier(metier, home, "good", made_up.rows(60, seed=2, noise=0.0))
    classifier(metier, home, "other", made_up.rows(8)[:0] + others())
    install_local(metier.fleet, "small", tiny_gguf.tiny_model(home))
    (home / "services.toml").write_text('[far]\nurl = "https://far.example/v1"\nmodel = "x"\n')
    return metier


def others() -> list[dict[str, str]]:
    return [{"text": f"{word} {n}", "label": word} for word in ("red", "blue") for n in range(10)]


@pytest.fixture(scope="module")
def mine(home: Path) -> Path:
    return made_up.write(home / "mine.jsonl", made_up.rows(30, seed=77, noise=0.0))


def questions(home: Path) -> Path:
    path = home / "questions.jsonl"
    rows = [{"question": f"{n} + 1?", "answer": str(n + 1)} for n in range(12)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_field_says_who_can_answer_and_who_cannot(metier: Metier, mine: Path) -> None:
    field = metier.examples(mine)
    kinds = {one.name: one.kind for one in field.candidates}
    assert kinds == {
        "poor": "classifier",
        "good": "classifier",
        "tiny": "encoder",
        "small": "writer",
        "remote:far": "service",
    }
    (left,) = field.left_out
    assert left.name == "other"
    assert left.why.startswith("It does not know 4 of 4 labels: account, delivery, payment and 1")


def test_questions_are_for_what_writes(metier: Metier, home: Path) -> None:
    field = metier.examples(questions(home))
    assert field.sheet.kind == "answers"
    assert {one.name for one in field.candidates} == {"small", "remote:far"}
    named = metier.trying.field(questions(home), ["good", "tiny"])
    assert [one.name for one in named.left_out] == ["good", "tiny"]
    assert "gives labels" in named.left_out[0].why


def test_questions_leave_the_machine_only_if_that_is_asked_for(metier: Metier, mine: Path) -> None:
    tried = metier.find_by_eval(mine, questions=60)
    assert "remote:far" not in {one.name for one in tried.candidates}
    (far,) = [one for one in tried.left_out if one.name == "remote:far"]
    assert "would get your questions" in far.why
    assert far.command == "--candidate remote:far"
    metier.close()


def test_what_is_not_here_is_only_named(metier: Metier, mine: Path) -> None:
    for one in metier.examples(mine).others:
        assert one.command.startswith("metier pull ")
    assert metier.trying.field(mine, ["good"]).others == ()


def test_the_best_specialist_is_found_and_its_evidence_kept(metier: Metier, mine: Path) -> None:
    tried = metier.find_by_eval(mine, candidates=["poor", "good", "tiny"], against="poor")
    assert tried.search.winner == "good"
    assert tried.evidence
    (row,) = [
        row
        for row in metier.ledger.rows("evidence", "good")
        if row.body.get("rival_name") == tried.evidence[0].rival_name
        and row.body["command"] == tried.command
    ][:1]
    assert str(row.digest) == tried.evidence[0].results[0]
    assert tried.command == (
        f"metier find --eval {mine} --candidate poor --candidate good --candidate tiny "
        "--against poor"
    )
    assert tried.winner.act == "metier run good"
    assert tried.sheet is not None
    assert tried.sheet["rows"] == 120


def test_rows_that_a_specialist_was_trained_on_are_left_out(metier: Metier, home: Path) -> None:
    fresh = made_up.rows(15, seed=78, noise=0.0)
    path = made_up.write(home / "mixed.jsonl", [*made_up.rows(60, seed=2, noise=0.0)[:40], *fresh])
    tried = metier.find_by_eval(path, candidates=["good"])
    (one,) = tried.overlaps
    assert one.found
    assert tried.search.final is not None
    assert len(tried.search.final.questions) == one.of - one.found
    assert any("was trained on and were left out." in line for line in tried.beside())
    assert tried.only == "was tried", "poor and tiny can answer too"


def test_where_the_training_rows_are_gone_that_is_said(
    metier: Metier, home: Path, mine: Path
) -> None:
    rows = home / "poor.jsonl"
    kept = rows.read_bytes()
    rows.unlink()
    try:
        tried = metier.find_by_eval(mine, candidates=["poor", "small"], questions=24)
    finally:
        rows.write_bytes(kept)
    assert "Whether poor was trained on these rows is not known." in tried.beside()
    assert tried.beside()[-1] == "Whether the models have seen these questions is not known."
    assert tried.always is not None
    metier.close()


def test_a_model_here_is_held_to_the_labels(metier: Metier, mine: Path) -> None:
    tried = metier.find_by_eval(mine, candidates=["good", "local:small"], questions=24)
    assert tried.search.winner == "good"
    assert tried.failures == ()
    shares = tried.search.final
    assert shares is not None
    assert shares.rivals[0].unscored == 0
    metier.close()


def test_services_answer_and_one_that_is_gone_is_named(home: Path, mine: Path) -> None:
    with service() as seen:
        seen.always = told('{"label": "payment"}')
        far = Metier.open(workshop.settings(home))
        text = (
            f'[near]\nurl = "{seen.service.url}"\nmodel = "m"\n'
            '[far]\nurl = "http://127.0.0.1:9/v1"\nmodel = "x"\n'
        )
        (home / "services.toml").write_text(text)
        wanted = ["remote:near", "remote:far", "good"]
        tried = far.find_by_eval(mine, candidates=wanted, questions=60)
    assert tried.search.winner == "good"
    assert [name for name, _ in tried.failures] == ["remote:far"]
    assert "response_format" in seen.bodies[0]
    far.close()


def test_the_general_model_is_a_candidate_where_one_is_set(home: Path, mine: Path) -> None:
    general = Metier.open(
        workshop.settings(
            home, METIER_GENERAL_URL="http://127.0.0.1:9/v1", METIER_GENERAL_MODEL="m"
        )
    )
    assert GENERAL in {one.name for one in general.examples(mine).candidates}


def test_nobody_and_no_such_candidate(metier: Metier, home: Path) -> None:
    with pytest.raises(InputError) as raised:
        metier.find_by_eval(questions(home), candidates=["good"])
    assert raised.value.code == "no_candidates"
    assert "gives labels" in raised.value.message
    with pytest.raises(NotFoundError):
        metier.find_by_eval(questions(home), candidates=["nosuch"])
    with pytest.raises(NotFoundError):
        metier.find_by_eval(home / "nowhere.jsonl")


def test_a_sealed_eval_keeps_its_fingerprint(metier: Metier, home: Path, mine: Path) -> None:
    sealed = seal([Example(row["text"], row["label"]) for row in made_up.rows(20, seed=8)])
    path = home / "sealed.jsonl"
    write_eval(path, sealed)
    found = metier.find_by_eval(path, candidates=["good", "poor"])
    assert found.fingerprint == sealed.fingerprint
    assert found.search.winner == "good"


def test_an_executed_eval_is_sent_to_where_it_is_run(metier: Metier) -> None:
    with pytest.raises(InputError, match="executed eval") as raised:
        metier.find_by_eval(Path("svelte"))
    assert "metier eval NAME --on svelte" in raised.value.remedy
