"""What runs inside the sandboxes of a Python judgement: one process for the answer, one for tests.

It is mounted there as the package ``inside`` and uses the standard library alone; it knows nothing
of Metier, and Metier never imports the sides that run, only starts them.
"""
