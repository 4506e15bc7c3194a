"""An upstream file is read as text or JSON, or it is named with the reason why not."""

import pytest

from metier.datasets.converters.upstream import UpstreamBytes, bad_upstream
from metier.errors import InputError


def test_the_first_encoding_that_fits_is_taken():
    file = UpstreamBytes("a/b.json", '"é"'.encode("latin-1"))
    assert file.name == "b.json"
    assert file.json("utf-8", "latin-1") == "é"
    with pytest.raises(InputError, match=r"a/b\.json.*encoding"):
        file.text()


def test_what_is_not_json_is_named():
    with pytest.raises(InputError) as caught:
        UpstreamBytes("a.json", b"{").json()
    assert caught.value.code == "bad_upstream"
    assert caught.value.details == {"path": "a.json"}


def test_the_error_says_what_to_check():
    error = bad_upstream("x.csv", "it is empty")
    assert error.message == "The upstream file 'x.csv' cannot be converted: it is empty."
    assert "converter" in (error.remedy or "")
