"""Sentences for people beside what Python says of a file.

It knows the frequent messages of CPython 3.11 and later and the sections of the documentation that
they belong to; it reads no code.
"""

from __future__ import annotations

import builtins
import dataclasses
import difflib
import re
import sys

from metier.coding import Diagnostic

_DOCS = "https://docs.python.org/3/"
_RULES: tuple[tuple[str, str, str], ...] = tuple(
    (re.sub(r"\s+", " ", pattern), text, docs)
    for pattern, text, docs in (
        (
            r"expected ':'",
            "A line that opens a block (if, for, while, def, class, with, try) ends in a colon.",
            "tutorial/controlflow.html",
        ),
        (
            r"was never closed",
            "An opening bracket has no partner; everything up to the end was read as its content.",
            "reference/lexical_analysis.html#implicit-line-joining",
        ),
        (
            r"unmatched|does not match opening",
            "A closing bracket has no partner of its kind before it.",
            "reference/lexical_analysis.html#implicit-line-joining",
        ),
        (
            r"unterminated (triple-quoted )?(f-)?string|EOL while scanning|unterminated f-string",
            "A string has no closing quote. One that spans lines needs three quotes.",
            "tutorial/introduction.html#text",
        ),
        (
            r"expected an indented block",
            "The line before opens a block; its body is indented. An empty body is written pass.",
            "reference/compound_stmts.html",
        ),
        (
            r"unexpected indent",
            "This line is indented further than the block that it stands in.",
            "reference/lexical_analysis.html#indentation",
        ),
        (
            r"unindent does not match",
            "This line returns to an indentation that no open block has.",
            "reference/lexical_analysis.html#indentation",
        ),
        (
            r"inconsistent use of tabs|TabError",
            "Tabs and spaces are mixed. Use four spaces a level.",
            "reference/lexical_analysis.html#indentation",
        ),
        (
            r"Missing parentheses in call to 'print'",
            "In Python 3 print is a function: print(value).",
            "whatsnew/3.0.html#print-is-a-function",
        ),
        (
            r"Missing parentheses in call to 'exec'",
            "In Python 3 exec is a function.",
            "library/functions.html#exec",
        ),
        (
            r"multiple exception types must be parenthesized",
            "Several exceptions in one except stand in brackets, and a name follows as.",
            "tutorial/errors.html#handling-exceptions",
        ),
        (
            r"leading zeros in decimal integer literals",
            "An octal number is written 0o17; other numbers have no leading zero.",
            "reference/lexical_analysis.html#integer-literals",
        ),
        (
            r"cannot assign to",
            "Only a name, an attribute, an item or a slice can stand left of =.",
            "reference/simple_stmts.html#assignment-statements",
        ),
        (
            r"Maybe you meant '=='",
            "One = assigns, two compare.",
            "reference/expressions.html#comparisons",
        ),
        (
            r"Perhaps you forgot a comma",
            "Two values stand side by side with nothing between them.",
            "reference/expressions.html#expression-lists",
        ),
        (
            r"invalid character|invalid non-printable character",
            "A character that is no Python, often a typographic quote, dash or blank, is in here.",
            "reference/lexical_analysis.html",
        ),
        (
            r"unexpected character after line continuation",
            "Nothing may follow a backslash at the end of a line.",
            "reference/lexical_analysis.html#explicit-line-joining",
        ),
        (
            r"'(return|yield|await)' outside (async )?function",
            (
                "The statement stands outside any function, often because a def or its indent is"
                " missing."
            ),
            "reference/simple_stmts.html",
        ),
        (
            r"'(break|continue)' (outside loop|not properly in loop)",
            "The statement stands outside any loop.",
            "reference/simple_stmts.html#the-break-statement",
        ),
        (
            (
                r"positional argument follows keyword|parameter without a default follows|"
                r"non-default argument follows"
            ),
            "Arguments by position come before those by name; parameters without a default first.",
            "reference/compound_stmts.html#function-definitions",
        ),
        (
            r"f-string",
            "The part in braces of an f-string is no expression by itself.",
            "reference/lexical_analysis.html#f-strings",
        ),
        (
            r"null bytes",
            "The file contains a zero byte; it is no text.",
            "reference/lexical_analysis.html",
        ),
        (
            r"referenced before assignment",
            "The function assigns this name somewhere, so it is local everywhere in it.",
            "faq/programming.html#why-am-i-getting-an-unboundlocalerror-when-the-variable-has-a-value",
        ),
        (
            r"too many nested parentheses|too many statically nested blocks|Python cannot compile",
            "It is nested deeper than Python allows.",
            "reference/expressions.html",
        ),
        (
            r"invalid syntax",
            "The line cannot be read from here on; look also at the end of the line before.",
            "tutorial/errors.html#syntax-errors",
        ),
    )
)
_NEAR_OLD = {
    "xrange": "In Python 3 it is range.",
    "raw_input": "In Python 3 it is input.",
    "unicode": "In Python 3 it is str.",
    "basestring": "In Python 3 it is str.",
    "unichr": "In Python 3 it is chr.",
    "long": "In Python 3 it is int.",
    "reduce": "In Python 3 it is in functools.",
}


def explained(found: Diagnostic, name: str) -> Diagnostic:
    """The diagnostic with our sentence and the address of the documentation.

    Args:
        found: What Python or pyflakes said.
        name: The undefined name, if that is what is wrong.
    """
    if found.code == "undefined_name":
        text, docs = _of_name(name), f"{_DOCS}reference/executionmodel.html#naming-and-binding"
        return dataclasses.replace(found, explanation=text, docs=docs)
    for pattern, text, docs in _RULES:
        if re.search(pattern, found.message):
            return dataclasses.replace(found, explanation=text, docs=_DOCS + docs)
    return found


def _of_name(name: str) -> str:
    if name in _NEAR_OLD:
        return _NEAR_OLD[name]
    if name in sys.stdlib_module_names:
        return f"It is a module of the standard library: add 'import {name}'."
    near = difflib.get_close_matches(name, dir(builtins), n=1, cutoff=0.75)
    if near:
        return f"Nothing in the file defines it. Did you mean {near[0]}?"
    return "Nothing in the file defines or imports it; reaching the line raises NameError."
