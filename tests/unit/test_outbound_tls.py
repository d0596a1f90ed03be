"""Calls to partners under TLS: who answers has to show that they are whom the address names."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from huanxin.outbound import NoAnswer, Outbound

NAME = "partner.example"


class _Partner(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    callers: set[int]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.callers.add(self.client_address[1])
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is said on the terminal."""


class Partner:
    """A server at this machine whose certificate is for NAME."""

    def __init__(self, folder: Path) -> None:
        self.authority, key = _certificate()
        file = folder / "partner.pem"
        file.write_text(key + self.authority)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(file)
        self.callers: set[int] = set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("_Counting", (_Partner,), {"callers": self.callers}))
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a caller that turns away is what is tested
        self.server.daemon_threads = True

    def called(self, name: str, *, times: int = 1, trusted: bool = True) -> list[int]:
        """What it answers to a platform for which `name` leads here."""
        tls = ssl.create_default_context(cadata=self.authority if trusted else _certificate()[0])
        outbound = Outbound(inner_allowed=True, resolve=lambda _: ["127.0.0.1"], tls=tls)
        try:
            url = f"https://{name}:{self.server.server_port}/events"
            return [outbound.post(url, "x", {}).status for _ in range(times)]
        finally:
            outbound.close()


def _certificate() -> tuple[str, str]:
    """A certificate for NAME that vouches for itself, and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(pem).decode(), secret.decode()


@pytest.fixture
def partner(tmp_path: Path) -> Iterator[Partner]:
    made = Partner(tmp_path)
    thread = threading.Thread(target=made.server.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_several_calls_go_over_one_connection_to_whoever_shows_the_names_certificate(partner: Partner) -> None:
    assert partner.called(NAME, times=3) == [202, 202, 202]
    assert len(partner.callers) == 1


def test_who_shows_the_certificate_of_another_name_is_told_nothing(partner: Partner) -> None:
    """Else whoever bends a name to their own server reads the numbers."""
    with pytest.raises(NoAnswer, match=r"CERTIFICATE_VERIFY_FAILED.*not valid for 'other\.example'"):
        partner.called("other.example")
    assert partner.callers == set()


def test_who_vouches_for_himself_is_told_nothing(partner: Partner) -> None:
    with pytest.raises(NoAnswer, match="CERTIFICATE_VERIFY_FAILED"):
        partner.called(NAME, trusted=False)
    assert partner.callers == set()
