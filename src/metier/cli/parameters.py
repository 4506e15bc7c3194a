"""Options and arguments that several commands share.

It knows how words become values (durations, names that can be completed) and what a bad one is
called. It opens the façade only to complete a name.
"""

from __future__ import annotations

from typing import Any

import click

from metier.cli.wording import parse_duration
from metier.errors import MetierError


class Duration(click.ParamType[float]):
    """``2m``, ``90s``, ``1h``, ``1m30s`` or seconds, as seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Seconds; a bad value is the user's input error."""
        if isinstance(value, int | float):
            return float(value)
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(f"{error}: write 90s, 2m, 1m30s or 1h.", param, ctx)


def complete_names(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Installed names that start with what was typed; none if the store cannot be read."""
    session = ctx.find_root().obj
    if session is None:
        return []
    try:
        names = [item.reference.familiar for item in session.metier.list()]
    except MetierError:
        return []
    return [name for name in names if name.startswith(incomplete)]


def complete_recipes(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Packaged recipes that start with what was typed."""
    session = ctx.find_root().obj
    if session is None:
        return []
    return [name for name in session.metier.recipes() if name.startswith(incomplete)]


def complete_toolchains(
    _ctx: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[str]:
    """Toolchains that start with what was typed."""
    from metier.toolchains import KNOWN

    return [name for name in (*KNOWN, "all") if name.startswith(incomplete)]


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout and nothing else."
)
"""Every command has it."""
