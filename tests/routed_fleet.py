"""A fleet to route in: ``helper``, which holds a real proof for ``python``, and a general model.

``helper`` is a chat specialist over a loopback service that leaves brackets open until it is told;
its tool closes them, and a real executed eval proves it against its base. The general model is
another loopback service, or a tiny local one that writes noise.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from metier.assembly import Metier
from metier.generating import Message, Question
from metier.recipe import ChatRecipe
from metier.settings import Settings
from scripted import Scripted, Seen, said, service, streamed
from sums import NAMES, write_tasks

RECIPE = """
[specialist]
name = "helper"
task = "chat"
domain = "python"
description = "Writes Python functions that add numbers."

[base]
ref = "remote:mine"

[answer]
prompt = "You write Python.\\nFunctions have brackets and colons.\\nLists, loops, def and return."
tools = ["python"]
repairs = {repairs}

[eval]
names = ["python"]
"""
OF_PYTHON = "Write a python function add_n0(a, b)."
ELSEWHERE = "What should I cook with leftover rice and two eggs?"
GENERAL_SAYS = "The general model says this."


def forgets_brackets(body: dict) -> Scripted:
    """Leaves the bracket open until it is told that something is wrong."""
    asked = "\n".join(str(message["content"]) for message in body["messages"])
    name = next((one for one in NAMES if f"add_{one}(" in asked), "n0")
    told = len(body["messages"]) > 2 and body["messages"][-2]["role"] == "assistant"
    text = f"```python\ndef add_{name}(a, b{')' if told else ''}:\n    return a + b\n```\n"
    return streamed(text) if body.get("stream") else said(text)


def says_it(body: dict) -> Scripted:
    """What the general service always says."""
    return streamed(GENERAL_SAYS) if body.get("stream") else said(GENERAL_SAYS)


@dataclass
class Fleet:
    """The home and the services that stand behind it.

    Attributes:
        metier: Opened over the home.
        mine: What writes for ``helper``.
        general: The general service; it has seen nothing where a local model is the general one.
    """

    metier: Metier
    mine: Seen
    general: Seen

    @property
    def home(self) -> Path:
        """The home folder."""
        return self.metier.settings.home

    def copied(self, folder: Path, **settings: object) -> Metier:
        """A façade over a copy of the home, with other settings if wanted."""
        home = folder / "copied"
        logs = shutil.ignore_patterns("decisions*.jsonl")
        shutil.copytree(self.home, home, symlinks=True, ignore=logs)
        own = self.metier.settings
        given = {"general_url": own.general_url, "general_model": own.general_model, **settings}
        return Metier.open(Settings(home=home, **given))  # type: ignore[arg-type]


@contextmanager
def fleet(folder: Path, *, proved: bool = True, remote: bool = True) -> Iterator[Fleet]:
    """The fleet, its services running.

    Args:
        folder: Where the home is made.
        proved: Whether ``helper`` is put to its eval.
        remote: Whether the general service is configured.
    """
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    with service() as mine, service() as general:
        mine.always, general.always = forgets_brackets, says_it
        (home / "services.toml").write_text(
            f'[mine]\nurl = "{mine.service.url}"\nmodel = "small-model"\n', "utf-8"
        )
        address = {"general_url": general.service.url, "general_model": "general-model"}
        metier = Metier.open(Settings(home=home, **(address if remote else {})))  # type: ignore[arg-type]
        metier.make(ChatRecipe.from_toml(RECIPE.format(repairs=1)), folder=folder)
        if proved:
            prove(metier, folder)
        try:
            yield Fleet(metier, mine, general)
        finally:
            metier.close()


def prove(metier: Metier, folder: Path) -> None:
    """Put ``helper`` to its eval, so that the ledger holds evidence against its base."""
    tasks = write_tasks(folder)
    metier.tables.evaluate("helper", on=str(tasks), bases=["remote:mine"], with_=("tools",))


def question(text: str, *before: tuple[str, str]) -> Question:
    """A conversation that ends in this text."""
    earlier = tuple(Message(role, said) for role, said in before)  # type: ignore[arg-type]
    return Question(messages=(*earlier, Message("user", text)))
