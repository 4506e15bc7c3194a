from __future__ import annotations

from metier.hub.files import RemoteFile, Repository, as_git_sha1, as_sha256


def test_a_key_is_the_digest_or_stands_for_the_address() -> None:
    url = "https://hub.example/m.gguf"
    assert RemoteFile("m.gguf", url, sha256="a" * 64).key == "a" * 64
    by_git = RemoteFile("m.gguf", url, git_sha1="b" * 40).key
    by_url = RemoteFile("m.gguf", url).key
    assert len({by_git, by_url, RemoteFile("m.gguf", url + "x").key}) == 3
    assert all(as_sha256(key) for key in (by_git, by_url))


def test_digests_are_parsed_at_the_edge() -> None:
    assert as_sha256("sha256:" + "a" * 64) == "a" * 64
    assert as_sha256("../" + "a" * 61) is None
    assert as_sha256(None) is None
    assert as_git_sha1("b" * 40) == "b" * 40
    assert as_git_sha1("b" * 41) is None


def test_a_repository_finds_its_files() -> None:
    file = RemoteFile("deep/m.gguf", "https://hub.example/m.gguf")
    found = Repository("maker/model", "c" * 40, (file,))
    assert found.file("deep/m.gguf") is file
    assert found.file("m.gguf") is None
    assert file.filename == "m.gguf"
