"""`python -m quartchat` is the same as `quartchat`."""

from quartchat.cli import main

main()
