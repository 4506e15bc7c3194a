"""Labelled texts: reading them from files, recognising their columns, splitting them.

This package knows files of rows and nothing of models. ``reading`` cuts rows out of files,
``recognising`` makes examples of them, ``splitting`` says which of them train, ``sources`` and
``converters`` bring the data that a recipe names.
"""
