"""``metier completion``: the script that teaches a shell to complete names and options.

The script is click's; completing asks ``metier`` itself.
"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from metier.cli.failures import print_json
from metier.cli.parameters import json_option
from metier.errors import InputError

_WHERE = {
    "bash": 'eval "$(metier completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(metier completion zsh)" in ~/.zshrc',
    "fish": "metier completion fish > ~/.config/fish/completions/metier.fish",
}


@click.command(
    short_help="Print shell completion.",
    epilog="To install: " + "; ".join(f"{shell}: {how}" for shell, how in _WHERE.items()) + ".",
)
@click.argument("shell", type=click.Choice(list(_WHERE)))
@json_option
@click.pass_context
def completion(ctx: click.Context, shell: str, as_json: bool) -> None:
    """Print the completion script for SHELL: bash, zsh or fish."""
    kind = get_completion_class(shell)
    if kind is None:
        raise InputError(f"There is no completion for {shell}.", code="bad_usage")
    script = kind(ctx.find_root().command, {}, "metier", "_METIER_COMPLETE")
    source = script.source_template % script.source_vars()
    if as_json:
        print_json({"shell": shell, "install": _WHERE[shell], "script": source})
    else:
        click.echo(source)
