"""The website: server-rendered pages, drawn evidence, one style sheet, two small scripts.

It knows cards, words and templates, and neither HTTP nor models: the server fetches, the site
draws. Every page reads without scripts and asks nothing of another origin.
"""

from metier.site.pages import Site

__all__ = ["Site"]
