from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from metier.errors import CorruptError
from metier.manifest import (
    ARTIFACT_TYPE,
    CONFIG_TYPE,
    DOC_TYPE,
    FILEPATH,
    WEIGHT_CONFIG_TYPE,
    WEIGHT_TYPE,
    Descriptor,
    Manifest,
    canonical_json,
    model_config,
    safe_filepath,
    system_digest,
)
from metier.reference import Digest


def layer(data: bytes, *, path: str = "w.safetensors", kind: str = WEIGHT_TYPE) -> Descriptor:
    return Descriptor(
        media_type=kind, digest=str(Digest.of(data)), size=len(data), annotations={FILEPATH: path}
    )


def manifest(*layers: Descriptor) -> Manifest:
    config = Descriptor(media_type=CONFIG_TYPE, digest=str(Digest.of(b"{}")), size=2)
    return Manifest(config=config, layers=layers, annotations={"b": "2", "a": "1"})


def test_a_manifest_survives_the_round_trip() -> None:
    first = manifest(layer(b"weights"), layer(b"card", path="card.json", kind=DOC_TYPE))
    again = Manifest.from_bytes(first.to_bytes())
    assert again == first
    assert again.to_bytes() == first.to_bytes()


def test_it_is_written_as_other_oci_tools_read_it() -> None:
    written = json.loads(manifest(layer(b"weights")).to_bytes())
    assert written["schemaVersion"] == 2
    assert written["artifactType"] == ARTIFACT_TYPE
    assert set(written["layers"][0]) == {"mediaType", "digest", "size", "annotations"}
    assert written["layers"][0]["size"] == len(b"weights")


def test_parts_are_found_by_their_path() -> None:
    weights, card = layer(b"weights"), layer(b"card", path="card.json", kind=DOC_TYPE)
    both = manifest(weights, card)
    assert both.part("card.json") == card
    assert both.part("other.json") is None
    assert both.blobs() == (both.config, weights, card)
    assert weights.blob == Digest.of(b"weights")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("layers", [{"mediaType": WEIGHT_TYPE, "digest": "sha256:nope", "size": 1}]),
        ("layers", [{"mediaType": WEIGHT_TYPE, "digest": str(Digest.of(b"")), "size": -1}]),
        ("schemaVersion", 1),
        ("mediaType", "text/plain"),
        ("config", None),
    ],
)
def test_a_broken_manifest_is_refused(field: str, value: object) -> None:
    document = json.loads(manifest(layer(b"weights")).to_bytes())
    document[field] = value
    with pytest.raises(CorruptError) as caught:
        Manifest.from_bytes(json.dumps(document).encode())
    assert caught.value.code == "bad_manifest"


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "a\\b", "C:x", ""])
def test_a_manifest_whose_parts_leave_their_folder_is_refused(path: str) -> None:
    with pytest.raises(CorruptError):
        Manifest.from_bytes(manifest(layer(b"x", path=path)).to_bytes())


@given(st.text(max_size=300))
@example("a/./b")
@example("a//b")
@example("a\0b")
@example("tab\t")
def test_a_safe_path_stays_inside(path: str) -> None:
    if safe_filepath(path):
        assert not path.startswith("/")
        assert not set(path.split("/")) & {"", ".", ".."}
        assert "\0" not in path
        assert "\n" not in path


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=30)
@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_canonical_json_does_not_depend_on_order(value: dict[str, object]) -> None:
    try:
        data = canonical_json(value)
    except UnicodeEncodeError:
        return  # Half of a surrogate pair is no UTF-8.
    assert canonical_json(dict(reversed(value.items()))) == data
    assert json.loads(data) == value


def test_canonical_json_refuses_what_json_cannot_carry() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"x": float("nan")})


def test_the_config_has_no_field_beyond_its_schema() -> None:
    one = layer(b"weights")
    config = json.loads(model_config(name="triage", layers=(one,), licence=None))
    assert config["modelfs"] == {"type": "layers", "diffIds": [one.digest]}
    assert set(config) == {"descriptor", "modelfs", "config"}
    assert "licenses" not in config["descriptor"]


def test_the_system_is_what_answers() -> None:
    weights = layer(b"weights")
    settings = layer(b"{}", path="specialist.json", kind=WEIGHT_CONFIG_TYPE)
    card = layer(b"card", path="card.json", kind=DOC_TYPE)
    answering = system_digest((weights, settings), "sha256:base")
    assert system_digest((card, settings, weights), "sha256:base") == answering
    assert system_digest((weights, settings), None) != answering
    assert system_digest((weights,), "sha256:base") != answering
    assert system_digest((layer(b"weights", path="other"), settings), "sha256:base") != answering
