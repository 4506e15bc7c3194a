"""Bytes become text in whatever encoding they are, and what was assumed is said."""

import pytest

from metier.datasets.decoding import decode_small, detect, first_characters, lines, opener
from metier.errors import InputError

FRENCH = "text,label\nOù est ma carte ?,carte\nJe n'ai pas reçu ma carte à l'étranger,carte\n"
RUSSIAN = "text,label\nГде моя карта,карта\nПеревод не прошёл сегодня,перевод\n"
JAPANESE = "text,label\n私のカードはどこですか,カード\nこの支払いに覚えがありません,支払い\n"
POLISH = (
    "text,label\nGdzie jest moja karta płatnicza,karta\nNie rozpoznaję tej płatności,płatność\n"
)
CURLY = "text,label\nIt’s been 2 weeks – where’s my “card”?,card\nThe café charged £5 twice,fee\n"


def read(data: bytes) -> tuple[str, str, tuple[str, ...]]:
    open_source = opener(data, "data")
    first_characters(open_source, "data")
    encoding = detect(open_source, "data", one_line=False)
    return "".join(lines(open_source, encoding, "data")), encoding.name, encoding.notes


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("text", [FRENCH, RUSSIAN, JAPANESE])
def test_unicode_with_and_without_a_mark_needs_no_note(codec, text):
    assert read(text.encode(codec)) == (text, codec, ())


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark(codec):
    text = FRENCH * 20
    assert read(text.encode(codec)) == (text, codec, ())


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (FRENCH, "cp1252"),
        (CURLY, "cp1252"),
        (RUSSIAN, "cp1251"),
        (JAPANESE, "shift_jis"),
        (POLISH, "cp1250"),
    ],
)
def test_other_encodings_are_guessed_with_a_note(text, codec):
    found, name, notes = read((text * 5).encode(codec))
    assert found == text * 5
    assert any(name in note and "UTF-8" in note for note in notes)


def test_latin_letters_that_come_late_in_a_long_file():
    data = b"plain,a\n" * 300_000 + "café crème à la carte,b\n".encode("cp1252") * 3
    found, name, _ = read(data)
    assert name == "cp1252"
    assert found.endswith("café crème à la carte,b\n")


def test_a_single_line_that_is_not_utf_8_is_named_and_not_guessed_away():
    data = RUSSIAN.encode() * 20 + b"caf\xe9,a\n" + RUSSIAN.encode()
    with pytest.raises(InputError) as error:
        read(data)
    assert error.value.code == "mixed_encoding"
    assert error.value.details["row"] == 61


def test_bytes_that_only_start_like_utf_16():
    with pytest.raises(InputError) as error:
        read(b"\xff\xfe" + b"a\x00b\x00\x00\xd8x\x00" * 20)
    assert error.value.code == "binary_file"


def test_small_files_of_a_folder():
    assert decode_small("naïve café".encode(), "1.txt") == ("naïve café", "utf-8")
    assert decode_small("\ufeffhello".encode(), "1.txt")[0] == "hello"
    assert decode_small("hello é".encode("utf-16"), "1.txt")[0] == "hello é"
    assert decode_small("Où est ma carte à l'étranger".encode("cp1252"), "1.txt")[1] == "cp1252"
    with pytest.raises(InputError):
        decode_small(b"%PDF-1.7 and so on", "1.txt")
    with pytest.raises(InputError):
        decode_small(b"a line\nof text\0 with a nul and enough around it" + b"x" * 500, "1.txt")
