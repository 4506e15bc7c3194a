"""Templates of Go's text/template language, as Ollama's Modelfiles use them."""

from metier.engines.prompting.golang.turns import GoTemplate, collated

__all__ = ["GoTemplate", "collated"]
