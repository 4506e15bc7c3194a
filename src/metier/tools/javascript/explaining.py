"""Sentences for people beside what Node's parser says of a file.

It knows V8's frequent messages; it reads no code.
"""

from __future__ import annotations

import dataclasses
import re

from metier.coding import Diagnostic

_DOCS = "https://developer.mozilla.org/docs/Web/JavaScript/Reference/"
_RULES: tuple[tuple[str, str, str], ...] = (
    (
        r"Unexpected end of input|missing \) after|Missing initializer|Expected '\}'",
        "Something opened before is not closed, or a value is missing.",
        "Errors/Missing_parenthesis_after_argument_list",
    ),
    (
        r"Invalid or unexpected token",
        "A character that is no JavaScript, often a typographic quote or a string not closed.",
        "Errors/Illegal_character",
    ),
    (
        r"has already been declared",
        "Two declarations of one block have the same name.",
        "Errors/Redeclared_parameter",
    ),
    (
        r"await is only valid",
        "await stands in async functions and at the top level of modules only.",
        "Operators/await",
    ),
    (
        r"Cannot use import statement|Unexpected token 'export'",
        "import and export stand in modules only; this file is a script.",
        "Statements/import",
    ),
    (
        r"Illegal return",
        "return stands in functions only; a bracket before may be closed too early.",
        "Errors/Bad_return",
    ),
    (
        r"Unexpected token '<'",
        "Markup in JavaScript is JSX; it needs the react tool and a name that ends in .jsx.",
        "Errors/Unexpected_token",
    ),
    (
        r"Unexpected (token|identifier|strict mode|reserved|string|number|template)",
        "The code cannot be read from here on; look also at the end of the line before.",
        "Errors/Unexpected_token",
    ),
)


def explained(found: Diagnostic) -> Diagnostic:
    """The diagnostic with our sentence and the address of the documentation."""
    for pattern, text, docs in _RULES:
        if re.search(pattern, found.message):
            return dataclasses.replace(found, explanation=text, docs=_DOCS + docs)
    return found
