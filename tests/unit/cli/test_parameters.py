"""Parameters: durations are read, and names complete only where a store can be read."""

from __future__ import annotations

from typing import Any

import click
import pytest

from metier.cli.parameters import Duration, complete_names
from metier.cli.session import Session
from metier.errors import StorageError


def test_a_duration_is_seconds() -> None:
    assert Duration().convert("2m", None, None) == 120.0
    assert Duration().convert(90, None, None) == 90.0


def test_a_bad_duration_says_how_to_write_one() -> None:
    with pytest.raises(click.BadParameter, match="write 90s, 2m, 1m30s or 1h"):
        Duration().convert("soon", None, None)


@pytest.fixture
def context(facade: Any) -> click.Context:
    return click.Context(click.Command("run"), obj=Session(lambda: facade))


def test_installed_names_complete(context: click.Context) -> None:
    name = click.Argument(["name"])
    assert complete_names(context, name, "") == ["banking-intents", "sms-spam", "all-minilm-l6-v2"]
    assert complete_names(context, name, "sms") == ["sms-spam"]


def test_no_store_no_names(context: click.Context, facade: Any) -> None:
    name = click.Argument(["name"])
    facade.failure = StorageError("The store is damaged.")
    assert complete_names(context, name, "") == []
    assert complete_names(click.Context(click.Command("run")), name, "") == []
