"""What is done to requests on their way."""

from __future__ import annotations

from quartchat.doctor.findings_reach import NETWORK
from quartchat.doctor.verdict import Kind, Weight
from quartchat.locale.texts import later

HINDERS, NOTE = Weight.HINDERS, Weight.NOTE

REQUESTS: dict[str, Kind] = {
    "posts_refused": Kind(
        HINDERS,
        later("Nothing can be sent by POST{status}."),
        later("Without it, and without a WebSocket, one can read but not write."),
        NETWORK,
    ),
    "post_kinds": Kind(
        HINDERS,
        later("Not every kind of POST gets through; these do not: {kinds}."),
        later("A filter looks at the type of what is sent. quartchat sends another that passes."),
    ),
    "repeats": Kind(
        HINDERS,
        later("One POST arrived {n} times."),
        later("A proxy repeats what is not answered quickly. quartchat stores a message once."),
        "",
        "repeats",
    ),
    "host_changed": Kind(
        HINDERS,
        later("The server is asked for {seen} instead of {sent}: what pages send is refused."),
        later("A proxy changes the header Host, so that the site's own pages look like another's."),
        "",
        "host",
    ),
    "headers_lost": Kind(
        HINDERS,
        later("Headers are taken away on the way: {names}."),
        later("Without Cookie or Authorization one is not logged in; cursors go in the address."),
        NETWORK,
        "headers",
    ),
    "not_believed": Kind(
        NOTE,
        later("A proxy beside the server names the visitor's address, but is not believed."),
        later("Limits per address then count all visitors as one, and https is not known."),
        "",
        "trust",
    ),
    "cached_same": Kind(
        HINDERS,
        later("The same address asked twice gets the old answer, though it forbids to be kept."),
        later("A cache ignores Cache-Control: no-store. quartchat never asks for one twice."),
        "",
        "caching",
    ),
    "cached_always": Kind(
        HINDERS,
        later("Old answers come even where the query of the address is new."),
        later("A cache ignores the query, so that readers see what was, or what is others'."),
        NETWORK,
        "caching",
    ),
    "words": Kind(
        HINDERS,
        later("Addresses that hold these words are denied: {words}."),
        later(
            "A filter reads addresses. Those of quartchat's own pages and transports are neutral."
        ),
        NETWORK,
    ),
    "alone": Kind(
        HINDERS,
        later("A second connection beside the first is denied{status}."),
        later("One request at a time gets through; quartchat then sends and reads in turn."),
        "",
        "limits",
    ),
    "limit_up": Kind(
        HINDERS,
        later("Bodies of requests pass up to {low} bytes; {high} do not."),
        later("Long messages and pictures will be refused."),
        "",
        "sizes",
    ),
    "limit_down": Kind(
        HINDERS,
        later("Answers pass up to {low} bytes; {high} do not."),
        later("Streams are cut each time that they have brought so much."),
        NETWORK,
        "sizes",
    ),
    "limit_url": Kind(
        HINDERS,
        later("Addresses pass up to {low} bytes; {high} do not."),
        later("Searches and long cursors may fail."),
        "",
        "sizes",
    ),
    "limit_header": Kind(
        HINDERS,
        later("Headers pass up to {low} bytes; {high} do not."),
        later("Cookies of a login together with those of other programs may be too long."),
        "",
        "sizes",
    ),
}
