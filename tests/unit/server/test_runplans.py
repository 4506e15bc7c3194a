"""The protocols of plans: that what assembly gives fits them."""

from __future__ import annotations

import dataclasses

import pytest

from metier.answer import browsing
from metier.assembly.browsing import Browsing
from metier.server import runplans
from metier.site import Site
from stand_in.running import NoPlans


@pytest.mark.parametrize(
    ("protocol", "kind"),
    [(runplans.RunFile, browsing.RunFile), (runplans.RunPlan, browsing.RunPlan)],
)
def test_values_have_every_field(protocol: type, kind: type) -> None:
    wanted = {name for name in vars(protocol) if not name.startswith("_")}
    given = {field.name for field in dataclasses.fields(kind)} | set(vars(kind))
    assert wanted <= given


@pytest.mark.parametrize("kind", [Browsing, NoPlans])
def test_plans_and_assets_can_be_asked_for(kind: type) -> None:
    wanted = {name for name in vars(runplans.Browses) if not name.startswith("_")}
    assert wanted <= set(vars(kind))


def test_the_site_draws_them() -> None:
    wanted = {name for name in vars(runplans.RunPages) if not name.startswith("_")}
    assert wanted == {"run", "running_module", "running_version"}
    assert wanted <= set(vars(Site))


def test_a_running_page_without_a_problem_runs() -> None:
    assert runplans.Running("words", None, {}).problem is None
