"""The HTTP server: API and website in one process.

It knows HTTP, and nothing of models or HTML: the façade (``Facade``) answers, the website
(``Pages``) draws; both are passed in by whoever starts the server.
"""

from metier.server.app import create_app
from metier.server.facade import Facade, Pages
from metier.server.run import DEFAULT_PORT, bind, serve

__all__ = ["DEFAULT_PORT", "Facade", "Pages", "bind", "create_app", "serve"]
