"""What people read: numbers first, then what they mean, then what it takes."""

from dataclasses import replace

import pytest

from metier.watch import needs, noticed, said
from metier.watching import Standing, Track

TRACK = Track("general", "General 7B", 1_234, 60, 80, -0.0162, -0.04, 0.0049, 0.1, 3.0, 0.2, 4_100)
BEFORE = Standing("svelte", "sha256:one", "PROMOTED", "2026-01-01", "why")


def test_numbers_come_first_in_points() -> None:
    assert said("open", TRACK, until="2026-05-02") == (
        "−1.6 points [−4.0, +0.5] on 1,234 pairs against General 7B: not shown to be better, its "
        "proof holds until 2026-05-02; about 4,100 pairs to decide at this rate, 2,866 more."
    )


def test_one_fresh_pair_is_singular() -> None:
    one = replace(TRACK, pairs=1, fresh=True, needed=12)
    assert "on 1 fresh pair against" in said("proof", one, until="2026-05-02")
    assert needs(one) == "about 12 fresh pairs to decide at this rate, 11 more"


def test_rounding_leaves_no_signed_zero() -> None:
    assert said("lost", replace(TRACK, high=-0.0001, needed=None)).startswith(
        "−1.6 points [−4.0, 0.0] on"
    )


@pytest.mark.parametrize(
    ("because", "words"),
    [
        ("ahead", "it is better; its proof ended on 2026-05-02"),
        ("cheap", "it is not worse, at half the cost or less; its proof ended"),
        ("lost", "it is worse, so the route is gone"),
        ("turned", "it has become worse, so the route is gone"),
        ("lapsed", "its proof ended on 2026-05-02 and nothing since shows"),
        ("stays out", "it lost the route and has not shown since"),
        ("proved again", "a newer proof gives it the route back"),
        ("unproved", "not shown to be better and not proved"),
    ],
)
def test_each_reason_has_its_words(because: str, words: str) -> None:
    sentence = said(because, TRACK, until="2026-05-02", lapsed=True)  # type: ignore[arg-type]
    assert words in sentence


def test_suspect_is_said_where_something_speaks_for_it() -> None:
    assert said("ahead", TRACK, suspect=True).endswith("; only old items speak for it: suspect.")
    assert "suspect" not in said("lost", TRACK, suspect=True)


def test_no_pair_has_no_numbers() -> None:
    assert said("proof", None, until="2026-05-02").startswith("0 pairs: too few to speak")


def test_what_is_decided_needs_nothing() -> None:
    assert needs(replace(TRACK, high=-0.001)) == ""
    assert needs(replace(TRACK, low=0.001)) == ""
    assert needs(replace(TRACK, needed=None)) == "more pairs would not decide at this rate"
    assert needs(replace(TRACK, pairs=0, needed=11)) == "at least 11 pairs to decide anything"


def kinds(before: Standing | None, after: Standing) -> list[str]:
    """The kinds of the notices of a step."""
    return [notice.kind for notice in noticed(before, after, today="2026-03-01")]


def test_each_change_is_noticed_once() -> None:
    watch = replace(BEFORE, state="WATCH", tracks=(TRACK,))
    demoted = replace(BEFORE, state="DEMOTED")
    hop = replace(BEFORE, state="HOP")
    assert kinds(None, BEFORE) == []
    assert kinds(BEFORE, BEFORE) == []
    assert kinds(BEFORE, watch) == ["undecided"]
    assert kinds(watch, watch) == []
    assert kinds(watch, demoted) == ["demoted"]
    assert kinds(BEFORE, hop) == ["demoted", "hop"]
    assert kinds(demoted, hop) == ["hop"]
    assert kinds(hop, demoted) == []
    assert kinds(hop, BEFORE) == ["restored"]
    assert kinds(BEFORE, replace(BEFORE, suspect=True)) == ["suspect"]
    assert kinds(replace(BEFORE, suspect=True), replace(BEFORE, suspect=True)) == []


def test_another_system_has_no_past() -> None:
    assert kinds(replace(BEFORE, state="DEMOTED", system="sha256:two"), BEFORE) == []


def test_a_notice_says_what_to_do_and_when() -> None:
    watch = replace(BEFORE, state="WATCH", tracks=(TRACK,))
    (notice,) = noticed(BEFORE, watch, today="2026-03-01")
    assert notice.said == (
        "Against General 7B: about 4,100 pairs to decide at this rate, 2,866 more."
    )
    assert (notice.name, notice.date) == ("svelte", "2026-03-01")
    assert notice.command == "metier watch svelte"
    hop = noticed(BEFORE, replace(BEFORE, state="HOP"), today="2026-03-01")[1]
    assert hop.command == "metier hop svelte"
