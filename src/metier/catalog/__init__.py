"""The catalogue: where entries come from, how they are kept, found and ranked.

It knows entries and evidence; it loads no weights, encodes no text itself and asks no network.
"""
