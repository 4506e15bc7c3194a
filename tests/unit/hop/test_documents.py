"""Documents that move: which questions are made, what answers them, and who is promoted."""

from __future__ import annotations

import json

from metier.card import Evidence, Verdict
from metier.evals.comparing import compare
from metier.hop import Challenger
from metier.hop.documents import (
    Sealed,
    decide_documents,
    rank,
    result_of,
    runs_of,
    sealed,
)
from metier.retrieval import PackSource
from metier.retrieval.chunking import Chunk, chunks_of

ROUTES = """# Routing

## Layouts

A layout stands around every page below its folder and stays in place while people move between
the pages; put what all of them share there.

## Errors

An error page is shown where the loading of a page fails; the nearest one above the page is taken
and the page itself is not rendered at all.
"""
LOADING = """# Loading

## Parents

A page may wait for what its layout has loaded. Read about [the layouts of a page](routing#Layouts)
before you wait for them in every load function.

## Streams

{streams}
"""
OLD = (
    "Promises at the top of the returned object are awaited before the page is rendered here. "
    "Put a promise deeper into the object where the page should not wait for it, and show some "
    "placeholder until it is there; the server keeps the connection open for as long as that takes."
)
NEW = (
    "Whatever is returned streams to the browser; nothing waits for it unless the page itself "
    "does. Await a promise in the markup to wait, or hand it to a boundary that shows its pending "
    "part meanwhile; errors go to the nearest boundary above, and not to the page for errors."
)


def chunks(streams: str, version: str = "kit@1", **more: str) -> list[Chunk]:
    documents = {"10-routing.md": ROUTES, "20-load.md": LOADING.format(streams=streams), **more}
    return list(chunks_of(PackSource(documents, "here", version, None, "svelte")))


def moved() -> Sealed:
    return sealed(chunks(OLD), chunks(NEW, "kit@2"))


def test_questions_are_made_by_rule_and_counted_apart() -> None:
    found = moved()
    told = {(one.group, one.kind, one.text) for one in found.questions}
    assert ("kept", "heading", "Routing: Layouts") in told
    assert ("changed", "heading", "Loading: Streams") in told
    links = [one for one in found.questions if one.kind == "link"]
    assert [one.answer for one in links] == ["kit@1/10-routing.md#Layouts"]
    assert links[0].text.startswith("Read about the layouts of a page before you wait")
    assert links[0].cluster == "kit/20-load.md"
    assert not any("Streams" in one.text for one in found.questions if one.group == "kept")
    assert (found.gone, found.passages, found.unchanged) == (1, 3, 2)


def test_the_same_documents_seal_the_same_eval() -> None:
    first, second = moved(), moved()
    assert first.fingerprint == second.fingerprint
    assert first.to_bytes() == second.to_bytes()
    header, *lines = first.to_bytes().splitlines()
    assert json.loads(header)["fingerprint"] == first.fingerprint
    assert len(lines) == len(first.questions)
    other = sealed(chunks(OLD), chunks(NEW + " Or so.", "kit@2"))
    assert other.fingerprint != first.fingerprint
    assert other.of("kept") == first.of("kept")


def test_nothing_changed_is_nothing_to_ask() -> None:
    found = sealed(chunks(OLD), chunks(OLD, "kit@2"))
    assert found.count("changed") == 0
    assert found.gone == 0


def test_an_answer_is_the_passage_as_it_is_now() -> None:
    found = moved()
    asked = next(one for one in found.questions if one.group == "changed")
    assert rank(asked, ["something else entirely, with words", NEW]) == 2
    assert rank(asked, [OLD, ROUTES]) is None
    assert rank(asked, [NEW.replace("Whatever", "What")]) == 1, "a word or two is the same passage"
    assert runs_of("[a b c d](x)") == runs_of("[a b c d](y)")
    assert runs_of("") == frozenset()
    assert len(runs_of("three short words")) == 1


def evidence(found: Sealed, group: str, mine: float, theirs: float) -> Evidence:
    questions = [one for one in found.questions if one.group == group]
    results = []
    for name, share in (("new", mine), ("old", theirs)):
        ranks = {
            one.id: 1 if place < share * len(questions) else None
            for place, one in enumerate(questions)
        }
        results.append(
            result_of(
                ranks,
                questions,
                fingerprint=found.of(group),  # type: ignore[arg-type]
                system=("sha256:" + name.encode().hex().ljust(64, "0"), name),
                top=5,
                toolchain={},
            )
        )
    return compare(results[0], results[1], against="other", command="", date="", margin=0.2)


def many() -> Sealed:
    """Forty documents that stay and forty that change."""

    def page(number: int, said: str) -> str:
        words = " ".join(f"{said}{number}w{place}" for place in range(12))
        return f"# Page {said} {number}\n\n{words}\n"

    stay = {f"s{n}.md": page(n, "stay") for n in range(40)}
    before = stay | {f"m{n}.md": page(n, "before") for n in range(40)}
    after = stay | {f"m{n}.md": page(n, "after") for n in range(40)}
    source = {"source": "here", "version": "pages@1"}
    return sealed(
        list(chunks_of(PackSource(before, **source))), list(chunks_of(PackSource(after, **source)))
    )


def ruled(kept: tuple[float, float], changed: tuple[float, float]) -> tuple[str, str]:
    found = many()
    assert (found.count("kept"), found.count("changed")) == (40, 40)
    challenger = Challenger(
        "pages@2",
        system="sha256:" + "1" * 64,
        evidence=evidence(found, "kept", *kept),
        fresh=evidence(found, "changed", *changed),
    )
    promotion = decide_documents([challenger])
    (ruling,) = promotion.rulings
    assert (promotion.promoted is challenger) == (ruling.act == "hop")
    return ruling.act, ruling.ground


def test_what_changed_must_win_and_the_rest_must_not_get_worse() -> None:
    assert ruled((1.0, 1.0), (0.9, 0.0)) == ("hop", "win")
    assert ruled((0.5, 1.0), (0.9, 0.0)) == ("kept", "loss")
    assert ruled((1.0, 1.0), (0.0, 0.9)) == ("kept", "fresh")
    assert ruled((1.0, 1.0), (0.05, 0.0)) == ("kept", "underpowered")
    assert ruled((0.9, 1.0), (0.9, 0.0)) == ("kept", "underpowered")


def test_without_questions_nothing_is_promoted() -> None:
    asked = Challenger("pages@2", system="sha256:" + "1" * 64)
    failed = Challenger("pages@3", failed="The documents cannot be had.")
    promotion = decide_documents([asked, failed])
    assert promotion.promoted is None
    assert [one.ground for one in promotion.rulings] == ["underpowered", "failed"]


def test_only_new_documents_may_win_alone() -> None:
    found = many()
    changed = evidence(found, "changed", 1.0, 0.0)
    assert changed.difference.verdict is Verdict.WIN
    first = Challenger("a", system="sha256:" + "1" * 64, fresh=changed)
    second = Challenger("b", system="sha256:" + "2" * 64, fresh=changed)
    promotion = decide_documents([first, second])
    assert promotion.promoted is first
    assert [one.ground for one in promotion.rulings] == ["win", "outdone"]
