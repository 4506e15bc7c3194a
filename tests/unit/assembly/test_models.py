"""Every installed thing by name, as doors ask for it."""

from __future__ import annotations

import pytest

from metier.assembly.models import by_cosine


def test_documents_stand_in_order_of_their_cosine() -> None:
    order = by_cosine([(1.0, 0.0), (0.0, 2.0), (3.0, 3.0), (0.0, 0.0), (5.0, 0.0)])
    assert [place for place, _ in order] == [3, 1, 0, 2]
    assert order[0][1] == pytest.approx(1.0)
