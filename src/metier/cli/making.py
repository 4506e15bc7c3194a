"""``metier make``: from examples, documents or a recipe to an installed specialist.

It reads arguments, shows the ladder or the progress, then the card, and ends cleanly on Ctrl-C.
What a rung is and which one is chosen is the maker's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict, Unpack

import click

from metier.assembly import Metier
from metier.card import AnyCard, Card, Verdict
from metier.cli import terminal
from metier.cli.briefs import brief_lines
from metier.cli.documents import to_document
from metier.cli.failures import DID_NOT_PASS, print_json
from metier.cli.interrupting import interruptible
from metier.cli.parameters import Duration, complete_recipes, json_option
from metier.cli.progress import climbing, working
from metier.cli.session import Session
from metier.cli.sheet import with_ladder
from metier.errors import InputError, NotFoundError
from metier.recipe import (
    GENERAL,
    PICTURES,
    AnyRecipe,
    Recipe,
    SearchRecipe,
    checked_domain,
    read_recipe,
)
from metier.reference import Reference


class Choices(TypedDict):
    """The options of ``make`` as click hands them over."""

    recipe_file: Path | None
    task: str
    data: Path | None
    name: str | None
    domain: str | None
    eval_file: Path | None
    text: str | None
    label: str | None
    group: str | None
    budget: float | None
    seed: int | None
    drop_leaks: bool
    curve: bool
    base: str | None
    force: bool
    as_json: bool


_ANY_PATH = click.Path(path_type=Path)


@click.command(
    short_help="Make a specialist from examples and prove it.",
    epilog='Examples: metier make --data tickets.csv --name triage, then metier run triage "…". '
    "metier make svelte-docs makes the pack that comes as a recipe.",
)
@click.argument(
    "recipe_file",
    metavar="[RECIPE]",
    required=False,
    type=_ANY_PATH,
    shell_complete=complete_recipes,
)
@click.option(
    "--task",
    type=click.Choice(["classify", "classify-image", "search"]),
    default="classify",
    show_default=True,
    help="What --data is for: texts or pictures to classify, or a folder of markdown to search.",
)
@click.option(
    "--data",
    type=_ANY_PATH,
    metavar="FILE",
    help="Examples: JSON Lines, CSV, TSV or a folder; of pictures a folder or a zip too.",
)
@click.option("--name", help="What to call it.")
@click.option("--domain", help="What it is for, in a word or two; the router goes by it.")
@click.option(
    "--eval", "eval_file", type=_ANY_PATH, metavar="FILE", help="Sealed questions, in a file."
)
@click.option("--text", metavar="COLUMN", help="The column of texts, if it is not recognised.")
@click.option("--label", metavar="COLUMN", help="The column of labels, if it is not recognised.")
@click.option("--group", metavar="COLUMN", help="Rows of one group never straddle the split.")
@click.option("--budget", type=Duration(), help="Stop climbing in time: 90s, 2m, 1h.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Seed of every draw.")
@click.option("--drop-leaks", is_flag=True, help="Take leaked rows out of training.")
@click.option("--curve/--no-curve", default=True, help="Draw the label-efficiency curve.")
@click.option("--base", metavar="NAME", help="Of pictures: an installed vision encoder.")
@click.option("--force", is_flag=True, help="Replace a specialist of this name.")
@json_option
@click.pass_obj
def make(session: Session, /, **choices: Unpack[Choices]) -> int:
    """Make a specialist from a recipe, or from a file or folder of examples or documents.

    RECIPE is a file, or the name of a recipe that comes with Metier. A classifier climbs the
    ladder of methods from the cheapest rung, chooses the first that is good enough, and is proved
    on sealed questions against its base and the general model.
    """
    recipe, folder = _recipe(session, choices)
    name = Reference.parse(recipe.specialist.name).familiar
    before = _digest(session.metier, name)
    if before is not None and not choices["force"]:
        raise InputError(
            f"There is a specialist called {name!r} already.",
            code="name_taken",
            remedy="Choose another --name, or replace it with --force.",
        )
    card = _made(session, recipe, folder, before, quiet=choices["as_json"])
    screen = terminal.stdout()
    if choices["as_json"]:
        print_json({"name": name, "card": to_document(card)})
    elif isinstance(card, Card):
        screen.write(with_ladder(card, screen.width, screen.signs, name=name))
    else:
        screen.write(brief_lines(session.metier.show(name), screen.width))
    return DID_NOT_PASS if isinstance(card, Card) and lost(card) else 0


def lost(card: Card) -> bool:
    """Whether any of the card's evidence is a LOSS."""
    return any(item.difference.verdict is Verdict.LOSS for item in card.evidence)


def _recipe(session: Session, choices: Choices) -> tuple[AnyRecipe, Path]:
    """The recipe and the folder its relative paths start at."""
    path = choices["recipe_file"]
    if path is None:
        if choices["task"] == "search":
            return _from_folder(session, choices), Path.cwd()
        return _from_examples(session, choices), Path.cwd()
    taken = [
        f"--{option}"
        for option, key in (
            ("data", "data"),
            ("eval", "eval_file"),
            ("text", "text"),
            ("label", "label"),
            ("group", "group"),
            ("base", "base"),
        )
        if choices.get(key) is not None
    ]
    if taken:
        raise InputError(
            f"{' and '.join(taken)} cannot be given with a recipe.",
            code="bad_usage",
            remedy=f"Write it into {path}, or leave the recipe out.",
        )
    if _is_name(path):
        return _changed(session.metier.packaged_recipe(str(path)), choices), Path.cwd()
    recipe = read_recipe(_read(path), where=str(path))
    return _changed(recipe, choices), path.absolute().parent


def _is_name(path: Path) -> bool:
    """Whether it names a packaged recipe: no file, and nothing that only a path has."""
    return len(path.parts) == 1 and not path.suffix and not path.is_file()


def _from_folder(session: Session, choices: Choices) -> SearchRecipe:
    """A recipe for a pack of one's own documents."""
    data, name = _data_and_name(choices, "metier make --task search --data FOLDER --name NAME")
    for option in ("eval_file", "text", "label", "group", "budget", "seed", "base"):
        if choices.get(option) is not None:
            raise InputError(
                f"--{option.removesuffix('_file')} is for classifiers, not for documents.",
                code="bad_usage",
            )
    if not data.is_dir():
        raise InputError(
            f"{str(data)!r} is a file; a pack is made of a folder of markdown.",
            code="bad_usage",
            remedy="Name the folder that holds the .md files.",
        )
    recipe = session.metier.pack_recipe(data.absolute(), name=name)
    if choices["domain"] is None:
        return recipe
    document = recipe.model_dump()
    document["specialist"]["domain"] = checked_domain(choices["domain"])
    return SearchRecipe.model_validate(document)


def _data_and_name(choices: Choices, usage: str) -> tuple[Path, str]:
    """What --data and --name say; both must, and the data must be there."""
    data, name = choices["data"], choices["name"]
    if data is None or name is None:
        missing = "--data" if data is None else "--name"
        raise InputError(
            f"{missing} is missing.",
            code="bad_usage",
            remedy=f"Write: {usage}, or metier make RECIPE.",
        )
    Reference.parse(name)
    if not data.exists():
        raise NotFoundError(f"There is no file or folder {str(data)!r}.", code="no_file")
    return data, name


def _from_examples(session: Session, choices: Choices) -> Recipe:
    data, name = _data_and_name(choices, "metier make --data FILE --name NAME")
    recipe = session.metier.recipe_for(
        data,
        name=name,
        domain=choices["domain"] or GENERAL,
        eval_file=choices["eval_file"],
        text=choices["text"],
        label=choices["label"],
        group=choices["group"],
        budget=choices["budget"],
        seed=choices["seed"] or 0,
        drop_leaks=choices["drop_leaks"],
        curve=choices["curve"],
    )
    if choices["task"] == PICTURES:
        return session.metier.picturing.recipe_for(recipe, base=choices["base"])
    if choices["base"] is not None:
        raise InputError(
            "--base is for classifiers of pictures.",
            code="bad_usage",
            remedy="Write --task classify-image, or name the base in a recipe.",
        )
    return recipe


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no recipe {str(path)!r}.", code="no_file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The recipe {str(path)!r} cannot be read: {error}.", code="bad_recipe"
        ) from error


def _changed(recipe: AnyRecipe, choices: Choices) -> AnyRecipe:
    """The recipe with what the command line says instead; it is another recipe then."""
    document: dict[str, Any] = recipe.model_dump()
    if choices["name"] is not None:
        Reference.parse(choices["name"])
        document["specialist"]["name"] = choices["name"]
    if choices["domain"] is not None:
        document["specialist"]["domain"] = checked_domain(choices["domain"])
    if not isinstance(recipe, Recipe):
        for option in ("budget", "seed", "drop_leaks"):
            if choices[option]:
                raise InputError(
                    f"--{option.replace('_', '-')} is for classifiers; this recipe is of the task "
                    f"{recipe.specialist.task}.",
                    code="bad_usage",
                )
        return type(recipe).model_validate(document)
    if choices["budget"] is not None:
        document["ladder"]["budget_seconds"] = choices["budget"]
    if choices["seed"] is not None:
        document["ladder"]["seed"] = choices["seed"]
    if choices["drop_leaks"]:
        document["split"]["drop_leaks"] = True
    if not choices["curve"]:
        document["ladder"]["curve"] = False
    return Recipe.model_validate(document)


def _digest(metier: Metier, name: str) -> str | None:
    try:
        return str(metier.show(name).digest)
    except NotFoundError:
        return None


def _made(
    session: Session, recipe: AnyRecipe, folder: Path, before: str | None, *, quiet: bool
) -> AnyCard:
    shows = (
        climbing(recipe.ladder.rungs, quiet=quiet)
        if isinstance(recipe, Recipe)
        else working(quiet=quiet)
    )
    with (
        shows as shown,
        interruptible(shown.say, lambda: _kept(session, recipe, before)) as cancelled,
    ):
        return session.metier.make(recipe, folder=folder, report=shown.report, cancelled=cancelled)


def _kept(session: Session, recipe: AnyRecipe, before: str | None) -> str:
    name = Reference.parse(recipe.specialist.name).familiar
    now = _digest(session.metier, name)
    if now is None:
        return f"Nothing was saved as {name!r}. The same command starts it again."
    if now == before:
        return f"{name!r} is as it was. The same command starts it again."
    return f"{name!r} was saved: metier show {name}"
