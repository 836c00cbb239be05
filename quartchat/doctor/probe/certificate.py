"""Who issued the server's certificate, as seen from here, and whether this machine trusts them."""

from __future__ import annotations

import ssl

import httpx

from quartchat.doctor.measured import Measured

NAMES = {bytes((85, 4, 3)): "CN", bytes((85, 4, 10)): "O"}
VERSION_TAG = 0xA0


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context()


def unverified() -> ssl.SSLContext:
    """For going on where the certificate is not trusted: probes carry nothing that is secret."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def like(context: ssl.SSLContext) -> ssl.SSLContext:
    """A new one that trusts as much."""
    return unverified() if context.verify_mode is ssl.CERT_NONE else trusting()


async def look(url: str, proxy: str | None, m: Measured) -> ssl.SSLContext:
    """The context to go on with; tells `m` what was found. An address that is not reached at all
    is the first probe's affair."""
    if not url.startswith("https:"):
        return trusting()
    for context in (trusting(), unverified()):
        try:
            async with (
                httpx.AsyncClient(proxy=proxy, verify=context, trust_env=False) as http,
                http.stream("GET", f"{url}/t/d/p", timeout=8) as response,
            ):
                peer = response.extensions["network_stream"].get_extra_info("ssl_object")
                m.issuer = issuer(peer.getpeercert(binary_form=True) or b"")[:120]
                m.trusted = context.verify_mode is not ssl.CERT_NONE
                return context
        except httpx.ConnectError as error:
            if "CERTIFICATE_VERIFY_FAILED" not in str(error):
                break
        except httpx.HTTPError:
            break
    return trusting()


def issuer(der: bytes) -> str:
    """`O, CN` of the issuer in a certificate in DER; "" for what is none."""
    try:
        [(_, certificate)] = _parts(der)
        fields = _parts(_parts(certificate)[0][1])
        version = fields[0][0] == VERSION_TAG
        named = _parts(fields[2 + version][1])
        pairs = [_parts(_parts(one)[0][1]) for _, one in named]
        found = {NAMES[key]: text.decode(errors="replace") for (_, key), (_, text) in _of(pairs)}
    except (IndexError, ValueError):
        return ""
    return ", ".join(found[name] for name in ("O", "CN") if name in found)


def _of(pairs: list[list[tuple[int, bytes]]]) -> list[tuple[tuple[int, bytes], tuple[int, bytes]]]:
    return [(pair[0], pair[1]) for pair in pairs if pair[0][1] in NAMES]


def _parts(der: bytes) -> list[tuple[int, bytes]]:
    """(tag, content) of the values that stand one after the other."""
    found, at = [], 0
    while at < len(der):
        tag, length = der[at], der[at + 1]
        at += 2
        if length & 0x80:
            digits = length & 0x7F
            length = int.from_bytes(der[at : at + digits], "big")
            at += digits
        found.append((tag, der[at : at + length]))
        at += length
    return found
