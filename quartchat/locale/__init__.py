"""The languages of the interface: which there are, which one is spoken now, and their texts.

`ru.po` and the like hold the translations; `.mo` (texts) and `.json` (those that scripts use)
are made of them by `python tests/support/catalogues.py`.
"""
