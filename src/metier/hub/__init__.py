"""Models elsewhere: what names them, what is in a repository, and how their bytes come here.

The Hugging Face hub is asked by its own client (``asking``); bytes are fetched by ours
(``fetching``). It puts files into a folder that it is given; it knows no store and no model.
"""

from metier.hub.asking import PUBLIC_ENDPOINT, ask_repository, stored_token
from metier.hub.choosing import Choice, choose, gguf_files
from metier.hub.fetching import Manner, fetched
from metier.hub.files import RemoteFile, Repository
from metier.hub.naming import Address, HubName, LocalFile, Source, parse_source
from metier.hub.requesting import Origin, Patience

__all__ = [
    "PUBLIC_ENDPOINT",
    "Address",
    "Choice",
    "HubName",
    "LocalFile",
    "Manner",
    "Origin",
    "Patience",
    "RemoteFile",
    "Repository",
    "Source",
    "ask_repository",
    "choose",
    "fetched",
    "gguf_files",
    "parse_source",
    "stored_token",
]
