"""The website's protocols: what the server hands over fits them."""

from __future__ import annotations

import dataclasses

import pytest

from metier.server import facade
from metier.site import values


@pytest.mark.parametrize(
    ("protocol", "given"),
    [
        (values.Place, facade.Here),
        (values.Tried, facade.Trial),
        (values.Options, facade.PageOptions),
        (values.Trouble, facade.Failure),
    ],
)
def test_the_servers_values_fit(protocol: type, given: type) -> None:
    wanted = {name for name in vars(protocol) if not name.startswith("_")}
    assert wanted <= {field.name for field in dataclasses.fields(given)}


@pytest.mark.parametrize(
    ("protocol", "given"), [(values.Item, facade.Installed), (values.File, facade.Part)]
)
def test_both_sides_ask_for_the_same_entry(protocol: type, given: type) -> None:
    wanted = {name for name in vars(protocol) if not name.startswith("_")}
    assert wanted <= {name for name in vars(given) if not name.startswith("_")}
