"""Modelfiles: what Ollama's users write is read, what is wrong is named with its line."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from metier.errors import InputError
from metier.modelfile import (
    DEPRECATED,
    MAX_MODELFILE_BYTES,
    PARAMETERS,
    Modelfile,
    parameter_texts,
    parse_modelfile,
    typed_parameter,
    write_modelfile,
)

WHOLE = '''
# A specialist over a base.
FROM team/tiny:q8
ADAPTER ./first.gguf
adapter "./second file"
TEMPLATE """{{ if .System }}<|im_start|>system
{{ .System }}<|im_end|>
{{ end }}"""
   SYSTEM You are "kind".
PARAMETER temperature 1
PARAMETER num_ctx 4096
Parameter stop "<|im_end|>"
PARAMETER stop User:
PARAMETER use_mmap false
MESSAGE user Is Toronto in Canada?
MESSAGE assistant """
yes
"""
LICENSE MIT
LICENSE """Two
lines"""
REQUIRES 0.14.0
'''


def test_every_instruction_is_read() -> None:
    found = parse_modelfile(WHOLE)
    assert found == Modelfile(
        sources=("team/tiny:q8",),
        adapters=("./first.gguf", "./second file"),
        template="{{ if .System }}<|im_start|>system\n{{ .System }}<|im_end|>\n{{ end }}",
        system='You are "kind".',
        parameters={
            "temperature": 1.0,
            "num_ctx": 4096,
            "stop": ("<|im_end|>", "User:"),
            "use_mmap": False,
        },
        messages=(("user", "Is Toronto in Canada?"), ("assistant", "\nyes\n")),
        licences=("MIT", "Two\nlines"),
        requires="0.14.0",
    )
    assert found.notes == ()
    assert parse_modelfile(write_modelfile(found)) == found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('SYSTEM "  spaces  "  ', "  spaces  "),
        ("SYSTEM   bare words   ", "bare words"),
        ("SYSTEM # no comment", "# no comment"),
        ('SYSTEM ""', ""),
        ("SYSTEM ", ""),
        ('SYSTEM """"""', ""),
        ('SYSTEM """"quoted""""', '"quoted"'),
        ('SYSTEM """a """ b"""', 'a """ b'),
        ('SYSTEM "a\nb"', "a\nb"),
        ('SYSTEM "a""', 'a"'),
        ("SYSTEM it's", "it's"),
        ('SYSTEM """\r\na\r\n"""', "\r\na\r\n"),
        ("SYSTEM\tü 你好", "ü 你好"),
    ],
)
@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\nPARAMETER seed 1\n"])
def test_quotes_end_at_the_end_of_a_line(text: str, value: str, ending: str) -> None:
    found = parse_modelfile(f"FROM a\n{text}{ending}")
    assert found.system == value
    assert ("seed" in found.parameters) == ("seed" in ending)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_editors_write(encoding: str) -> None:
    assert parse_modelfile("FROM bääse\n".encode(encoding)).sources == ("bääse",)
    big = b"\xfe\xff" + "FROM a\n".encode("utf-16-be")
    assert parse_modelfile(big).sources == ("a",)


@pytest.mark.parametrize(
    ("text", "line", "column", "why"),
    [
        ("", 1, 1, "no FROM"),
        ("PARAMETER seed 1", 1, 1, "no FROM"),
        ("FROM a\nBADCOMMAND x", 2, 1, "no instruction"),
        ("FROM a\n SYTEM x", 2, 2, "did you mean SYSTEM"),
        ("FROM a\n=", 2, 1, "no instruction"),
        ("FROM a\nSYSTEM", 2, 7, "needs a value"),
        ("FROM a\r\nPARAMETER seed", 2, 15, "name and a value"),
        ("FROM a\nPARAMETER seed one", 2, 1, "whole number"),
        ("FROM a\nPARAMETER temperature warm", 2, 1, "a number"),
        ("FROM a\nPARAMETER temperature nan", 2, 1, "a number"),
        ("FROM a\nPARAMETER use_mmap maybe", 2, 1, "true or false"),
        ("FROM a\nPARAMETER tempature 1", 2, 1, "did you mean 'temperature'"),
        ("FROM a\nMESSAGE badguy hello", 2, 9, "system, user or assistant"),
        ("FROM a\nMESSAGE user\n", 2, 13, "name and a value"),
        ('FROM a\nSYSTEM """x\ny', 2, 8, "not closed"),
        ('FROM a\nSYSTEM "x" y', 2, 8, "not closed"),
        ("FROM \n", 1, 1, "names nothing"),
        ("FROM a\nREQUIRES soon", 2, 1, "version"),
    ],
)
def test_an_error_names_line_and_column(text: str, line: int, column: int, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        parse_modelfile(text)
    assert caught.value.code == "bad_modelfile"
    assert caught.value.details == {"line": line, "column": column}
    assert "?." not in str(caught.value)


def test_bytes_that_are_no_text_are_refused_where_they_stand() -> None:
    with pytest.raises(InputError, match="UTF-8") as caught:
        parse_modelfile(b"FROM a\nSYSTEM \xff")
    assert caught.value.details == {"line": 2, "column": 8}
    with pytest.raises(InputError, match="UTF-16"):
        parse_modelfile(b"\xff\xfeF")


def test_sizes_are_capped() -> None:
    for data in (b"#" * (MAX_MODELFILE_BYTES + 1), "#" * (MAX_MODELFILE_BYTES + 1)):
        with pytest.raises(InputError, match="longer"):
            parse_modelfile(data)
    with pytest.raises(InputError, match="more than"):
        parse_modelfile("FROM a\n" * 10_001)


def test_what_has_no_effect_is_noted() -> None:
    found = parse_modelfile(
        "FROM a\nPARAMETER mirostat 1\nRENDERER qwen3\nPARSER qwen3\nSYSTEM a\nSYSTEM b\nDRAFT x\n"
    )
    assert found.parameters == {}
    assert found.system == "b"
    assert (found.renderer, found.parser) == ("qwen3", "qwen3")
    assert [note.split(":")[0] for note in found.notes] == [
        "Line 2", "Line 3", "Line 4", "Line 6", "Line 7",
    ]  # fmt: skip
    assert not DEPRECATED & PARAMETERS.keys()


def test_values_have_their_own_types() -> None:
    assert typed_parameter("top_k", 40.0) == 40
    assert typed_parameter("top_p", 1) == 1.0
    assert typed_parameter("stop", ["a", "b"]) == ("a", "b")
    for name, value in (
        ("top_k", 1.5), ("top_k", True), ("top_k", "1e3"), ("top_k", 1 << 63), ("top_p", "1_0"),
        ("top_p", float("inf")), ("top_p", []), ("top_k", float("inf")), ("stop", [1]),
        ("stop", 1), ("use_mmap", 1), ("nothing", 1),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="parameter"):
            typed_parameter(name, value)


def test_parameters_are_written_one_a_line() -> None:
    texts = list(parameter_texts({"stop": ["a", "b"], "use_mmap": True, "top_p": 0.5, "seed": -1}))
    assert texts == [
        ("stop", '"a"'), ("stop", '"b"'), ("use_mmap", "true"), ("top_p", "0.5"),
        ("seed", "-1"),
    ]  # fmt: skip


def test_a_text_that_no_quote_can_hold_is_refused() -> None:
    with pytest.raises(InputError, match="line that ends in quotes"):
        write_modelfile(Modelfile(("a",), system='x"""\ny'))


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=40) | st.text(
    st.sampled_from(' "\n\r\t#a'), max_size=12
)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(
    lambda name: bool(name.strip(" \t"))
)
values = {
    "int": st.integers(-(1 << 63), (1 << 63) - 1),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "texts": st.lists(texts, min_size=1, max_size=3).map(tuple),
}
modelfiles = st.builds(
    Modelfile,
    sources=st.lists(names, min_size=1, max_size=2).map(tuple),
    adapters=st.lists(names, max_size=2).map(tuple),
    template=st.none() | texts,
    system=st.none() | texts,
    parameters=st.fixed_dictionaries(
        {}, optional={name: values[kind] for name, kind in PARAMETERS.items()}
    ),
    messages=st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), texts)).map(
        tuple
    ),
    licences=st.lists(texts, max_size=2).map(tuple),
    requires=st.none() | st.just("0.14.0"),
)


@settings(max_examples=300, deadline=None)
@given(modelfiles)
@example(Modelfile(("a",), system='"'))
@example(Modelfile(("a",), system='a"'))
@example(Modelfile(("a",), system='"a\n'))
def test_what_is_written_reads_as_what_it_was(modelfile: Modelfile) -> None:
    text = ""
    with suppress(InputError):
        text = write_modelfile(modelfile)
    if not text:
        assert '"' in repr(modelfile)
        return
    assert parse_modelfile(text) == modelfile
    assert parse_modelfile(text.encode()) == modelfile


@settings(max_examples=400, deadline=None)
@given(
    st.text(st.sampled_from('FROMSYTEPARAtop \t\n\r"#1'), max_size=60)
    | st.text(max_size=60)
    | st.binary(max_size=60)
)
def test_fuzz_anything_is_read_or_refused(data: str | bytes) -> None:
    with suppress(InputError):
        parse_modelfile(data)


@pytest.mark.parametrize(
    "text",
    [
        'FROM a\nSYSTEM "' + '"' * 100_000 + " " * 100_000 + "x",
        'FROM a\nSYSTEM """' + '"""   x\n' * 100_000,
        "FROM a\n" + " " * 1_000_000,
        "FROM a\nSYSTEM " + " " * 1_000_000 + "x",
        "#\n" * 500_000,
    ],
)
def test_time_is_linear(text: str) -> None:
    began = time.process_time()
    with suppress(InputError):
        parse_modelfile(text)
    assert time.process_time() - began < 1
