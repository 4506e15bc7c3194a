"""Versions of documents by name, and which of them a pack could hold."""

from __future__ import annotations

from metier.assembly.versions import versions, versions_for
from metier.recipe import DocumentPart, SearchRecipe, SearchSpecialist


def test_versions_have_names() -> None:
    known = versions()
    assert {"kit@2", "kit@3", "svelte@4", "svelte@5"} <= set(known)
    assert all(part.version == name and part.files_sha256 for name, part in known.items())


def test_a_pack_is_offered_versions_of_what_it_documents() -> None:
    data = (versions()["kit@2"], DocumentPart(kind="dir", path="b", version="cli"))
    recipe = SearchRecipe(specialist=SearchSpecialist(name="two"), data=data)
    found = {one.key: one for one in versions_for("two", recipe)}
    assert set(found) == {"kit@2", "kit@3"}
    assert (found["kit@2"].held, found["kit@3"].held) == (True, False)
    assert found["kit@3"].to_dict() == {
        "key": "kit@3",
        "replaces": "kit@2",
        "held": False,
        "command": "metier hop two --docs kit@3",
    }
