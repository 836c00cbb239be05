from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from quartchat.auth.issuer import issuer_from
from quartchat.auth.tokens import Identity, Tokens
from quartchat.config import Settings, SettingsError
from quartchat.errors import TokenExpired, Unauthenticated

OWN = b"k" * 32
NOW = 1_700_000_000.0
SECRET = "the issuer's secret, 32 bytes and more"
RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
PRIVATE: dict[str, Any] = {"RS256": RSA, "ES256": EC, "EdDSA": ED}


def pem(private: Any) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    encoded: bytes = private.public_key().public_bytes(serialization.Encoding.PEM, form)
    return encoded


def jwk(private: Any, **more: Any) -> dict[str, Any]:
    public = private.public_key()
    if isinstance(private, rsa.RSAPrivateKey):
        entry = RSAAlgorithm.to_jwk(public, as_dict=True)
    elif isinstance(private, ec.EllipticCurvePrivateKey):
        entry = ECAlgorithm.to_jwk(public, as_dict=True)
    else:
        entry = OKPAlgorithm.to_jwk(public, as_dict=True)
    return {name: value for name, value in entry.items() if name != "key_ops"} | more


def jwks(*entries: Any) -> bytes:
    return json.dumps({"keys": entries}).encode()


def sign(key: Any, alg: str, claims: dict[str, Any] | None = None, **header: Any) -> str:
    body = {"sub": "u1", "exp": NOW + 60} | (claims or {})
    return jwt.encode(body, key, algorithm=alg, headers=header)


def tokens(**settings: Any) -> Tokens:
    return Tokens(OWN, issuer=issuer_from(Settings(**settings)), clock=lambda: NOW)


def with_file(tmp_path: Path, content: bytes, **settings: Any) -> Tokens:
    path = tmp_path / "keys"
    path.write_bytes(content)
    return tokens(issuer_keys_file=str(path), **settings)


def test_without_settings_there_is_no_issuer() -> None:
    assert issuer_from(Settings()) is None


def test_a_token_by_the_shared_key_is_known_and_is_not_an_own_one() -> None:
    token = sign(SECRET, "HS256", {"name": "Ada", "sid": "no session here"})
    expected = Identity("u1", "Ada", NOW + 60, None, False)
    assert tokens(issuer_key=SECRET).verify(token) == expected


def test_own_tokens_stay_valid_beside_an_issuer() -> None:
    both = tokens(issuer_key=SECRET)
    assert both.verify(both.issue("u2", None, "s1", 60)).is_own


@pytest.mark.parametrize("algorithm", PRIVATE)
def test_a_token_by_a_pem_key_is_known(tmp_path: Path, algorithm: str) -> None:
    both = with_file(tmp_path, pem(PRIVATE[algorithm]))
    assert both.verify(sign(PRIVATE[algorithm], algorithm)).user_id == "u1"
    assert both.verify(sign(PRIVATE[algorithm], algorithm, kid="any")).user_id == "u1"


@pytest.mark.parametrize("algorithm", PRIVATE)
def test_a_token_by_a_key_of_a_jwks_is_known_by_its_kid(tmp_path: Path, algorithm: str) -> None:
    entries = [jwk(key, kid=name, use="sig", alg=name) for name, key in PRIVATE.items()]
    both = with_file(tmp_path, jwks(*entries))
    assert both.verify(sign(PRIVATE[algorithm], algorithm, kid=algorithm)).user_id == "u1"
    assert both.verify(sign(PRIVATE[algorithm], algorithm)).user_id == "u1"


def test_a_kid_that_the_jwks_lacks_is_refused(tmp_path: Path) -> None:
    both = with_file(tmp_path, jwks(jwk(RSA, kid="a")))
    with pytest.raises(Unauthenticated, match="kid"):
        both.verify(sign(RSA, "RS256", kid="b"))


def test_the_kid_chooses_the_key_and_no_other_is_tried(tmp_path: Path) -> None:
    both = with_file(tmp_path, jwks(jwk(RSA, kid="a"), jwk(OTHER_RSA, kid="b")))
    assert both.verify(sign(OTHER_RSA, "RS256", kid="b"))
    with pytest.raises(Unauthenticated, match="another key"):
        both.verify(sign(OTHER_RSA, "RS256", kid="a"))


def test_without_a_kid_every_key_of_the_algorithm_is_tried(tmp_path: Path) -> None:
    both = with_file(tmp_path, jwks(jwk(RSA, kid="a"), jwk(OTHER_RSA, kid="b")))
    assert both.verify(sign(RSA, "RS256"))
    assert both.verify(sign(OTHER_RSA, "RS256"))


@pytest.mark.parametrize("algorithm", PRIVATE)
def test_a_public_key_never_serves_as_a_shared_secret(tmp_path: Path, algorithm: str) -> None:
    public = pem(PRIVATE[algorithm])
    forged = jwt.api_jws.PyJWS()
    forged.unregister_algorithm("HS256")
    forged.register_algorithm("HS256", _BlindHmac())
    body = json.dumps({"sub": "u1", "exp": NOW + 60}).encode()
    token = forged.encode(body, public, algorithm="HS256")
    for issuer_key in ("", SECRET):
        with pytest.raises(Unauthenticated):
            with_file(tmp_path, public, issuer_key=issuer_key).verify(token)
        with pytest.raises(Unauthenticated):
            with_file(tmp_path, jwks(jwk(PRIVATE[algorithm])), issuer_key=issuer_key).verify(token)


class _BlindHmac(jwt.algorithms.HMACAlgorithm):
    """What an attacker uses: HMAC that takes a public key for a secret."""

    def __init__(self) -> None:
        super().__init__(jwt.algorithms.HMACAlgorithm.SHA256)

    def prepare_key(self, key: Any) -> bytes:
        return bytes(key)


def test_the_issuer_cannot_pass_for_the_server_itself() -> None:
    both = tokens(issuer_key=SECRET)
    kid = jwt.get_unverified_header(both.issue("u1", None, None, 60))["kid"]
    with pytest.raises(Unauthenticated):
        both.verify(sign(SECRET, "HS256", {"iss": "quartchat"}, kid=kid))


def test_an_unsigned_token_is_refused(tmp_path: Path) -> None:
    token = jwt.encode({"sub": "u1", "exp": NOW + 60}, "", algorithm="none")
    with pytest.raises(Unauthenticated, match="not accepted"):
        with_file(tmp_path, pem(RSA)).verify(token)


def test_the_end_of_a_token_counts_for_issuers_too() -> None:
    with pytest.raises(TokenExpired):
        tokens(issuer_key=SECRET).verify(sign(SECRET, "HS256", {"exp": NOW - 11}))


@pytest.mark.parametrize(
    ("claims", "good"),
    [
        ({"iss": "us", "aud": "chat"}, True),
        ({"iss": "us", "aud": ["shop", "chat"]}, True),
        ({"iss": "them", "aud": "chat"}, False),
        ({"iss": "us", "aud": "shop"}, False),
        ({"iss": "us", "aud": ["shop"]}, False),
        ({"iss": "us"}, False),
        ({"aud": "chat"}, False),
        ({"iss": ["us"], "aud": "chat"}, False),
        ({"iss": "us", "aud": {"chat": 1}}, False),
    ],
)
def test_issuer_and_audience_are_checked_where_they_are_set(
    claims: dict[str, Any], good: bool
) -> None:
    both = tokens(issuer_key=SECRET, issuer_name="us", issuer_audience="chat")
    if good:
        assert both.verify(sign(SECRET, "HS256", claims))
    else:
        body = {"sub": "u1", "exp": NOW + 60} | claims
        plain = jwt.api_jws.encode(json.dumps(body).encode(), SECRET.encode(), algorithm="HS256")
        with pytest.raises(Unauthenticated, match=r"iss|aud"):
            both.verify(plain)


def test_an_audience_does_not_matter_where_none_is_set() -> None:
    assert tokens(issuer_key=SECRET).verify(sign(SECRET, "HS256", {"aud": "anything"}))


def test_keys_rotate_when_the_file_changes(tmp_path: Path) -> None:
    both = with_file(tmp_path, jwks(jwk(RSA, kid="a")))
    (tmp_path / "keys").write_bytes(jwks(jwk(OTHER_RSA, kid="b")))
    assert both.verify(sign(OTHER_RSA, "RS256", kid="b"))
    with pytest.raises(Unauthenticated):
        both.verify(sign(RSA, "RS256", kid="a"))


def test_a_file_put_in_place_of_the_old_one_is_read_even_with_the_same_time(
    tmp_path: Path,
) -> None:
    both = with_file(tmp_path, pem(RSA))
    path, stat = tmp_path / "keys", (tmp_path / "keys").stat()
    (tmp_path / "new").write_bytes(pem(OTHER_RSA))
    os.utime(tmp_path / "new", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (tmp_path / "new").replace(path)
    assert both.verify(sign(OTHER_RSA, "RS256"))


@pytest.mark.parametrize("content", [b"", b"{", b"-----BEGIN PUBLIC KEY-----\n", None])
def test_a_broken_or_missing_new_file_leaves_the_old_keys_in_use(
    tmp_path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    both, path = with_file(tmp_path, pem(RSA)), tmp_path / "keys"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    for _ in range(3):
        assert both.verify(sign(RSA, "RS256"))
    assert caplog.text.count("stay in use") == (0 if content is None else 1)


PRIVATE_PEM = RSA.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)
PRIVATE_JWK = RSAAlgorithm.to_jwk(RSA, as_dict=True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "neither PEM nor JSON"),
        (b"hello", "neither PEM nor JSON"),
        (b"[" * 100_000, "neither PEM nor JSON"),
        (b"{}", "no JWKS"),
        (b"[]", "no JWKS"),
        (b'{"keys": {}}', "no JWKS"),
        (b'{"keys": []}', "no key for"),
        (b'{"keys": [7]}', "no key"),
        (jwks({"kty": "oct", "k": "c2VjcmV0"}), "shared secret"),
        (jwks(jwk(RSA), {"kty": "oct", "k": "c2VjcmV0"}), "shared secret"),
        (jwks({"kty": "oct", "k": "c2VjcmV0", "alg": "RS256"}), "shared secret"),
        (jwks(jwk(RSA, use="enc")), "no key for"),
        (jwks(jwk(RSA, alg="RS512")), "no key for"),
        (jwks(jwk(RSA, alg="HS256")), "no key for"),
        (jwks({"kty": "RSA", "n": "!", "e": "AQAB"}), "no key for"),
        (jwks(PRIVATE_JWK), "private key"),
        (PRIVATE_PEM, "private key"),
        (b"-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----\n", "no public key"),
        (pem(rsa.generate_private_key(65537, 1024)), "2048 bits"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "P-256"),
        (pem(ed448.Ed448PrivateKey.generate()), "Ed25519"),
        (b" " * (2**20 + 1), "too large"),
    ],
)
def test_a_file_that_cannot_serve_stops_the_start_with_a_reason(
    tmp_path: Path, content: bytes, why: str
) -> None:
    with pytest.raises(SettingsError, match=why) as caught:
        with_file(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        tokens(issuer_keys_file=str(tmp_path / "none"))


def test_other_keys_of_a_jwks_do_not_stop_those_that_serve(tmp_path: Path) -> None:
    unusable = [{"kty": "new-kind"}, jwk(RSA, use="enc", kid="e"), jwk(RSA, alg="PS256", kid="p")]
    both = with_file(tmp_path, jwks(*unusable, jwk(EC, kid="good")))
    assert both.verify(sign(EC, "ES256", kid="good"))


def test_without_the_package_cryptography_the_start_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(pem(RSA))
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from quartchat.config import Settings, SettingsError\n"
        "from quartchat.auth.issuer import issuer_from\n"
        "from quartchat.auth.tokens import Tokens\n"
        f"issuer = issuer_from(Settings(issuer_key={SECRET!r}))\n"
        "own = Tokens(b'k' * 32, issuer=issuer)\n"
        "print(own.verify(own.issue('u1', None, None, 60)).user_id)\n"
        "try: issuer_from(Settings(issuer_keys_file=sys.argv[1]))\n"
        "except SettingsError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "keys")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[0] == "u1"
    assert "pip install 'quartchat[issuer]'" in done.stdout
