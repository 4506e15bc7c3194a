"""The family as a drawing: every member once, escaped, the lines towards the thing itself."""

from __future__ import annotations

from xml.etree import ElementTree

from metier.fleet import Kin
from metier.site import lineage

FAMILY = (
    Kin("made", "child", ("adapter",), "sha256:" + "1" * 64, "child"),
    Kin("data", "https://example.org/a-long-folder/of-rows at 0123456789abcdef", ("9 rows",)),
    Kin("self", "it", ("version 1",), "sha256:" + "2" * 64, "it"),
    Kin("base", "<script>alert(1)</script>\u202e", (), "sha256:" + "3" * 64),
    Kin("earlier", "it", ("2026-01-02",), "sha256:" + "4" * 64),
)


def test_the_drawing_is_well_formed_named_and_in_order() -> None:
    drawn = ElementTree.fromstring(lineage.drawing(FAMILY))
    titles = [node.text for node in drawn.iter("title")]
    assert titles == ["Lineage of it"]
    names = [node.text for node in drawn.iter("text") if "member" in node.get("class", "")]
    assert names[0] == "of-rows at 0123456"
    assert names[2:] == ["it", "it", "child"]
    assert "\u202e" not in "".join(drawn.itertext())
    assert [node.get("href") for node in drawn.iter("a")] == ["/specialists/child"]
    assert len(list(drawn.iter("circle"))) == 5
    assert len(list(drawn.iter("path"))) == 4


def test_the_table_has_every_member_and_links_what_is_here() -> None:
    rows = lineage.rows(FAMILY)
    assert [row.role for row in rows] == [
        "data", "base", "this one", "stood here before", "made from it",
    ]  # fmt: skip
    assert [row.address for row in rows] == ["", "", "", "", "/specialists/child"]


def test_one_alone_is_not_drawn_and_is_said() -> None:
    alone = (Kin("self", "it"),)
    assert lineage.drawing(alone) == ""
    assert lineage.summary(alone) == "Where it came from is not known here."
    rows = (Kin("data", "rows.jsonl"), Kin("self", "it"))
    assert lineage.summary(rows) == "Made from rows.jsonl, on no base."
    assert lineage.summary(FAMILY).endswith("1 thing here is made from it.")
    chat = (Kin("pack", "docs"), Kin("tool", "svelte"), Kin("self", "it"))
    assert lineage.summary(chat) == (
        "It reads docs and checks with svelte; the base is chosen when it is asked."
    )


def test_a_huge_family_is_cut() -> None:
    many = (Kin("self", "it"), *(Kin("made", f"child-{n:03}") for n in range(200)))
    assert lineage.drawing(many).count("<circle") == lineage.MOST_DRAWN


def test_the_past_is_told_with_why_and_a_loser_is_no_circle() -> None:
    past = (
        Kin("self", "it"),
        Kin("earlier", "it", ("replaced", "2026-01-02"), why="The new one wins by 3 points."),
        Kin("lost", "small@base", ("not promoted",), here="it@rejected-1a2b3c4d", why="<b>No.</b>"),
    )
    drawn = ElementTree.fromstring(lineage.drawing(past))
    assert len(list(drawn.iter("circle"))) == 2
    assert [node.get("class") for node in drawn.iter("path")] == [
        "flow dashed", "flow dashed", "lost",
    ]  # fmt: skip
    assert [row.why for row in lineage.rows(past)][1:] == [
        "The new one wins by 3 points.", "<b>No.</b>",
    ]  # fmt: skip
    assert "1 other stood under its name before and 1 challenger was not promoted." in (
        lineage.summary(past)
    )
