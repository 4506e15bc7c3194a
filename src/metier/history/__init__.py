"""What general models did by date, and the day on which one of them passed a specialist.

It knows points in time and records of others; it asks no model and opens no ledger. Statistics are
loaded only where something pairs, so that a page need not wait for them.

* ``elsewhere``: answers that others recorded, taken in by digest
* ``timelines``: the best so far, the spread by month, the day of overtaking
* ``telling``: what that is in plain sentences
"""
