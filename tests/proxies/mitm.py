"""mitmproxy: what it does by default, and what its addons here do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from proxies.case import Door, Table
from proxies.place import Place

TABLE = Table()
ADDONS = Path(__file__).parent / "addons"
Start = Callable[[Place], Awaitable[Door]]


def mitm(
    *addons: str, tls: bool = False, reverse: bool = False, flags: str = "", **env: str
) -> Start:
    """Browsers are set to use it, or it stands before the site. `env`: for the addons."""

    async def start(place: Place) -> Door:
        port = place.port()
        args = ["-q", "--listen-host", "127.0.0.1", "-p", str(port), "--ssl-insecure"]
        args += ["--set", f"confdir={place.folder}"]
        if reverse:
            args += [
                "--mode",
                f"reverse:http://127.0.0.1:{place.up}",
                "--set",
                "keep_host_header=true",
            ]
        for name in addons:
            args += ["-s", str(ADDONS / f"{name}.py")]
        said = {f"QC_{name.upper()}": value for name, value in env.items()}
        await place.run("mitmproxy", *args, port=port, env=said)
        if reverse:
            return Door(f"http://127.0.0.1:{port}")
        url = f"https://127.0.0.1:{place.tls}" if tls else f"http://127.0.0.1:{place.up}"
        return Door(url, proxy=f"http://127.0.0.1:{port}")

    return start


def add(name: str, start: Start, **more: object) -> None:
    TABLE.add(f"mitmproxy, {name}", start, needs=("mitmproxy",), **more)


def frames(how: str, **more: str) -> Start:
    return mitm("streaming", "frames", frames=how, **more)  # type: ignore[arg-type]


add("as it comes", mitm(), firefox=True, note="reads bodies whole")
add("as it comes, TLS", mitm(tls=True))
add("as it comes, HTTP/2", mitm(tls=True), h2=True)
add("as it comes, before the site", mitm(reverse=True))
add("streaming", mitm("streaming"))
add("upgrade hangs", mitm("hang_upgrade", "streaming"), ci=True, firefox=True)
add("upgrade hangs, bodies whole", mitm("hang_upgrade"))
add("WebSocket open and silent", frames("silent"), ci=True, firefox=True)
add("WebSocket open and silent, bodies whole", mitm("frames", frames="silent"))
add("WebSocket dies late", frames("late"))
add("WebSocket, nothing gets to the site", frames("up"))
add("each third message dropped", frames("third"), ci=True)
add("each message twice", frames("twice"))
add("messages swapped", frames("swapped"))
add("messages cut in half", frames("cut"))
add("strange messages between", frames("garbage"))
add("WebSocket ends at its first message", frames("close"))
add("each POST twice", mitm("twice", "streaming"))
add("a portal for 10 s", mitm("portal", "streaming", seconds="10"), fresh=True, stall=25, settle=60)
add("a third is 502", mitm("errors", "streaming", share="0.34", status="502"), stall=20)
add(
    "a third is 503, upgrade hangs, bodies whole",
    mitm("errors", "hang_upgrade", share="0.34", status="503"),
    stall=20,
)
add(
    "half of the POSTs' answers lost",
    mitm("errors", share="0.5", status="504", when="after"),
    stall=20,
)
add("all is text/html", mitm("rewrite", rewrite="type"))
add("each fifth answer cut", mitm("rewrite", rewrite="truncated"))
add("a scanner's line in HTML", mitm("rewrite", rewrite="script"))
add("each tenth answer leads elsewhere", mitm("rewrite", rewrite="redirect"))
add("answers overtake each other", mitm("slow", seconds="1.5"), stall=20)
add("old polls again", mitm("stale"))
add("only POSTs to one address", mitm("only_serial"), ci=True)
