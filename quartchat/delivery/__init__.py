"""From the log to whoever listens: scopes, the feed, sessions, and the one subscriber loop."""
