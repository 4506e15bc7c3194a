"""Templates of Go's text/template language, as Ollama's Modelfiles use them."""

from metier.engines.prompting.golang.turns import GoTemplate

__all__ = ["GoTemplate"]
