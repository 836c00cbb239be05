"""Whether anybody answers, and how far the way can be relied upon."""

from __future__ import annotations

from quartchat.doctor.verdict import Kind, Weight
from quartchat.locale.texts import later

STOPS, HINDERS, NOTE = Weight.STOPS, Weight.HINDERS, Weight.NOTE
NETWORK = later("If the proxy belongs to your network, https (TLS) makes it harmless.")

REACH: dict[str, Kind] = {
    "unreachable": Kind(
        STOPS,
        later("Nothing answers at this address."),
        later("No connection came about: the name is unknown, or nobody listens there."),
        later("Check the address and the port, and whether other sites open."),
    ),
    "silent": Kind(
        STOPS,
        later("There is a connection, but no answer."),
        later("A firewall swallows what is sent, or the server is stuck."),
        later("Try again in a minute; then ask whoever runs the server whether it is up."),
    ),
    "ping_cut": Kind(
        STOPS,
        later("The connection breaks before the answer is there."),
        later("A firewall or a proxy ends it, or the port speaks another protocol."),
        later("Check whether the address begins with http:// or https:// as it should."),
    ),
    "refused": Kind(
        STOPS,
        later("Something on the way refuses the request{status}."),
        later("The answer is not the server's: a proxy or a filter has written it."),
        later("Ask whoever runs your network to let this address through."),
    ),
    "captive": Kind(
        STOPS,
        later("Another page answers in the server's place."),
        later(
            "So do networks in which one has to log in first, and proxies with a page of theirs."
        ),
        later("Open any site in a browser, log in to the network there, and try again."),
    ),
    "proxy_login": Kind(
        STOPS,
        later("A proxy on the way wants a name and a password{status}."),
        later("Nothing gets past it without."),
        later("Give them with the proxy's address, as in --proxy http://NAME:PASSWORD@HOST:PORT."),
    ),
    "gateway": Kind(
        STOPS,
        later("A proxy answers that it does not reach the server{status}."),
        later("The server is down, or the proxy in front of it looks for it in another place."),
        later("Ask whoever runs the server; for them: is it up, on the port that the proxy names?"),
    ),
    "not_quartchat": Kind(
        STOPS,
        later("Somebody answers here, but not a quartchat that can be examined."),
        later("It is another program, an older version, or only a part of the site is quartchat."),
        later("Check the address; what comes after the host counts too."),
    ),
    "busy": Kind(
        NOTE,
        later("The server allowed no more probes for now, so that some things were not tried."),
        later("Each address may ask for so much in a minute, to keep the server free for chats."),
        later("Wait a minute, then start again."),
    ),
    "untrusted": Kind(
        HINDERS,
        later("The certificate is not one that this machine trusts; its issuer is {issuer}."),
        later("Either it is self-made, or something on the way opens and reads encrypted traffic."),
        later("Do not log in before you know which: ask whoever runs the server or your network."),
    ),
    "only_posts": Kind(
        HINDERS,
        later("Something on the way refuses requests by GET{status}; those by POST get through."),
        later("quartchat then reads and writes by POST alone, one request after the other."),
        NETWORK,
    ),
    "unsteady": Kind(
        HINDERS,
        later("{n} of {all} small requests failed."),
        later("The way is not reliable; what is below may be chance. quartchat tries again."),
    ),
    "throttled": Kind(
        HINDERS,
        later("Requests in quick succession are denied on the way{status}."),
        later("A proxy allows so many in a second; a WebSocket or a stream needs few."),
        "",
        "limits",
    ),
    "slow": Kind(
        NOTE,
        later("A round trip takes {ms} ms."),
        later("Everything works later, and the first connection takes several of them."),
    ),
    "plain_http": Kind(
        NOTE,
        later(
            "The address begins with http://: whatever stands in between can read and change it."
        ),
        later("Proxies of networks pass encrypted traffic on untouched, so https mends most."),
        later("Use an https:// address if the server has one."),
        "tls",
    ),
}
