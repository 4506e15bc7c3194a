"""Behaviour: judging an answer by what it does, in a sandbox, with the verdict computed outside.

``Judge`` does it for Svelte, SvelteKit, React and plain modules; ``check_behaviour`` refuses steps
that are not in the step language of docs/formats/task.md.
"""

from metier.tools.behaviour.judging import Judge
from metier.tools.behaviour.placing import expected_paths, place
from metier.tools.behaviour.steps import check_behaviour

__all__ = ["Judge", "check_behaviour", "expected_paths", "place"]
