"""What stands between a reader and the server: measured, judged, and said in plain words.

`probe/` measures (the page's own script does the same in a browser), `judge` finds what breaks,
`findings` and `recipes` say it and what to set, `report` puts it together.
"""
