"""Colours: every colour that carries text has 4.5 : 1 on every paper, in light and in dark."""

from __future__ import annotations

import re

import pytest

from metier.site import Site

TEXT = ["ink", "soft", "act", "win", "loss", "tie", "not-worse", "underpowered"]
PAPERS = ["paper", "raised"]


def colours() -> dict[str, tuple[str, str]]:
    found = Site().asset("site.css")
    assert found is not None
    pairs = re.findall(
        r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", found[0].decode()
    )
    return {name: (light, dark) for name, light, dark in pairs}


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """WCAG 2.2, contrast ratio."""
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_formula_knows_black_and_white() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("name", TEXT)
def test_text_can_be_read(name: str, paper: str, theme: int) -> None:
    found = colours()
    assert contrast(found[name][theme], found[paper][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_act_button_can_be_read(theme: int) -> None:
    found = colours()
    assert contrast(found["act-ink"][theme], found["act"][theme]) >= 4.5


def test_no_colour_stands_outside_the_properties() -> None:
    found = Site().asset("site.css")
    assert found is not None
    rules = found[0].decode().partition(":root[data-theme")[2]
    rules = re.sub(r"light-dark\(#fff, #101214\)", "", rules)
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)|\brgb|\bhsl", rules)
