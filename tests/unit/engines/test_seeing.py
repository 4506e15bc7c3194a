"""Views of pictures: features and a tiny vision encoder, prepared as its description says."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import tiny_vision
from metier.engines.seeing import PictureFeatures, VisionEncoder, prepared, read_vision
from metier.errors import CorruptError, NotFoundError
from metier.picturefeatures import DIMENSION
from metier.pictures import Shelf
from metier.picturing import Picture, VisionFile


def picture(colour: str = "red", seed: int = 1, side: int = 40) -> Picture:
    """A picture of a colour."""
    return Picture(side, side, tiny_vision.pixels(colour, seed, side=side).tobytes())


def test_features_are_rows_of_digests() -> None:
    shelf = Shelf()
    view = PictureFeatures(shelf)
    with shelf.holding([picture("red"), picture("blue")]) as digests:
        rows = view.encode(digests)
    assert rows.shape == (2, view.dimension) == (2, DIMENSION)
    assert view.size_bytes == 0
    with pytest.raises(NotFoundError):
        view.encode(digests)


def test_an_encoder_gives_unit_vectors_that_depend_on_one_picture_alone(tmp_path: Path) -> None:
    shelf = Shelf()
    encoder = VisionEncoder(tiny_vision.folder(tmp_path), shelf)
    many = [picture("red", seed, side=20 + seed) for seed in range(12)]
    with shelf.holding(many) as digests:
        whole, alone = encoder.encode(digests), encoder.encode(digests[7:8])
    assert whole.shape == (12, tiny_vision.WIDTH)
    assert encoder.dimension == tiny_vision.WIDTH
    assert np.allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-5)
    assert (whole[7] == alone[0]).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"input": "nothing"}, "inputs"),
        ({"output": "nothing"}, "outputs"),
        ({"size": 64}, "cannot be used"),
        ({"pool": "first"}, "shape"),
        ({"layout": "nhwc"}, "cannot be used"),
        ({"dimension": 5}, "not 5"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(CorruptError, match=said) as raised:
        VisionEncoder(tiny_vision.folder(tmp_path, **changes), Shelf())
    assert raised.value.code == "bad_graph"


def test_what_is_no_graph_is_refused(tmp_path: Path) -> None:
    folder = tiny_vision.folder(tmp_path)
    (folder / "model.onnx").write_bytes(b"not a graph")
    with pytest.raises(CorruptError):
        VisionEncoder(folder, Shelf())
    (folder / "model.onnx").unlink()
    with pytest.raises(NotFoundError):
        read_vision(folder)


def test_pictures_are_cropped_or_stretched_and_scaled() -> None:
    left_half = np.zeros((40, 80, 3), np.uint8)
    left_half[:, :40, 0] = 255
    wide = Picture(80, 40, left_half.tobytes())
    file = VisionFile(input="a", output="b", size=8, mean=(0.5, 0, 0), std=(0.5, 1, 1))
    cropped = prepared(wide, file)
    assert cropped.shape == (1, 3, 8, 8)
    assert np.allclose(cropped[0, 0, :, :3], 1, atol=0.02)
    assert np.allclose(cropped[0, 0, :, 5:], -1, atol=0.02)
    assert np.allclose(cropped[0, 1:], 0)
    stretched = prepared(wide, file.model_copy(update={"fit": "stretch"}))
    assert np.allclose(stretched[0, 0, :, :4], 1, atol=0.02)
    backwards = file.model_copy(update={"channels": "bgr", "layout": "nhwc"})
    last = prepared(wide, backwards)
    assert last.shape == (1, 8, 8, 3)
    assert last[0, 0, 0, 2] > 0.9


def _answering(place: Path, nodes: list[onnx.NodeProto], kind: int, pool: str) -> Path:
    """A folder whose graph makes something odd of the pixels."""
    whole = [helper.make_node("GlobalAveragePool", ["pixels"], ["mean"]), *nodes]
    size = [1, 3, tiny_vision.SIZE, tiny_vision.SIZE]
    made = helper.make_graph(
        whole,
        "odd",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, size)],
        [helper.make_tensor_value_info("vector", kind, None)],
        [numpy_helper.from_array(np.array([0]), "zero")],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    folder = tiny_vision.folder(place, pool=pool)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return folder


@pytest.mark.parametrize(
    ("nodes", "kind", "pool"),
    [
        ([helper.make_node("ReduceSum", ["mean"], ["vector"], keepdims=0)], 1, "none"),
        ([helper.make_node("Cast", ["mean"], ["vector"], to=8)], 8, "none"),
        (
            [
                helper.make_node("Squeeze", ["mean", "zero"], ["three"]),
                helper.make_node("Slice", ["three", "zero", "zero", "zero"], ["vector"]),
            ],
            1,
            "mean",
        ),
    ],
    ids=["a single number", "texts", "nothing"],
)
def test_a_graph_that_answers_no_vector_is_refused(
    tmp_path: Path, nodes: list[onnx.NodeProto], kind: int, pool: str
) -> None:
    with pytest.raises(CorruptError) as raised:
        VisionEncoder(_answering(tmp_path, nodes, kind, pool), Shelf())
    assert raised.value.code == "bad_graph"


def test_a_thin_strip_takes_no_more_memory_than_a_picture() -> None:
    file = VisionFile(input="x", output="y", size=512)
    strip = Picture(320, 1, bytes(range(240)) * 4)
    tracemalloc.start()
    try:
        assert prepared(strip, file).shape == (1, 3, 512, 512)
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


def test_tokens_and_maps_are_pooled(tmp_path: Path) -> None:
    encoder = VisionEncoder(tiny_vision.folder(tmp_path), Shelf())
    tokens = np.arange(12, dtype=np.float32).reshape(1, 3, 4)

    def pooled(pool: str, found: np.ndarray) -> list[float]:  # type: ignore[type-arg]
        encoder._file = encoder._file.model_copy(update={"pool": pool})
        return encoder._pooled(found).tolist()  # type: ignore[no-any-return]

    assert pooled("first", tokens) == [0, 1, 2, 3]
    assert pooled("mean", tokens) == [4, 5, 6, 7]
    assert pooled("mean", tokens.reshape(1, 3, 2, 2)) == [1.5, 5.5, 9.5]
