"""A folder with one sub-folder of texts per label."""

import pytest

from metier.datasets.reading import open_table
from metier.datasets.recognising import read_examples
from metier.errors import InputError


def fill(root, files: dict[str, str | bytes]):
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def test_labels_are_the_folders(tmp_path):
    files = {
        "spam/2.txt": "you won",
        "spam/1.txt": "free",
        "ham/1.txt": "see you",
        "ham/b/2": "ok\n",
    }
    dataset = read_examples(fill(tmp_path, files))
    assert [(e.text, e.label, e.row) for e in dataset.examples] == [
        ("see you", "ham", 1),
        ("ok\n", "ham", 2),
        ("free", "spam", 3),
        ("you won", "spam", 4),
    ]
    assert dataset.splits is None
    assert dataset.recognised.format == "folder"


def test_folders_of_splits(tmp_path):
    files = {
        f"{split}/{label}/{number}.txt": f"{split} {label} {number}"
        for split in ("train", "test")
        for label in ("a", "b")
        for number in range(3)
    }
    dataset = read_examples(fill(tmp_path, files))
    assert len(dataset.part("train")) == len(dataset.part("test")) == 6
    assert dataset.recognised.split == "split"


def test_what_is_left_out_is_said(tmp_path):
    files = {
        "a/1.txt": "one", "a/2.txt": "two", "b/1.txt": "three", "b/2.txt": "four",
        "b/picture.png": b"\x89PNG", "readme.txt": "no label", ".DS_Store": "x", "a/.hidden": "y",
    }  # fmt: skip
    table = open_table(fill(tmp_path, files))
    assert len(list(table.rows())) == 4
    assert table.notes == (
        "1 files ending in .png were left out.",
        "1 files outside a label's folder were left out.",
    )


def test_a_file_that_is_no_text_is_named(tmp_path):
    files = {"a/1.txt": "one", "a/2.txt": b"\x89PNG\r\n", "b/1.txt": "x" * 2_000, "b/2.txt": " \n"}
    with pytest.raises(InputError) as error:
        list(open_table(fill(tmp_path, files), max_row=1_000).rows())
    problems = error.value.details["problems"]
    assert [(problem["code"], problem["place"]) for problem in problems] == [
        ("binary_file", "file a/2.txt"),
        ("row_too_long", "file b/1.txt"),
    ]
    with pytest.raises(InputError, match=r"file b/2\.txt"):
        read_examples(fill(tmp_path, {"a/2.txt": "two", "b/1.txt": "three"}))


def test_a_folder_without_texts(tmp_path):
    with pytest.raises(InputError) as error:
        open_table(fill(tmp_path, {"readme.md": "hello"}))
    assert error.value.code == "empty_folder"


def test_links_to_folders_are_not_followed(tmp_path):
    root = fill(tmp_path / "data", {"a/1.txt": "one", "b/1.txt": "two"})
    (root / "a" / "loop").symlink_to(root, target_is_directory=True)
    assert len(list(open_table(root).rows())) == 2
