"""Varnish and Traffic Server before the site: programs that were made to keep answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from proxies.case import Door, Table
from proxies.place import Place

TABLE = Table()
VCL = """
vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{up}"; {backend} }}
{vcl}
"""
PIPE = """sub vcl_recv { if (req.http.Upgrade ~ "(?i)websocket") { return (pipe); } }
sub vcl_pipe { if (req.http.upgrade) { set bereq.http.upgrade = req.http.upgrade;
  set bereq.http.connection = req.http.connection; } }
"""
CACHE_ALL = """sub vcl_recv { if (req.method == "GET" && req.url ~ "^/t/") { return (hash); } }
sub vcl_backend_response { if (bereq.url ~ "^/t/") {
  unset beresp.http.Set-Cookie; unset beresp.http.Cache-Control; set beresp.ttl = 30s;
  set beresp.uncacheable = false; return (deliver); } }
"""
WHOLE = "sub vcl_backend_response { set beresp.do_stream = false; }"
HASTY = ".first_byte_timeout = 5s; .between_bytes_timeout = 5s;"


def varnish(vcl: str = "", backend: str = "") -> Callable[[Place], Awaitable[Door]]:
    async def start(place: Place) -> Door:
        port = place.port()
        file = place.write("site.vcl", VCL.format(up=place.up, backend=backend, vcl=vcl))
        listen = ("-a", f"127.0.0.1:{port}", "-n", place.make_folder("work"))
        memory = ("-s", "malloc,16m", "-p", "workspace_backend=64k", "-p", "thread_pool_min=20")
        await place.run("varnish", "-F", "-j", "none", "-f", file, *listen, *memory, port=port)
        return Door(f"http://127.0.0.1:{port}")

    return start


SETTINGS = """
CONFIG proxy.config.http.server_ports STRING {port}:ip-in=127.0.0.1
CONFIG proxy.config.url_remap.remap_required INT {remap}
CONFIG proxy.config.url_remap.pristine_host_hdr INT 1
CONFIG proxy.config.reverse_proxy.enabled INT {remap}
CONFIG proxy.config.admin.user_id STRING #-1
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT 1
CONFIG proxy.config.cache.ram_cache.size INT 1048576
CONFIG proxy.config.dns.nameservers STRING 127.0.0.1
CONFIG proxy.config.hostdb.host_file.path STRING /etc/hosts
{settings}
"""
LAYOUT = """prefix: {f}
exec_prefix: /usr
bindir: /usr/bin
sbindir: /usr/sbin
sysconfdir: {f}/etc
datadir: {f}/cache
includedir: /usr/include
libdir: /usr/lib/x86_64-linux-gnu
libexecdir: /usr/lib/x86_64-linux-gnu/trafficserver/modules
localstatedir: {f}/run
runtimedir: {f}/run
logdir: {f}/log
cachedir: {f}/cache
"""


def traffic_server(*settings: str, forward: bool = False) -> Callable[[Place], Awaitable[Door]]:
    async def start(place: Place) -> Door:
        port = place.port()
        for name in ("etc", "cache", "run", "log"):
            place.make_folder(name)
        lines = "\n".join(f"CONFIG proxy.config.{line}" for line in settings)
        remap = 0 if forward else 1
        place.write("etc/records.config", SETTINGS.format(port=port, remap=remap, settings=lines))
        place.write("etc/storage.config", f"{place.folder}/cache 16M\n")
        place.write("etc/remap.config", "" if forward else REMAP.format(port=port, up=place.up))
        place.write("etc/ip_allow.yaml", ALLOW)
        layout = place.write("runroot.yaml", LAYOUT.format(f=place.folder))
        await place.run("trafficserver", f"--run-root={layout}", port=port)
        if forward:
            return Door(f"http://127.0.0.1:{place.up}", proxy=f"http://127.0.0.1:{port}")
        return Door(f"http://127.0.0.1:{port}")

    return start


ALLOW = "ip_allow:\n  - apply: in\n    ip_addrs: 127.0.0.1\n    action: allow\n    methods: ALL\n"
REMAP = """map http://127.0.0.1:{port}/ http://127.0.0.1:{up}/
map ws://127.0.0.1:{port}/ ws://127.0.0.1:{up}/
"""


def add(name: str, start: Callable[[Place], Awaitable[Door]], **more: object) -> None:
    need = "varnish" if name.startswith("Varnish") else "trafficserver"
    TABLE.add(name, start, needs=(need,), **more)


add("Varnish, built-in rules", varnish())
add("Varnish, WebSocket piped", varnish(PIPE))
add("Varnish, caching all GETs", varnish(PIPE + CACHE_ALL), own=True)
add("Varnish, do_stream=false, 5 s", varnish(WHOLE, HASTY), firefox=True)
add("Varnish, do_stream=false", varnish(WHOLE))
add("Traffic Server", traffic_server())
add("Traffic Server, all ends at 10 s", traffic_server("http.transaction_active_timeout_in INT 10"))
add(
    "Traffic Server, 3 s of silence",
    traffic_server(
        "http.transaction_no_activity_timeout_in INT 3",
        "http.transaction_no_activity_timeout_out INT 3",
    ),
)
add("Traffic Server as the browser's proxy", traffic_server(forward=True))
