"""A plan travels without the paths of the machine outside."""

from __future__ import annotations

import json

from metier.engines.llamacpp.plan import Plan


def test_there_and_back_with_other_names_for_the_files() -> None:
    plan = Plan("/out/b", "/out/p", (("d1", "/out/a"), ("d2", "/out/b")), context=7, traps=("x",))
    plain = json.loads(json.dumps(plan.plain(["/out/b", "/out/p", "/out/a"])))
    assert "/out" not in json.dumps(plain)
    back = Plan.of(plain, ["/in/0", "/in/1", "/in/2"])
    assert back == Plan(
        "/in/0", "/in/1", (("d1", "/in/2"), ("d2", "/in/0")), context=7, traps=("x",)
    )


def test_no_projector() -> None:
    plain = Plan("/out/b").plain(["/out/b"])
    assert Plan.of(plain, ["/in/0"]).projector == ""
