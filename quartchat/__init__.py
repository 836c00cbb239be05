"""quartchat: web messaging that arrives, in order and exactly once."""

__version__ = "0.1.0"
