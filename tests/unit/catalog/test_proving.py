"""What counts as proof: one test for each clause, each of which alone can fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from catalog_entries import SYSTEM, evidence
from metier.card import Cost, Evidence, Verdict
from metier.catalog.proving import Measured, Now, best, cheaper, judge

NOW = Now(SYSTEM, "sha256:base", {"numpy": "2.4"}, date(2026, 11, 23))


def measured(one: Evidence | None = None, **more: object) -> Measured:
    found = Measured(one or evidence(), "here", {"numpy": "2.4"}, "sha256:base", SYSTEM)
    return replace(found, **more)  # type: ignore[arg-type]


def test_a_win_measured_here_is_proof() -> None:
    judged = judge(measured(), NOW)
    assert judged.failed is None
    proof = best([judged])
    assert proof is not None
    assert (proof.measured, proof.until) == ("here", "2027-01-30")


@pytest.mark.parametrize(
    ("verdict", "failed"),
    [
        (Verdict.WIN, None),
        (Verdict.LOSS, "verdict"),
        (Verdict.TIE, "verdict"),
        (Verdict.UNDERPOWERED, "verdict"),
        (Verdict.NOT_WORSE, "verdict"),
    ],
)
def test_the_verdict(verdict: Verdict, failed: str | None) -> None:
    assert judge(measured(evidence(verdict)), NOW).failed == failed


def test_not_worse_is_proof_only_where_it_is_cheaper() -> None:
    local, remote = Cost(cost_class="this machine"), Cost(cost_class="remote, about 3")
    one = evidence(Verdict.NOT_WORSE, cost=local, rival_cost=remote)
    assert judge(measured(one), NOW).failed is None
    one = evidence(Verdict.NOT_WORSE, cost=remote, rival_cost=local)
    assert judge(measured(one), NOW).failed == "verdict"


@pytest.mark.parametrize(
    ("mine", "theirs", "less"),
    [
        (Cost(), Cost(), False),
        (Cost(ms_per_text=1.0), Cost(ms_per_text=2.0), True),
        (Cost(ms_per_text=1.0), Cost(ms_per_text=1.05), False),
        (Cost(ms_per_text=1.0, size_bytes=9), Cost(ms_per_text=2.0, size_bytes=5), False),
        (Cost(ms_per_text=1.0), Cost(size_bytes=5), False),
        (Cost(price_per_million_tokens=1.0), Cost(price_per_million_tokens=3.0), True),
        (Cost(price_per_million_tokens=3.0), Cost(price_per_million_tokens=1.0), False),
    ],
)
def test_cheaper(mine: Cost, theirs: Cost, less: bool) -> None:
    assert cheaper(mine, theirs) is less


def test_a_claim_is_no_proof() -> None:
    judged = judge(measured(by=""), NOW)
    assert judged.failed == "measured"
    assert best([judged]) is None


def test_the_rival_matters() -> None:
    assert judge(measured(evidence(against="majority")), NOW).failed == "rival"
    assert judge(measured(evidence(against="other")), NOW).failed == "rival"
    assert judge(measured(evidence(against="general")), NOW).failed is None


def test_the_same_system() -> None:
    assert judge(measured(system="sha256:other"), NOW).failed == "system"


def test_the_same_base_by_digest() -> None:
    assert judge(measured(base="sha256:newer"), NOW).failed == "base"
    assert judge(measured(), replace(NOW, base=None)).failed == "base"
    assert judge(measured(base=""), replace(NOW, base="")).failed is None


def test_the_same_toolchain() -> None:
    judged = judge(measured(toolchain={"numpy": "2.3"}), NOW)
    assert judged.failed == "toolchain"
    assert "numpy 2.3, now 2.4" in judged.why
    assert judge(measured(toolchain=None), NOW).failed == "toolchain"


@pytest.mark.parametrize(
    ("day", "failed"),
    [
        ("2026-11-23", None),
        ("2026-08-26", None),  # 89 days
        ("2026-08-25", "expired"),  # 90 days
        ("2026-11-24", "future"),
        ("yesterday", "future"),
    ],
)
def test_younger_than_ninety_days(day: str, failed: str | None) -> None:
    judged = judge(measured(evidence(day=day)), NOW)
    assert judged.failed == failed
    if failed == "expired":
        assert "expired" in judged.why
        assert day in judged.why


def test_the_weightiest_proof() -> None:
    general = measured(evidence(against="general", day="2026-10-01"))
    proof = best([judge(measured(), NOW), judge(general, NOW)])
    assert proof is not None
    assert proof.evidence.against == "general"
