"""Records of jobs: what is written down comes back; what is not ours does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.errors import InternalError
from metier.server.jobrecords import Job, Order, restored


def job() -> Job:
    order = Order(
        "make", "x", "metier make", lambda r, c: 1, Path("/tmp/x"), {"name": "x"}, {"data": "r.csv"}
    )
    made = Job("0123456789abcdef", order, 1)
    made.rungs["linear"] = {"name": "linear"}
    made.count = 7
    return made


def test_a_job_comes_back_from_its_record() -> None:
    again = restored(job().record(), 3)
    assert again is not None
    assert (again.record() | {"count": 0}) == (job().record() | {"count": 0, "asked": again.asked})
    assert again.count > 7, "numbers of events are never given twice"
    assert again.restored
    with pytest.raises(InternalError):
        again.order.work(lambda step: None, lambda: False)


@pytest.mark.parametrize("field", ["kind", "fields", "rungs", "count", "lane"])
def test_a_record_that_lacks_something_is_passed_over(field: str) -> None:
    record = job().record()
    del record[field]
    assert restored(record, 1) is None
    assert restored({**job().record(), "fields": 3, "rungs": [3]}, 1) is None
