"""What breaks the transports: WebSockets, streams, and answers that take their time."""

from __future__ import annotations

from quartchat.doctor.findings_reach import NETWORK
from quartchat.doctor.verdict import Kind, Weight
from quartchat.locale.texts import later

HINDERS, NOTE = Weight.HINDERS, Weight.NOTE
PADDED = later("quartchat begins its streams with 2 KB of padding where nothing comes through.")
POLLS = later("quartchat goes another way by itself, if there is one.")

SOCKETS: dict[str, Kind] = {
    "upgrade_refused": Kind(
        HINDERS,
        later("WebSockets are refused{status}."),
        later("A proxy does not pass the headers Upgrade and Connection on, or forbids them."),
        POLLS,
        "upgrade",
    ),
    "connect_denied": Kind(
        HINDERS,
        later("The proxy of your network denies a tunnel to this port{status}."),
        later("WebSockets and https go by CONNECT, and many proxies allow it to port 443 alone."),
        later("It works when the server is to be had by https on port 443."),
        "tls",
    ),
    "upgrade_hangs": Kind(
        HINDERS,
        later("The handshake of a WebSocket is never answered."),
        later("Something swallows it. Browsers would wait for long."),
        POLLS,
        "upgrade",
    ),
    "frames_swallowed": Kind(
        HINDERS,
        later("WebSockets open, but what is sent on them does not arrive."),
        later("A proxy or a virus scanner accepts the upgrade and drops the frames."),
        POLLS,
        "upgrade",
    ),
    "socket_cut": Kind(
        HINDERS,
        later("WebSockets open and are closed at once."),
        later("A proxy accepts the upgrade without understanding what follows."),
        POLLS,
        "upgrade",
    ),
    "frames_changed": Kind(
        HINDERS,
        later("What is sent on a WebSocket comes back altered, twice or in another order."),
        later("A proxy meddles with the frames. quartchat notices it and goes another way."),
        NETWORK,
        "upgrade",
    ),
    "socket_life": Kind(
        HINDERS,
        later("A WebSocket ends after {seconds} s, though something is said on it."),
        later("Something limits how long a connection may last. It is opened anew each time."),
        "",
        "timeouts",
    ),
    "socket_forgotten": Kind(
        HINDERS,
        later("A WebSocket on which nobody speaks is dead within {seconds} s, without a word."),
        later("A firewall forgets quiet connections. Heartbeats in between keep them."),
        "",
        "timeouts",
    ),
    "socket_idle": Kind(
        HINDERS,
        later("A WebSocket on which nobody speaks is cut after {seconds} s."),
        later("A proxy ends quiet connections. Heartbeats in between keep them."),
        "",
        "timeouts",
    ),
}

STREAMS: dict[str, Kind] = {
    "held_whole": Kind(
        HINDERS,
        later("Answers are held back until they have ended: {kinds}."),
        later("A proxy collects them before it passes them on, so no event comes through."),
        POLLS,
        "buffering",
    ),
    "held_bytes": Kind(
        HINDERS,
        later("About {bytes} bytes are collected before anything is passed on: {kinds}."),
        later("A proxy or a scanner waits for so much; short events stay in it."),
        PADDED,
        "buffering",
    ),
    "held_much": Kind(
        HINDERS,
        later("About {bytes} bytes are collected before anything is passed on: {kinds}."),
        later("A proxy fills its buffer first, so that events come late or never."),
        POLLS,
        "buffering",
    ),
    "stream_silent": Kind(
        HINDERS,
        later("Streamed answers never begin: {kinds}."),
        later("Something waits for their end, or does not let them through."),
        POLLS,
        "buffering",
    ),
    "stream_refused": Kind(
        HINDERS,
        later("Streamed answers are refused or broken off: {kinds}."),
        later("A proxy or a filter does not take this type of content."),
        POLLS,
        "buffering",
    ),
    "late": Kind(
        HINDERS,
        later("Each event comes {ms} ms later than it should: {kinds}."),
        later("Small pieces wait for the receipt of the piece before (Nagle's algorithm)."),
        "",
        "delay",
    ),
    "compressed": Kind(
        NOTE,
        later("Streams are compressed on the way ({encoding}): {kinds}."),
        later("A compressor tends to hold events back, and costs memory for each connection."),
        "",
        "rewriting",
    ),
    "changed": Kind(
        HINDERS,
        later("What is sent is altered on the way: {kinds}."),
        later("A filter rewrites it: advertising, a virus scanner, a translation."),
        NETWORK,
        "rewriting",
    ),
    "stream_life": Kind(
        HINDERS,
        later("A streamed answer ends after {seconds} s, though something is said on it."),
        later("Something limits how long an answer may last. It is opened anew each time."),
        "",
        "timeouts",
    ),
    "stream_forgotten": Kind(
        HINDERS,
        later(
            "A streamed answer in which nothing comes is dead within {seconds} s, without a word."
        ),
        later("A firewall forgets quiet connections. Heartbeats in between keep them."),
        "",
        "timeouts",
    ),
    "stream_idle": Kind(
        HINDERS,
        later("A streamed answer in which nothing comes is cut after {seconds} s."),
        later("A proxy gives up on quiet answers. Heartbeats in between keep them."),
        "",
        "timeouts",
    ),
    "hold_forgotten": Kind(
        HINDERS,
        later("A request that waits {seconds} s for its answer never gets it."),
        later("A firewall forgets quiet connections. Long polls must be shorter."),
        "",
        "timeouts",
    ),
    "hold_cut": Kind(
        HINDERS,
        later("A request that waits for its answer is given up after {seconds} s{status}."),
        later("Long polls must be shorter than that, so there are more of them."),
        "",
        "timeouts",
    ),
}

# Cut so late that the heartbeats are there before.
LATE: dict[str, Kind] = {
    f"{name}_late": Kind(NOTE, kind.says, later("Heartbeats come sooner, so it harms nothing."))
    for name, kind in (SOCKETS | STREAMS).items()
    if name.endswith(("_idle", "hold_cut"))
}
