"""check-eval: what an eval can show, and what is odd about it."""

import json

import pytest

from metier.errors import InputError
from metier.evals.checking import check_eval
from metier.evals.items import Eval, seal
from metier.evals.results import Result, ResultItem
from metier.messages import Example, Outcome


def plain(n: int, labels: int = 4) -> Eval:
    return seal([Example(f"text {i}", f"l{i % labels}", row=i) for i in range(1, n + 1)])


def result(sealed: Eval, outcomes: list[Outcome]) -> Result:
    return Result(
        system="sha256:" + "1" * 64,
        system_name="s",
        eval_fingerprint=sealed.fingerprint,
        scorer=sealed.scorer,
        items=tuple(
            ResultItem(item.id, item.cluster, value)
            for item, value in zip(sealed.items, outcomes, strict=True)
        ),
    )


def test_a_sound_eval_has_no_warnings() -> None:
    found = check_eval(plain(3_000))
    assert found.warnings == ()
    assert (found.items, found.clusters, found.labels) == (3_000, 3_000, 4)
    assert found.detectable["0.1"] == pytest.approx(0.0162, abs=1e-4)
    assert found.detectable["0.2"] == pytest.approx(0.0229, abs=1e-4)
    assert found.detectable == found.detectable_worst
    assert found.needed["0.03"] == pytest.approx(864, abs=1)
    assert found.smallest_win == pytest.approx(6 / 3_000)
    assert json.loads(json.dumps(found.to_dict()))["items"] == 3_000


def test_fifty_items_cannot_show_little() -> None:
    found = check_eval(plain(50))
    assert found.detectable["0.2"] == pytest.approx(0.165, abs=1e-3)
    assert found.detectable["0.1"] == 1.0
    assert found.warnings == ("50 items show nothing where 10 % of the answers differ.",)
    assert check_eval(plain(200)).warnings == (
        "200 items cannot show less than 6.1 points where 10 % of the answers differ.",
    )


def test_five_clusters_can_show_nothing() -> None:
    sealed = seal([Example(f"text {i}", f"l{i % 4}", group=f"g{i % 5}") for i in range(1_000)])
    found = check_eval(sealed)
    assert found.smallest_win is None
    assert (found.clusters, found.largest_cluster, found.worst_design) == (5, 200, 200.0)
    assert found.detectable_worst["0.2"] == 1.0
    assert "Clusters: 5, fewer than 6" in found.warnings[0]
    assert "may count as few as 5 independent items" in found.warnings[1]


def test_repeats_and_conflicts_are_found_after_folding() -> None:
    sealed = seal(
        [
            *(Example(f"text {i}", f"l{i % 4}") for i in range(1_000)),
            Example("Text  1 ", "l1"),
            Example("TEXT 2", "l3"),
        ]
    )
    found = check_eval(sealed)
    assert found.duplicate_items == 2
    assert found.conflicting_items == 1
    assert found.duplicates[0] == (sealed.items[1].id, sealed.items[1_000].id)
    assert found.conflicts == ((sealed.items[2].id, sealed.items[1_001].id),)
    assert "Items that repeat the text of another: 2." in found.warnings
    assert "Items that repeat a text under another label: 1." in found.warnings


def test_balance_and_dates() -> None:
    examples = [
        Example(f"text {i}", "ham" if i % 10 else "spam", date=f"2026-0{1 + i % 9}-11")
        for i in range(1_000)
    ]
    found = check_eval(seal(examples))
    assert found.smallest_label == ("spam", 100)
    assert found.largest_label == ("ham", 900)
    assert found.majority_share == 0.9
    assert (found.dated, found.oldest, found.newest) == (1_000, "2026-01-11", "2026-09-11")
    assert any("'ham' scores 0.900" in warning for warning in found.warnings)
    one = check_eval(seal([Example(f"t{i}", "only") for i in range(1_000)]))
    assert any("one label only" in warning for warning in one.warnings)


def test_saturation_floor_and_unscored_are_counted() -> None:
    sealed = plain(1_000)
    first: list[Outcome] = [1.0] * 900 + [0.0] * 60 + [1.0] * 40
    second: list[Outcome] = [1.0] * 900 + [0.0] * 60 + [0.0] * 39 + ["unscored"]
    found = check_eval(sealed, [result(sealed, first), result(sealed, second)])
    assert (found.all_right, found.all_wrong, found.unscored) == (900, 60, 1)
    assert found.discordant == pytest.approx(39 / 999)
    assert any("only 40 tell systems apart" in warning for warning in found.warnings)
    assert any("so not compared: 1." in warning for warning in found.warnings)
    alone = check_eval(sealed, [result(sealed, first)])
    assert alone.discordant is None
    assert not any("tell systems apart" in warning for warning in alone.warnings)


def test_results_of_other_evals_are_refused() -> None:
    with pytest.raises(InputError, match="another eval"):
        check_eval(plain(10), [result(plain(11), [1.0] * 11)])
