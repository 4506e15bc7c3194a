"""Metier: small specialist models, proved against the general model."""

__version__ = "0.1.0"
