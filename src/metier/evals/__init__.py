"""Evals: sealed items, the answers of one system to them, and what the answers prove.

It knows items, outcomes and digests; it cannot see how a system was made, and a system is only
what ``messages.System`` says. That is what makes its numbers believable.

* ``items``: an eval: sealed items, a scorer's name, a fingerprint; read and write
* ``scoring``: scorers; the name carries every setting that changes a score
* ``running``: question a system, resume after a kill, byte-identical result
* ``results``: the outcomes of one system on one eval, one item a line
* ``summary``: scores of one result with intervals
* ``comparing``: two results to evidence with a verdict
* ``checking``: what an eval can show, before anybody runs it
* ``leaks``: overlap of an eval with training rows

Executed evals, whose answers are programs:

* ``tasks``, ``taskfiles``: a suite of tasks; read from a folder
* ``selftest``, ``likeness``, ``suitecheck``: references pass, mutants fail, what it can show
* ``executing``, ``placing``, ``journal``: put tasks to a base, judge by execution, resume exactly
* ``tables``, ``findings``, ``rescoring``: the shareable file, what it shows, judged again
"""
