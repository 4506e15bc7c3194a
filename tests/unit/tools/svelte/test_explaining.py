"""Explanations: for what occurs, in sentences, with a section of the documentation."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

import pytest

from metier.coding import Diagnostic
from metier.tools.svelte.explaining import address, explained, explanation

TABLE = tomllib.loads((files("metier.tools.svelte") / "explanations.toml").read_text("utf-8"))
LEADING = [
    "js_parse_error",
    "dollar_prefix_invalid",
    "constant_assignment",
    "rune_invalid_arguments_length",
    "expected_token",
    "rune_missing_parentheses",
    "expected_tag",
    "legacy_reactive_statement_invalid",
    "legacy_export_invalid",
    "state_invalid_placement",
    "effect_invalid_placement",
    "global_reference_invalid",
    "rune_invalid_name",
    "render_tag_invalid_expression",
    "rune_invalid_arguments",
    "props_invalid_placement",
    "svelte_meta_duplicate",
    "constant_binding",
    "expected_block_type",
    "element_unclosed",
    "bind_invalid_name",
    "svelte_meta_invalid_tag",
    "script_duplicate",
    "tag_invalid_name",
    "element_invalid_closing_tag",
    "import_svelte_internal_forbidden",
    "module_illegal_default_export",
    "attribute_invalid_name",
    "block_invalid_continuation_placement",
    "directive_invalid_value",
    "bind_invalid_value",
    "attribute_empty_shorthand",
    "css_expected_identifier",
    "bind_invalid_expression",
    "attribute_duplicate",
    "svelte_fragment_invalid_placement",
    "expected_whitespace",
    "const_tag_invalid_placement",
    "props_duplicate",
    "store_invalid_scoped_subscription",
    "unexpected_reserved_word",
    "block_unexpected_close",
    "svelte_component_missing_this",
    "mixed_event_handler_syntaxes",
    "svelte_meta_invalid_content",
    "block_invalid_placement",
    "state_invalid_export",
    "rune_invalid_computed_property",
    "block_unclosed",
    "style_duplicate",
    "derived_invalid_export",
]


@pytest.mark.parametrize("code", LEADING)
def test_what_stopped_recorded_answers_is_explained(code: str) -> None:
    assert len(explanation(code).split()) >= 5


@pytest.mark.parametrize("code", TABLE)
def test_every_entry_is_a_sentence_and_an_address(code: str) -> None:
    text = TABLE[code].get("text", "Nothing.")
    assert text.endswith((".", ";", ")", "/>"))
    assert "!" not in text.replace("!=", "")
    assert re.fullmatch(r"https://svelte\.dev/docs/(svelte|kit)/\S+", address(code, "error"))


def test_codes_without_an_entry_lead_to_their_own_section() -> None:
    errors = "https://svelte.dev/docs/svelte/compiler-errors#some_code"
    assert address("some_code", "error") == errors
    assert address("some_code", "warning") == errors.replace("errors", "warnings")
    assert explanation("some_code") == ""


def test_what_a_diagnostic_says_itself_stays() -> None:
    given = Diagnostic("js_parse_error", "x", explanation="Ours.", docs="https://example.com/")
    assert explained(given) == given
    assert explained(Diagnostic("js_parse_error", "x", path="A")).path == "A"
