"""What the page *Find* says of each hit."""

from __future__ import annotations

from metier.finding import Entry, Found, Hit, Query
from metier.site.finding import page_values


def test_a_hit_is_named_described_and_weighed() -> None:
    entry = Entry(
        name="bank", kind="specialist", task="classify", description="It sorts.", size_bytes=2000
    )
    values = page_values(Found(Query(), (Hit(entry, "here", installed="bank"),), 1))
    assert values["total"] == 1
    assert values["rows"][0]["address"] == "/specialists/bank"
    assert values["rows"][0]["facts"] == ["classify", "2.0\u202fkB"]
