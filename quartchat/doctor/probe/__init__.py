"""Measuring from the command line. `round_.run` does it all; the other files one kind each."""
