"""What a pipeline's fields are."""

from __future__ import annotations

from metier.engines.prompting.golang.functions import FUNCTIONS
from metier.engines.prompting.golang.parsing import parse
from metier.engines.prompting.golang.tree import Output, fields_of


def test_fields_of_a_pipeline_without_brackets() -> None:
    statement = parse("{{ printf .A.B (len .C) | len }}", FUNCTIONS.keys()).body[0]
    assert isinstance(statement, Output)
    assert list(fields_of(statement.pipeline)) == ["A", "B"]
