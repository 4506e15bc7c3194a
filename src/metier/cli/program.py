"""The command group: which verbs exist, and how a run of one ends in an exit code.

It knows the static table of commands (name, module, one line of help) and imports a command's
module only when that command runs, so that ``metier --help`` stays quick. What commands do is
theirs; what errors look like is ``failures``'.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import click

from metier.cli import failures
from metier.cli.session import Session, open_metier
from metier.version import __version__


class Entry(NamedTuple):
    """One command: the module that has it, its name there, and one line of help."""

    module: str
    attribute: str
    summary: str


COMMANDS: dict[str, Entry] = {
    "up": Entry("serving", "up", "Serve the API and the website from one process."),
    "make": Entry("making", "make", "Make a specialist from examples and prove it."),
    "find": Entry("finding", "find", "Search the catalogues and what is installed."),
    "run": Entry("asking", "run", "Ask a specialist."),
    "route": Entry("routing", "route", "Say who would answer, and why."),
    "ps": Entry("residing", "ps", "List the models in memory."),
    "stop": Entry("residing", "stop", "Take a model out of memory."),
    "eval": Entry("proving", "evaluate", "Measure a specialist on an eval, or bases under it."),
    "compare": Entry("comparing", "compare", "Compare specialists on one eval."),
    "check-eval": Entry("proving", "check_eval", "Check an eval before trusting it."),
    "history": Entry("histories", "history", "Show general models by date against a specialist."),
    "hop": Entry(
        "hopping", "hop", "Make a specialist again on other bases; promote it if it wins."
    ),
    "rollback": Entry("hopping", "rollback", "Put the champion before a hop back."),
    "pull": Entry("pulling", "pull", "Fetch a model from the hub, an address or a file."),
    "create": Entry("creating", "create", "Make a model from another by a Modelfile."),
    "list": Entry("keeping", "list_installed", "List what is installed."),
    "show": Entry("keeping", "show", "Show what a specialist is and has proved."),
    "rm": Entry("keeping", "remove", "Remove a specialist."),
    "import": Entry("sharing", "import_path", "Import a specialist, or a GGUF file as a base."),
    "export": Entry(
        "sharing", "export", "Export a specialist as an OCI layout, a model as a Modelfile."
    ),
    "watch": Entry("watching", "watch", "See which specialists still earn their route."),
    "verify": Entry("keeping", "verify", "Check every stored byte against its digest."),
    "gc": Entry("keeping", "collect_garbage", "Remove stored files that nothing uses."),
    "catalog": Entry("catalogs", "catalog", "Add, build, list and check catalogues."),
    "mcp": Entry("agents", "mcp", "Serve specialists to coding agents (MCP)."),
    "doctor": Entry("doctor", "doctor", "Say what is here, what is missing and how to get it."),
    "completion": Entry("completion", "completion", "Print shell completion."),
}
"""In the order of the help page."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Every command's name, in the order of the help page."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """Import the command's module and return the command, or ``None`` if there is none."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"metier.cli.{entry.module}")
        command = getattr(module, entry.attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"metier.cli.{entry.module}.{entry.attribute} is not a command.")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is answered with the nearest names."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            near = difflib.get_close_matches(args[0], COMMANDS, n=2, cutoff=0.6)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the command table from ``COMMANDS`` alone, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run one command and end the process with its exit code.

        Args:
            args: The words after ``metier``; those of the process when ``None``.
            prog_name: What help calls it; ``metier`` when ``None``.
            complete_var: See click.
            standalone_mode: When ``False`` errors are raised and the command's value returned.
            **extra: See click; ``obj`` is the ``Session``, one over the real façade if missing.

        Raises:
            SystemExit: 0 done; 1 it did not pass; 2 the user's input; 3 the network or a peer;
                4 ours; 130 interrupted; 141 the reader of stdout went away.
        """
        words = list(sys.argv[1:] if args is None else args)
        session = extra.setdefault("obj", Session(open_metier))
        name = prog_name or "metier"
        if not standalone_mode:
            return super().main(words, name, complete_var, standalone_mode=False, **extra)
        failures.tolerate_any_text()
        try:
            code = super().main(words, name, complete_var, standalone_mode=False, **extra)
            sys.stdout.flush()
        except BrokenPipeError:
            failures.close_stdout()
            raise SystemExit(failures.BROKEN_PIPE) from None
        except Exception as error:  # the outermost door: every error becomes one screen
            code = failures.report(error, as_json=wants_json(words), debug=session.debug)
            raise SystemExit(code) from error
        raise SystemExit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a reader that went away ends it quietly."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            failures.close_stdout()
            raise click.exceptions.Exit(failures.BROKEN_PIPE) from None


@click.group(
    "metier",
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every command takes --json: one JSON document on stdout and nothing else. Exit codes: "
    "0 done, 1 it did not pass, 2 your input, 3 the network or a peer, 4 ours.",
)
@click.version_option(__version__, prog_name="metier", message="%(prog)s %(version)s")
@click.option(
    "--debug", is_flag=True, envvar="METIER_DEBUG", help="Show the traceback of an error."
)
@click.pass_obj
def program(session: Session, debug: bool) -> None:
    """Small specialist models: make them, prove them, run them."""
    session.debug = debug


def wants_json(words: Sequence[str]) -> bool:
    """Whether ``--json`` is among the options (not after a bare ``--``)."""
    options = words[: words.index("--")] if "--" in words else words
    return "--json" in options
