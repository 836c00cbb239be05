"""squid, which browsers are set to use, also with ssl-bump and with an ICAP server behind it."""

from __future__ import annotations

import os
import subprocess
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from pathlib import Path

from proxies.case import Door, Table
from proxies.place import Place
from proxies.programs import find

TABLE = Table()
Start = Callable[[Place], Awaitable[Door]]
CONFIG = """
{listen}
visible_hostname squid.test
pid_filename {folder}/squid.pid
cache_log {folder}/cache.log
access_log none
cache_store_log none
netdb_filename none
coredump_dir {folder}
cache_mem 4 MB
memory_pools off
shutdown_lifetime 0 seconds
hosts_file /etc/hosts
{user}
acl CONNECT method CONNECT
acl POST method POST
acl ours urlpath_regex ^/(t|api)/
acl ssl port 443
{more}
{connect}
http_access allow all
"""
SHARED = "/usr/share/squid"  # of the package squid-common
SHUT = "http_access deny CONNECT !ssl"


def squid(*more: str, connect: str = SHUT, tls: bool = False, later: tuple[str, ...] = ()) -> Start:
    """`later`: lines with which it is started anew when both pages are there."""

    async def start(place: Place) -> Door:
        port = place.port()

        async def run(lines: tuple[str, ...]) -> None:
            text = CONFIG.format(
                listen=f"http_port 127.0.0.1:{port}",
                folder=place.folder,
                user="cache_effective_user proxy" if os.geteuid() == 0 else "",
                more="\n".join(lines).replace("<folder>", str(place.folder)),
                connect=connect,
            )
            config = place.write("squid.conf", text)
            name = f"qc{port}n{len(running)}"  # its memory, which outlives one that is killed
            command = ("-N", "-n", name, "-f", config)
            running.append(await place.run("squid", *command, port=port))

        async def begin() -> None:
            running[-1].kill()
            await running[-1].wait()
            await run((*more, *later))

        running: list[Process] = []
        await run(more)
        url = f"https://127.0.0.1:{place.tls}" if tls else f"http://127.0.0.1:{place.up}"
        return Door(url, proxy=f"http://127.0.0.1:{port}", begin=begin if later else None)

    return start


async def with_login(place: Place) -> Door:
    secret = subprocess.run(
        [find("openssl"), "passwd", "-apr1", "open"], capture_output=True, text=True, check=True
    )
    place.write("people", f"ada:{secret.stdout}").chmod(0o644)
    helper = next(Path("/usr/lib/squid").glob("basic_ncsa_auth"))
    door = await squid(
        f"auth_param basic program {helper} <folder>/people",
        "auth_param basic children 2",
        "acl known proxy_auth REQUIRED",
        "http_access deny !known",
        connect="",
    )(place)
    door.login = ("ada", "open")
    return door


async def ssl_bump(place: Place) -> Door:
    """The browser's TLS ends at the proxy, which reads all."""
    port, program = place.port(), find("squid-openssl")
    libraries = Path(program).parents[1] / "lib/squid"
    database = place.folder / "certificates"
    subprocess.run(
        [libraries / "security_file_certgen", "-c", "-s", database, "-M", "4MB"],
        check=True,
        capture_output=True,
    )
    for path in (database, *database.rglob("*")):
        path.chmod(0o777)
    config = CONFIG.format(
        listen=f"http_port 127.0.0.1:{port} ssl-bump tls-cert={place.certificate} "
        "generate-host-certificates=on dynamic_cert_mem_cache_size=4MB",
        folder=place.folder,
        user="cache_effective_user proxy" if os.geteuid() == 0 else "",
        more=f"""sslcrtd_program {libraries}/security_file_certgen -s {database} -M 4MB
sslcrtd_children 2
mime_table {SHARED}/mime.conf
icon_directory {SHARED}/icons
error_directory {SHARED}/errors/templates
unlinkd_program {libraries}/unlinkd
pinger_enable off
ssl_bump bump all
sslproxy_cert_error allow all
tls_outgoing_options flags=DONT_VERIFY_PEER""",
        connect="",
    )
    command = ("-N", "-n", f"qc{port}", "-f", place.write("squid.conf", config))
    await place.run(program, *command, port=port)
    return Door(f"https://127.0.0.1:{place.tls}", proxy=f"http://127.0.0.1:{port}")


ICAP = """
PidFile {folder}/c-icap.pid
CommandsSocket {folder}/c-icap.ctl
Port 127.0.0.1:{port}
StartServers 1
MaxServers 2
MinSpareThreads 10
MaxSpareThreads 20
ThreadsPerChild 40
ServerLog {folder}/c-icap.log
AccessLog {folder}/access.log
TmpDir {folder}
ModulesDir {modules}
ServicesDir {modules}
TemplateDir /usr/share/c_icap/templates/
LoadMagicFile /etc/c-icap/c-icap.magic
Service echo srv_echo.so
"""


async def icap(place: Place) -> Door:
    """A virus scanner's place in the way: it looks at the first 1,024 bytes of each answer."""
    port = place.port()
    modules = next(Path("/usr/lib").glob("*/c_icap"))
    config = place.write(
        "c-icap.conf", ICAP.format(folder=place.folder, port=port, modules=modules)
    )
    await place.run("c-icap", "-N", "-f", config, port=port)
    return await squid(
        "icap_enable on",
        "icap_preview_enable on",
        "icap_preview_size 1024",
        f"icap_service scan respmod_precache icap://127.0.0.1:{port}/echo",
        "adaptation_access scan allow all",
    )(place)


def add(name: str, start: Start, *needs: str, **more: object) -> None:
    TABLE.add(f"squid, {name}", start, needs=needs or ("squid",), **more)


# A browser keeps what it opened, and squid counts it: else one slip would cost two minutes.
SHORT = ("client_idle_pconn_timeout 8 seconds",)
WORDS = "acl words url_regex -i chat ws socket sse stream event poll live push comet notif"
add("as in Debian", squid(), note="CONNECT to port 443 only")
add("CONNECT to any port", squid(connect=""))
add("TLS through CONNECT", squid(connect="", tls=True), firefox=True)
add("HTTP/2 through CONNECT", squid(connect="", tls=True), h2=True)
add("a login asked for", with_login, "squid", "openssl")
add("ssl-bump", ssl_bump, "squid", "squid-openssl")
add("bodies of 8 KB at most", squid("reply_body_max_size 8 KB ours"))
add(
    "one connection per client",
    squid(later=(*SHORT, "acl many maxconn 1", "http_access deny many")),
    own=True,
    stall=40,
    settle=60,
    ci=True,
    note="what the browser has open when it begins is counted for as long as it is",
)
add(
    "two connections per client",
    squid(later=("acl many maxconn 2", "http_access deny many")),
    own=True,
    stall=20,
    settle=60,
)
add("words in addresses denied", squid(later=(WORDS, "http_access deny words")), ci=True)
SLOW = ("delay_class 1 1", "delay_access 1 allow ours", "delay_parameters 1 300/300")
add(
    "300 bytes per second",
    squid("delay_pools 1", *SLOW),
    own=True,
    calm=True,
    stall=40,
    settle=60,
)
add("an ICAP server's preview", icap, "squid", "c-icap")
add(
    "refusing JSON",
    squid("acl json req_header Content-Type -i application/json", "http_access deny POST json"),
)
add("all ends at 10 s", squid("client_lifetime 10 seconds", connect=""))
add("3 s of silence", squid("read_timeout 3 seconds", "request_timeout 3 seconds", connect=""))
ASKED = ("Authorization", "Last-Event-ID", "Cache-Control", "Pragma", "Accept", "Origin")
SAID = ("Cache-Control", "Content-Encoding", "X-Accel-Buffering")
add("stripping headers", squid(*(f"request_header_access {name} deny all" for name in ASKED)))
add("stripping answers' headers", squid(*(f"reply_header_access {name} deny all" for name in SAID)))
NO_KEEPING = ("client_persistent_connections off", "server_persistent_connections off")
add("no keep-alive", squid(*NO_KEEPING, "forwarded_for delete"))
