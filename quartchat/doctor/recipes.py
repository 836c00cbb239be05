"""What to write into the settings of the proxy in front of quartchat, line by line.

kind of advice -> program -> where in its settings -> lines. The tests start the real programs with
all of them; those against refused upgrades, buffering, delays, cuts and changed hosts they also
try for whether they mend it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Lines = tuple[str, ...]
Places = Mapping[str, Lines]

NGINX_HTTP, NGINX = "# in http { … }", "# in the location { … } that passes to quartchat"
HAPROXY_GLOBAL, HAPROXY = "# in global", "# in defaults, or in both frontend and backend"
APACHE, CADDY = "# in the virtual host", "# in the site { … }"
QUARTCHAT = "# in quartchat's own settings"

_FORWARD = 'ProxyPass "/" "http://127.0.0.1:8000/" upgrade=websocket flushpackets=on timeout=75'
_REVERSE = ("reverse_proxy 127.0.0.1:8000 {", "\tflush_interval -1", "}")

RECIPES: dict[str, dict[str, Places]] = {
    "upgrade": {
        "nginx": {
            NGINX_HTTP: ("map $http_upgrade $connection_upgrade { default upgrade; '' ''; }",),
            NGINX: (
                "proxy_http_version 1.1;",
                "proxy_set_header Host $http_host;",
                "proxy_set_header Upgrade $http_upgrade;",
                "proxy_set_header Connection $connection_upgrade;",
            ),
        },
        "HAProxy": {
            HAPROXY: (
                "# no `http-request del-header Upgrade`, no `deny` of it",
                "timeout tunnel 1h",
            )
        },
        "Apache": {
            "# once": ("a2enmod proxy_http proxy_wstunnel",),
            APACHE: ("ProxyPreserveHost On", _FORWARD),
        },
        "Caddy": {CADDY: _REVERSE},
    },
    "buffering": {
        "nginx": {NGINX: ("proxy_buffering off;", "proxy_http_version 1.1;")},
        "HAProxy": {
            HAPROXY: (
                "# no `compression`, no `http-response wait-for-body`",
                "option http-no-delay",
            )
        },
        "Apache": {APACHE: (_FORWARD, "SetEnv no-gzip 1")},
        "Caddy": {CADDY: _REVERSE},
    },
    "delay": {
        "nginx": {NGINX: ("tcp_nodelay on;", "proxy_buffering off;")},
        "HAProxy": {HAPROXY: ("option http-no-delay",)},
        "Apache": {APACHE: (_FORWARD,)},
        "Caddy": {CADDY: _REVERSE},
    },
    "timeouts": {
        "nginx": {
            NGINX: ("proxy_read_timeout 75s;", "proxy_send_timeout 75s;", "send_timeout 75s;")
        },
        "HAProxy": {HAPROXY: ("timeout client 75s", "timeout server 75s", "timeout tunnel 1h")},
        "Apache": {APACHE: (_FORWARD,)},
        "Caddy": {
            "# in the global options { … }": (
                "servers {",
                "\ttimeouts {",
                "\t\twrite 0",
                "\t\tidle 75s",
                "\t}",
                "}",
            )
        },
    },
    "host": {
        "nginx": {NGINX: ("proxy_set_header Host $http_host;",)},
        "HAProxy": {HAPROXY: ("# no `http-request set-header Host`",)},
        "Apache": {APACHE: ("ProxyPreserveHost On",)},
        "Caddy": {CADDY: ("# no `header_up Host …`", *_REVERSE)},
    },
    "trust": {
        "quartchat": {QUARTCHAT: ('trusted_proxies = ["127.0.0.1"]  # the address of the proxy',)},
        "nginx": {
            NGINX: (
                "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
                "proxy_set_header X-Forwarded-Proto $scheme;",
            )
        },
        "HAProxy": {
            HAPROXY: (
                "option forwardfor",
                "http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]",
            )
        },
        "Apache": {APACHE: ('RequestHeader set X-Forwarded-Proto "expr=%{REQUEST_SCHEME}"',)},
        "Caddy": {CADDY: _REVERSE},
    },
    "headers": {
        "nginx": {
            NGINX: (
                "proxy_pass_request_headers on;",
                '# no `proxy_set_header Cookie "";` and the like',
            )
        },
        "HAProxy": {HAPROXY: ("# no `http-request del-header` of the names above",)},
        "Apache": {APACHE: ("# no `RequestHeader unset` of the names above",)},
        "Caddy": {CADDY: ("# no `header_up -NAME` of the names above", *_REVERSE)},
    },
    "caching": {
        "nginx": {NGINX: ("proxy_cache off;",)},
        "HAProxy": {HAPROXY: ("# no `http-request cache-use`",)},
        "Apache": {APACHE: ('CacheDisable "/"',)},
        "Caddy": {CADDY: ("# no `cache`", *_REVERSE)},
    },
    "rewriting": {
        "nginx": {NGINX: ("gzip off;", "# no `sub_filter`")},
        "HAProxy": {HAPROXY: ("# no `compression`",)},
        "Apache": {APACHE: ("SetEnv no-gzip 1",)},
        "Caddy": {
            CADDY: (
                "@rest not path /t/* /events /stream /poll",
                "encode @rest gzip",
                *_REVERSE,
            )
        },
    },
    "sizes": {
        "nginx": {
            NGINX_HTTP: ("large_client_header_buffers 4 16k;",),
            NGINX: ("client_max_body_size 40m;",),
        },
        "HAProxy": {HAPROXY_GLOBAL: ("tune.bufsize 32768",)},
        "Apache": {
            APACHE: (
                "LimitRequestBody 41943040",
                "LimitRequestLine 16384",
                "LimitRequestFieldSize 16384",
            )
        },
        "Caddy": {CADDY: ("request_body {", "\tmax_size 40MB", "}", *_REVERSE)},
    },
    "limits": {
        "nginx": {NGINX: ("# a `limit_conn` of 20 or more, or none",)},
        "HAProxy": {HAPROXY: ("# no `maxconn` below what a browser opens: 20 for each reader",)},
        "Apache": {APACHE: ("# no limit of connections below 20 for each reader",)},
        "Caddy": {CADDY: _REVERSE},
    },
    "repeats": {
        "nginx": {NGINX: ("proxy_next_upstream off;",)},
        "HAProxy": {HAPROXY: ("retry-on none", "timeout server 75s")},
        "Apache": {APACHE: (_FORWARD,)},
        "Caddy": {CADDY: ("# no `lb_retries`, no `lb_try_duration`", *_REVERSE)},
    },
    "tls": {
        "nginx": {
            "# in the server { … }": (
                "listen 443 ssl;",
                "ssl_certificate /etc/ssl/chat.crt;",
                "ssl_certificate_key /etc/ssl/chat.key;",
            )
        },
        "HAProxy": {"# in the frontend": ("bind :443 ssl crt /etc/ssl/chat.pem",)},
        "Apache": {
            APACHE: (
                "SSLEngine on",
                "SSLCertificateFile /etc/ssl/chat.crt",
                "SSLCertificateKeyFile /etc/ssl/chat.key",
            )
        },
        "Caddy": {
            "# the whole Caddyfile; the certificate comes by itself": (
                "chat.example.org {",
                "\treverse_proxy 127.0.0.1:8000",
                "}",
            )
        },
    },
}
ORDER = ("quartchat", "nginx", "HAProxy", "Apache", "Caddy")


def places(kinds: Iterable[str], program: str) -> dict[str, list[str]]:
    """Where in the program's settings which lines are to stand, for these kinds of advice
    together, each once."""
    found: dict[str, list[str]] = {}
    for kind in kinds:
        for place, lines in RECIPES[kind].get(program, {}).items():
            there = found.setdefault(place, [])
            there += [block for block in _blocks(lines) if block not in there]
    return found


def _blocks(lines: Lines) -> list[str]:
    """Lines, those inside of braces together with what opens and closes them."""
    blocks: list[str] = []
    for line in lines:
        inside = line.startswith(("\t", "}"))
        if inside and blocks:
            blocks[-1] += f"\n{line}"
        else:
            blocks.append(line)
    return blocks


def written(kinds: Iterable[str], program: str) -> str:
    """The same as text to be copied; "" where there is nothing to set."""
    kinds = list(kinds)
    parts = [f"{place}\n" + "\n".join(lines) for place, lines in places(kinds, program).items()]
    return "\n\n".join(parts)
