"""Tasks and suites: what they refuse, what their fingerprint holds."""

from dataclasses import replace
from datetime import date

import pytest

from judging import suite, task
from metier.coding import Behaviour, SourceFile
from metier.errors import InputError
from metier.evals.tasks import Mutant, Suite


def test_the_fingerprint_holds_what_can_change_a_score_and_nothing_else() -> None:
    first = suite()
    one = first.tasks[0]

    def changed(**fields: object) -> Suite:
        return replace(first, tasks=(replace(one, **fields), *first.tasks[1:]))  # type: ignore[arg-type]

    steps = replace(one.behaviour, steps=({"has": "other"},))
    for fields in (
        {"prompt": "Write another word."},
        {"behaviour": steps},
        {"cluster": "other"},
        {"date": "2026-11-24"},
        {"toolchains": ("words@2",)},
    ):
        assert changed(**fields).fingerprint != first.fingerprint, fields
    mended = (Mutant("0", "another", (SourceFile("answer.txt", "worse"),)),)
    for fields in ({"mutants": mended}, {"title": "Another title"}):
        assert changed(**fields).fingerprint == first.fingerprint, fields
        assert changed(**fields).tasks[0].digest != one.digest, fields
    assert replace(first, tasks=first.tasks[::-1]).fingerprint == first.fingerprint


def test_the_question_shows_what_is_there_and_names_what_to_write() -> None:
    given = {"lib/a.js": "export const a = '```';", "answer.txt": "left out"}
    asked = task("one", behaviour=Behaviour("words", "answer.txt", given, ({"has": "one"},)))
    assert asked.question == (
        "Write the word one.\n\n"
        "These files are there already:\n\n"
        "`lib/a.js`\n\n````js\nexport const a = '```';\n````\n\n"
        "Answer with the whole file `answer.txt` in one fenced code block."
    )
    two = (SourceFile("a.txt", "one"), SourceFile("b.txt", "one"))
    assert (
        "Answer with the whole files `a.txt`, `b.txt`, each in"
        in task("one", reference=two, mutants=0).question
    )


def test_dates_and_numbers_that_json_lacks_are_part_of_the_fingerprint() -> None:
    behaviour = Behaviour("words", "a.txt", {}, ({"at": date(2026, 1, 1), "is": float("nan")},))
    assert task("one", behaviour=behaviour).asked()["steps"] == [
        {"at": {"$date": "2026-01-01"}, "is": {"$number": "nan"}}
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"id": "no spaces"}, "id: 'no spaces' is not a name"),
        ({"cluster": ""}, "cluster: '' is not a name"),
        ({"date": "yesterday"}, "date: 'yesterday' is not a date"),
        ({"toolchains": ("Svelte 5",)}, "toolchains: 'Svelte 5' is not a toolchain"),
        ({"toolchains": ("a@1", "a@1")}, "toolchains: one is named twice"),
        ({"prompt": "  "}, "prompt: it is empty"),
        ({"prompt": "x" * 20_001}, "prompt: it is longer than 20,000"),
        ({"reference": ()}, "reference: there is none"),
        ({"reference": (SourceFile("../a", ""),)}, "reference: '../a' is not a relative path"),
        ({"reference": (SourceFile("/a", ""),)}, "reference: '/a' is not a relative path"),
        ({"reference": (SourceFile("a", ""), SourceFile("a", ""))}, "'a' is there twice"),
        ({"reference": (SourceFile("a", "x" * 200_001),)}, "longer than 200,000"),
        ({"mutants": (Mutant("1", "why", (SourceFile("answer.txt", "one indeed"),)),)}, "same as"),
        ({"mutants": (Mutant("1", " ", (SourceFile("a", "b"),)),)}, "mutants.1.why: it is empty"),
        ({"behaviour": Behaviour("", "a")}, "behaviour.kind: it is missing"),
        ({"behaviour": Behaviour("x", "a", {}, ({"a": {1, 2}},))}, "a value that is not JSON"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as caught:
        task("one", **fields)  # type: ignore[arg-type]
    assert caught.value.code == "bad_task"
    assert said in caught.value.message


def test_two_equal_mutants_are_refused() -> None:
    files = (SourceFile("answer.txt", "bad"),)
    with pytest.raises(InputError, match="the same as 1"):
        task("one", mutants=(Mutant("1", "a", files), Mutant("2", "b", files)))


def test_a_suite_needs_tasks_with_ids_of_their_own() -> None:
    with pytest.raises(InputError, match="has no tasks"):
        Suite("empty", "t", "l", ())
    with pytest.raises(InputError, match="Two tasks"):
        Suite("twice", "t", "l", (task("one"), task("one")))


def test_some_tasks_are_a_suite_of_their_own() -> None:
    whole = suite()
    some = whole.only(["word3", "word1"])
    assert [one.id for one in some.tasks] == ["word1", "word3"]
    assert some.fingerprint != whole.fingerprint
    assert (whole.clusters, whole.toolchains) == (("pair0", "pair1", "pair2"), ("words@1",))
    with pytest.raises(InputError, match="no task 'word9'"):
        whole.only(["word9"])
