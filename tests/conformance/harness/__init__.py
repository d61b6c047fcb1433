"""What the end-to-end tests share: a server under test, a raw connection to it, and a vocabulary small enough to write here."""

from .fleet import Fleet
from .model import write_model
from .raw import Raw, Reply
from .server import Server, binary

__all__ = ["Fleet", "Raw", "Reply", "Server", "binary", "write_model"]
