"""Cards as a maker would write them, with realistic numbers, and a few that are extreme.

Nothing here was measured; the numbers have the size of real ones so that pages can be looked at.
"""

from __future__ import annotations

from metier.card import (
    Abstention,
    BaseReference,
    Calibration,
    Card,
    Cost,
    Crossover,
    CurvePoint,
    DataSummary,
    Difference,
    Evidence,
    Interval,
    LabelCurve,
    LeakReport,
    LeakRow,
    Machine,
    OutOfScope,
    Row,
    Rung,
    Score,
    Verdict,
)

DIGEST = "sha256:" + "3c" * 32
BASE = BaseReference(name="all-minilm-l6-v2", digest="sha256:" + "a1" * 32, licence="Apache-2.0")
MACHINE = Machine(processor="EPYC 7B13", cores=2, system="Linux 6.18", python="3.11.2")
ENCODER_BYTES = 22_900_000
METHOD = "paired, clustered t interval, 95 %"


def score(value: float, n: int = 3080, half: float = 0.008, metric: str = "accuracy") -> Score:
    interval = Interval(low=max(0.0, value - half), high=min(1.0, value + half))
    return Score(metric=metric, value=value, interval=interval, n=n, clusters=n)


def difference(
    value: float, half: float, verdict: Verdict, n: int = 3080, **more: object
) -> Difference:
    return Difference(
        verdict=verdict,
        difference=value,
        interval=Interval(low=value - half, high=value + half),
        n=n,
        clusters=n,
        discordant=int(n * min(abs(value), 1.0) * 0.7) + 3 if value == value else 0,
        method=METHOD,
        **more,
    )


def evidence(
    name: str,
    against: str,
    own: Score,
    rival: Score,
    verdict: Verdict,
    half: float = 0.017,
    **more: object,
) -> Evidence:
    rival_name = {"base": BASE.name, "general": "gpt-4o-mini", "majority": "majority"}[against]
    return Evidence(
        against=against,
        system=DIGEST,
        system_name=name,
        rival="sha256:" + "b7" * 32,
        rival_name=rival_name,
        eval_fingerprint="sha256:" + "e4" * 32,
        score=own,
        rival_score=rival,
        difference=difference(own.value - rival.value, half, verdict, own.n, **more),
        date="2026-11-12",
        cost=Cost(ms_per_text=2.9, size_bytes=410_000, shared_bytes=ENCODER_BYTES),
        rival_cost=Cost(ms_per_text=2.8, size_bytes=0, shared_bytes=ENCODER_BYTES),
        results=("sha256:" + "11" * 32, "sha256:" + "22" * 32),
        command=f"metier eval {name} --on sealed --against {rival_name}",
    )


def ladder(best: float = 0.941, chosen: str = "ensemble") -> tuple[Rung, ...]:
    rows = (
        ("majority", "Majority label", 0.013, 0.001, 60, 0, 0.0),
        ("linear", "Words and characters, linear", best - 0.030, 0.21, 620_000, 0, 4.1),
        ("static", "Static embeddings, linear", best - 0.046, 0.19, 118_000, 11_700_000, 2.6),
        ("encoder", "Frozen encoder, linear", best - 0.011, 2.81, 120_000, ENCODER_BYTES, 21.4),
        ("ensemble", "Linear and encoder, averaged", best, 3.02, 740_000, ENCODER_BYTES, 26.0),
    )
    return tuple(
        Rung(
            name=name,
            title=title,
            accuracy=score(max(value, 0.01), 10_003, 0.006),
            ms_per_text=ms,
            size_bytes=size,
            shared_bytes=shared,
            seconds=seconds,
            cpu_seconds=seconds * 1.2,
            state="chosen" if name == chosen else "tried",
            why="The first rung within one point of the best."
            if name == chosen
            else "More than one point worse than the best.",
        )
        for name, title, value, ms, size, shared, seconds in rows
    )


def leaks(items: int = 3080, leaked: int = 0) -> LeakReport:
    return LeakReport(
        eval_items=items,
        leaked=leaked,
        share=leaked / items,
        by_kind={"exact": leaked} if leaked else {},
        duplicate_train_rows=12,
        conflicting_labels=3,
        blocks_win=leaked / items > 0.01,
        rows=tuple(
            LeakRow(
                kind="exact",
                eval_row=row + 2,
                train_row=row * 7 + 3,
                eval_excerpt="my card was declined",
                train_excerpt="my card was declined",
            )
            for row in range(min(leaked, 3))
        ),
        method="exact, folded, 13-gram, 5-shingle Jaccard of .8 and more",
    )


def curve(top: float = 0.941) -> LabelCurve:
    shares = ((1, 0.42), (2, 0.56), (4, 0.70), (8, 0.80), (16, 0.88), (32, 0.95), (64, 0.98))
    return LabelCurve(
        rung="ensemble",
        points=(
            *(
                CurvePoint(
                    per_class=per_class,
                    labels=per_class * 77,
                    mean=top * share,
                    low=top * share - 0.06 / per_class**0.6,
                    high=min(1.0, top * share + 0.05 / per_class**0.6),
                    draws=3,
                )
                for per_class, share in shares
            ),
            CurvePoint(per_class=130, labels=10_003, mean=top, low=top, high=top, draws=1),
        ),
        crossovers=(
            Crossover(
                against="base",
                accuracy=0.71,
                per_class=6,
                sentence="6 labels per class (462 labels) are enough to pass the base for good.",
            ),
            Crossover(
                against="general",
                accuracy=0.78,
                per_class=11,
                sentence="11 labels per class (847 labels) pass the general model for good.",
            ),
        ),
        seed=0,
    )


DATA = DataSummary(
    train_rows=10_003,
    eval_rows=3080,
    labels=77,
    smallest_class=35,
    largest_class=187,
    train_digest="sha256:" + "d1" * 32,
    eval_digest="sha256:" + "d2" * 32,
    source="PolyAI task-specific-datasets, banking_data",
    licence="CC-BY-4.0",
    given_split=True,
)
LABELS = (
    *(f"intent_{index:02d}" for index in range(74)),
    "card_arrival",
    "lost_or_stolen_card",
    "exchange_rate",
)


def banking() -> Card:
    own, base, general = score(0.941), score(0.710, half=0.016), score(0.786, half=0.014)
    name = "banking-intents"
    return Card(
        name=name,
        version="1",
        domain="banking",
        description="Says which of 77 things a bank's customer wants.",
        licence="Apache-2.0",
        labels=LABELS,
        base=BASE,
        rung="ensemble",
        why="It is the first rung within one point of the best; the cheaper ones are 1.1 points "
        "and more behind.",
        rows=(
            Row(role="specialist", name=name, score=own, cost=Cost(ms_per_text=3.02)),
            Row(role="majority", name="majority", score=score(0.013, half=0.004)),
            Row(role="base", name=BASE.name, score=base, cost=Cost(ms_per_text=2.8)),
            Row(
                role="general",
                name="gpt-4o-mini",
                score=general,
                cost=Cost(cost_class="remote", price_per_million_tokens=0.15, spent=0.21),
            ),
        ),
        scores=(own, score(0.940, metric="macro_f1"), score(0.952, metric="coverage")),
        evidence=(
            evidence(name, "base", own, base, Verdict.WIN),
            evidence(name, "general", own, general, Verdict.WIN),
            evidence(name, "majority", own, score(0.013, half=0.004), Verdict.WIN, 0.009),
        ),
        ladder=ladder(),
        curve=curve(),
        calibration=Calibration(expected_calibration_error=0.012, temperature=0.83, n=10_003),
        abstention=Abstention(
            threshold=0.46, target_accuracy=0.97, accuracy=0.971, coverage=0.934, n=10_003
        ),
        out_of_scope=OutOfScope(energy_threshold=3.1, false_alarms=0.05),
        leaks=leaks(),
        data=DATA,
        worst_labels=(
            ("topping_up_by_card", 0.78, 40),
            ("why_verify_identity", 0.80, 40),
            ("declined_transfer", 0.83, 40),
        ),
        recipe_id="sha256:" + "51" * 32,
        build_id="sha256:" + "52" * 32,
        system=DIGEST,
        toolchain={"numpy": "2.3.5", "onnxruntime": "1.24.0", "scikit-learn": "1.8.0"},
        seed=0,
        made="2026-11-12T09:14:31+00:00",
        seconds=52.0,
        cpu_seconds=58.2,
        machine=MACHINE,
        cost=Cost(ms_per_text=3.02, size_bytes=740_000, shared_bytes=ENCODER_BYTES),
    )


def _renamed(card: Card, name: str, **changes: object) -> Card:
    items = tuple(
        item.model_copy(
            update={"system_name": name, "command": item.command.replace(card.name, name)}
        )
        for item in changes.pop("evidence", card.evidence)
    )
    return card.model_copy(update={"name": name, "evidence": items, **changes})


def assistant() -> Card:
    own, base = score(0.958, 4500), score(0.801, 4500, 0.012)
    return _renamed(
        banking(),
        "assistant-intents",
        domain="assistant",
        description="Says which of 150 things a person asks an assistant for, or none of them.",
        labels=tuple(f"intent_{index:03d}" for index in range(150)),
        scores=(own,),
        rung="encoder",
        rows=(
            Row(role="specialist", name="assistant-intents", score=own),
            Row(role="majority", name="majority", score=score(0.007, 4500, 0.002)),
            Row(role="base", name=BASE.name, score=base),
            Row(
                role="general",
                name="general",
                note="No general model is configured.",
                command="METIER_GENERAL_URL=… metier eval assistant-intents --on sealed "
                "--against general",
            ),
        ),
        evidence=(evidence("assistant-intents", "base", own, base, Verdict.WIN, 0.012),),
        ladder=ladder(0.958, "encoder"),
        curve=curve(0.958),
        out_of_scope=OutOfScope(
            energy_threshold=4.2, false_alarms=0.05, auroc=0.972, recall=0.88, n_in=4500, n_out=1000
        ),
        cost=Cost(ms_per_text=2.81, size_bytes=231_000, shared_bytes=ENCODER_BYTES),
    )


def spam() -> Card:
    own, base = score(0.984, 1115), score(0.866, 1115, 0.02)
    return _renamed(
        banking(),
        "message-spam",
        domain="messages",
        description="Tells unwanted messages from wanted ones.",
        labels=("ham", "spam"),
        base=None,
        rung="linear",
        why="The dearer rungs are less than one point better.",
        scores=(own,),
        rows=(
            Row(role="specialist", name="message-spam", score=own),
            Row(role="majority", name="majority", score=base),
            Row(role="base", name=BASE.name, note="Not measured: no base was used."),
            Row(role="general", name="general", note="No general model is configured."),
        ),
        evidence=(
            evidence("message-spam", "majority", own, base, Verdict.WIN, 0.02),
            evidence("message-spam", "base", own, score(0.979, 1115), Verdict.NOT_WORSE, 0.009),
        ),
        ladder=ladder(0.984, "linear"),
        curve=None,
        out_of_scope=None,
        cost=Cost(ms_per_text=0.21, size_bytes=620_000, shared_bytes=0),
    )


def underpowered() -> Card:
    own, base = score(0.84, 50, 0.10), score(0.80, 50, 0.11)
    return _renamed(
        banking(),
        "issue-triage",
        domain="software",
        description="Sorts the reports of a tracker into bug, question and wish.",
        labels=("bug", "question", "wish"),
        decided=False,
        scores=(own,),
        rows=(
            Row(role="specialist", name="issue-triage", score=own),
            Row(role="majority", name="majority", score=score(0.5, 50, 0.13)),
            Row(role="base", name=BASE.name, score=base),
            Row(role="general", name="gpt-4o-mini", score=score(0.92, 50, 0.08)),
        ),
        evidence=(
            evidence(
                "issue-triage",
                "base",
                own,
                base,
                Verdict.UNDERPOWERED,
                0.09,
                needed_n=1900,
                detectable=0.08,
            ),
            evidence("issue-triage", "general", own, score(0.92, 50), Verdict.LOSS, 0.06),
        ),
        ladder=ladder(0.84, "linear"),
        curve=None,
        leaks=leaks(50, 2),
        cost=Cost(ms_per_text=0.21, size_bytes=620_000, shared_bytes=0),
    )


HOSTILE_TEXT = '<script>alert("x")</script>"><img src=x onerror=alert(1)> \u202eevil\u202c {{7*7}}'


def hostile() -> Card:
    """A card whose every text tries to be something else."""
    text = HOSTILE_TEXT
    card = banking()
    return _renamed(
        card,
        "hostile",
        domain=text,
        description=text * 40,
        licence=text,
        labels=(text, "x" * 5000, *(f"{text}{index}" for index in range(2000))),
        base=BaseReference(name=text, digest="sha256:" + "a1" * 32, licence=text),
        why=text,
        rung=text,
        rows=tuple(
            row.model_copy(update={"name": text, "note": text, "command": text})
            for row in card.rows
        ),
        evidence=tuple(
            item.model_copy(update={"rival_name": text, "command": text, "date": text})
            for item in card.evidence
        ),
        ladder=tuple(
            rung.model_copy(update={"title": text, "why": text, "name": text + rung.name})
            for rung in card.ladder
        ),
        curve=card.curve.model_copy(
            update={
                "rung": text,
                "crossovers": (Crossover(against=text, accuracy=0.5, per_class=4, sentence=text),),
            }
        ),
        leaks=leaks(100, 60).model_copy(update={"method": text, "by_kind": {text: 60}}),
        data=card.data.model_copy(update={"source": text, "licence": text}),
        worst_labels=((text, 0.1, 10),),
        machine=card.machine.model_copy(update={"processor": text}),
        toolchain={text: text},
        notes=(text, "y" * 20_000),
        made=text,
    )


def bare() -> Card:
    """The least that a card may hold."""
    own = score(0.5, 2, 0.5).model_copy(update={"interval": None})
    return Card(
        name="bare",
        version="1",
        labels=("a", "b"),
        rung="majority",
        why="Nothing else was tried.",
        rows=(),
        scores=(own,),
        ladder=(),
        leaks=leaks(2).model_copy(update={"duplicate_train_rows": 0, "conflicting_labels": 0}),
        data=DataSummary(
            train_rows=2,
            eval_rows=2,
            labels=2,
            smallest_class=1,
            largest_class=1,
            train_digest=DIGEST,
            eval_digest=DIGEST,
            source="rows.csv",
        ),
        recipe_id=DIGEST,
        build_id=DIGEST,
        system=DIGEST,
        seed=0,
        made="2026-11-12",
        seconds=0.1,
        cpu_seconds=0.1,
        machine=MACHINE,
        cost=Cost(),
    )
