"""What runs in the worker process: decoding, and nothing else.

It imports the standard library and Pillow, never the rest of Metier, which the sandbox does not
show it.
"""
