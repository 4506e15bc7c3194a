"""Catalogues: what is known of specialists and models, and how it is searched."""
