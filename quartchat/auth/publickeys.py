"""Reads the public keys of a PEM or JWKS file, each with the one algorithm that it verifies.

RSA keys (2048 bits up) verify RS256, P-256 keys ES256, Ed25519 keys EdDSA. Other public
keys of a JWKS are left out; secret or private ones have no place there, and are refused.
Needs the package `cryptography`, of the extra `quartchat[issuer]`.
"""

from __future__ import annotations

import json
from pathlib import Path

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from quartchat.auth.issuer import Key
from quartchat.config import SettingsError

LONGEST_FILE = 2**20
MOST_KEYS = 64


def read_keys(path: Path) -> tuple[Key, ...]:
    """The keys of the file, one or more. Raises SettingsError with what to change."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _wrong(path, error.strerror or str(error)) from error
    if len(raw) > LONGEST_FILE:
        raise _wrong(path, "is too large to be a file of keys")
    return _pem(path, raw) if raw.lstrip().startswith(b"-----BEGIN ") else _jwks(path, raw)


def _pem(path: Path, raw: bytes) -> tuple[Key, ...]:
    if b"PRIVATE KEY-----" in raw:
        raise _wrong(path, "holds a private key; give the public one")
    try:
        material = load_pem_public_key(raw)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _wrong(path, "holds no public key in PEM form") from error
    algorithm = _algorithm(material)
    if algorithm is None:
        raise _wrong(path, "takes RSA (2048 bits up), P-256 or Ed25519 keys")
    return (Key(algorithm, material, None),)


def _jwks(path: Path, raw: bytes) -> tuple[Key, ...]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _wrong(path, "is neither PEM nor JSON") from error
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or len(entries) > MOST_KEYS:
        raise _wrong(path, f"is no JWKS (a list 'keys' of up to {MOST_KEYS})")
    keys = tuple(key for entry in entries if (key := _jwk(path, entry)) is not None)
    if not keys:
        raise _wrong(path, "has no key for RS256, ES256 or EdDSA")
    return keys


def _jwk(path: Path, entry: object) -> Key | None:
    """The key of one entry, or None where it is for something else."""
    if not isinstance(entry, dict):
        raise _wrong(path, "has an entry that is no key")
    if entry.get("kty") == "oct":
        raise _wrong(path, "holds a shared secret (kty oct), which is no public key")
    if "d" in entry:
        raise _wrong(path, "holds a private key; give the public ones only")
    try:
        material = jwt.PyJWK(entry).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    algorithm, kid = _algorithm(material), entry.get("kid")
    fits = entry.get("use", "sig") == "sig" and entry.get("alg", algorithm) == algorithm
    if algorithm is None or not fits:
        return None
    return Key(algorithm, material, kid if isinstance(kid, str) else None)


def _algorithm(material: object) -> str | None:
    """The algorithm by the key's own type, or None for a kind that is not taken."""
    if isinstance(material, rsa.RSAPublicKey):
        return "RS256" if material.key_size >= 2048 else None
    if isinstance(material, ec.EllipticCurvePublicKey):
        return "ES256" if isinstance(material.curve, ec.SECP256R1) else None
    return "EdDSA" if isinstance(material, ed25519.Ed25519PublicKey) else None


def _wrong(path: Path, why: str) -> SettingsError:
    return SettingsError(f"issuer_keys_file {path}: {why}")
