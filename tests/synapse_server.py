"""A real Matrix Synapse in a process of its own, on loopback, for tests."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from processes import bound, free_port

PYTHON = Path(__file__).parents[1] / ".venv-synapse" / "bin" / "python"
SECRET = "registration-secret"
PASSWORD = "a password"


class Homeserver:
    """What a test does at a homeserver as its administrator and its users."""

    def __init__(self, client: httpx.Client) -> None:
        self.client, self.url = client, str(client.base_url)
        self.token = self.register("admin", admin=True)

    def register(self, name: str, *, admin: bool = False) -> str:
        """Make an account with the shared secret; its access token."""
        path = "/_synapse/admin/v1/register"
        nonce = self.client.get(path).json()["nonce"]
        parts = [nonce, name, PASSWORD, "admin" if admin else "notadmin"]
        mac = hmac.new(SECRET.encode(), "\0".join(parts).encode(), hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": name, "password": PASSWORD, "admin": admin, "mac": mac}
        return str(self.ok(self.client.post(path, json=body))["access_token"])

    def bind(self, name: str, *threepids: tuple[str, str]) -> None:
        """Give an account these third-party ids and no others; new ones are validated now."""
        wanted = [{"medium": medium, "address": address} for medium, address in threepids]
        self.admin("PUT", f"/_synapse/admin/v2/users/@{name}:test", {"threepids": wanted})

    def threepids(self, name: str) -> dict[str, int]:
        """Address -> validated_at in milliseconds."""
        found = self.admin("GET", f"/_synapse/admin/v2/users/@{name}:test")["threepids"]
        return {entry["address"]: entry["validated_at"] for entry in found}

    def close(self, name: str) -> None:
        """Close an account."""
        self.admin("POST", f"/_synapse/admin/v1/deactivate/@{name}:test", {})

    def log_in(self, identifier: dict[str, str]) -> httpx.Response:
        body = {"type": "m.login.password", "identifier": identifier, "password": PASSWORD}
        return self.client.post("/_matrix/client/v3/login", json=body)

    def alive(self, token: str) -> bool:
        """Whether a session goes on."""
        answer = self.client.get("/_matrix/client/v3/account/whoami", headers={"Authorization": f"Bearer {token}"})
        return answer.status_code == 200

    def admin(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self.ok(self.client.request(method, path, json=body, headers={"Authorization": f"Bearer {self.token}"}))

    @staticmethod
    def ok(answer: httpx.Response) -> dict[str, Any]:
        assert answer.is_success, answer.text
        return dict(answer.json())


@contextmanager
def running(folder: Path) -> Iterator[Homeserver]:
    """A fresh homeserver `test` with SQLite, for the length of a block."""
    port = free_port()
    (folder / "log.yaml").write_text("version: 1\nroot: {level: WARNING}\n")
    listener = {"port": port, "bind_addresses": ["127.0.0.1"], "type": "http", "resources": [{"names": ["client"]}]}
    settings = {
        "server_name": "test", "report_stats": False, "pid_file": f"{folder}/pid", "log_config": f"{folder}/log.yaml",
        "signing_key_path": f"{folder}/signing.key", "media_store_path": f"{folder}/media", "trusted_key_servers": [],
        "listeners": [listener], "database": {"name": "sqlite3", "args": {"database": f"{folder}/homeserver.db"}},
        "registration_shared_secret": SECRET, "bcrypt_rounds": 4, "federation_domain_whitelist": [],
        "rc_login": {kind: {"per_second": 1000, "burst_count": 1000} for kind in ("address", "account", "failed_attempts")},
    }  # fmt: skip
    config = folder / "homeserver.yaml"
    config.write_text(json.dumps(settings))  # JSON is YAML too
    command = [str(PYTHON), "-m", "synapse.app.homeserver", "--config-path", str(config)]
    subprocess.run([*command, "--generate-keys"], check=True, capture_output=True, cwd=folder)
    with (
        open(folder / "synapse.log", "wb") as log,
        bound(subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)) as process,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}", process, folder / "synapse.log")
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                yield Homeserver(client)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < ends:
        try:
            if httpx.get(f"{url}/health").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"Synapse did not start: {log.read_text()[-2000:]}")
