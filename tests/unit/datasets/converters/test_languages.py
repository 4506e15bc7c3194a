"""A name says the language of a file; a snippet must show it."""

import pytest

from metier.datasets.converters.languages import COMMENTS, language_of, settled


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("src/a.py", "python"),
        ("a/b.R", "r"),
        ("a.tsx", "typescript"),
        ("a.jsx", "javascript"),
        ("infra/main.tf", "terraform"),
        ("Dockerfile", "dockerfile"),
        ("build/Dockerfile.alpine", "dockerfile"),
        ("api.Dockerfile", "dockerfile"),
        ("x/Makefile", "makefile"),
        ("rules.mk", "makefile"),
        ("App.csproj", "xml"),
        ("README", None),
        ("a.h", None),
        ("a.png", None),
        ("py", None),
        ("Makefile.am", None),
    ],
)
def test_the_name_of_a_file_says_its_language(path, language):
    assert language_of(path) == language


@pytest.mark.parametrize(
    ("language", "text", "label"),
    [
        ("typescript", "const a = 1\nf(a)", None),
        ("typescript", "const a: number = 1", "typescript"),
        ("typescript", "export interface A {\n  b: string\n}", "typescript"),
        ("typescript", "import type { A } from './a'", "typescript"),
        ("javascript", "const a = { b: 1 }", "javascript"),
        ("cpp", "int f(int a) {\n  return a;\n}", None),
        ("cpp", "std::vector<int> a;", "cpp"),
        ("c", "int f(int a) {\n  return a;\n}", "c"),
        ("html", "<p>one</p>\n<p>two</p>", "html"),
        ("html", "body { color: red }\na { b: c }", None),
        ("vue", "<div>\n  <p>hello</p>\n</div>", None),
        ("vue", '<div>\n  <p v-if="a">hello</p>\n</div>', "vue"),
        ("svelte", "<div>\n  <p>hello</p>\n</div>", None),
        ("svelte", "{#if a}\n  <p>hello</p>\n{/if}", "svelte"),
        ("markdown", "# A heading\n\nand text", "markdown"),
        ("markdown", "Only words that follow each other here.", "text"),
        ("markdown", "<b>Only words that follow each other.</b>", None),
        ("dockerfile", "  && apt-get update \\\n  && ls", None),
        ("dockerfile", "FROM alpine\nRUN ls", "dockerfile"),
        ("makefile", "\t@echo hello\n\tls -l", None),
        ("makefile", "all: a.o\n\tcc -o a a.o", "makefile"),
        ("php", "<div class='a'>", None),
        ("php", "$a = $b->c();", "php"),
        ("go", "anything", "go"),
    ],
)
def test_a_snippet_that_could_be_another_language_has_no_label(language, text, label):
    assert settled(language, text, text) == label


def test_jsx_needs_markup_and_react_or_the_suffix():
    markup = "return (\n  <Button onClick={go}>\n    Go\n  </Button>\n)"
    react = "import React from 'react'\n" + markup
    assert settled("javascript", markup, react) == "jsx"
    assert settled("javascript", markup, markup) == "javascript"
    assert settled("javascript", markup, markup, path="a.jsx") == "jsx"
    assert settled("typescript", markup, markup, path="a.tsx") == "jsx"
    assert settled("javascript", "// a </b> in a comment\nf()", react) == "javascript"


def test_comment_marks_are_given_for_languages_that_have_lines_of_comment():
    assert COMMENTS["python"] == ("#",)
    assert "//" in COMMENTS["go"]
    assert "json" not in COMMENTS
