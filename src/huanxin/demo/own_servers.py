"""The demo's own processes and how each is started: the platform's server, a worker beside it, every partner."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from huanxin.demo.partner_server import serve_partner
from huanxin.demo.processes import CommandServer, ForkedServer, Server


def serve_process(folder: Path, *, port: int, issuer: str) -> Server:
    """The platform's own server, on the demo's database."""
    return CommandServer(
        name="huanxin serve", url=issuer, log=folder / "serve.log",
        command=["huanxin.cli.main", "serve", "--port", str(port)], environment=_platform(folder, issuer),
    )  # fmt: skip


def worker_process(folder: Path, *, issuer: str) -> Server:
    """One more worker on the same database, as a second machine would run it."""
    return CommandServer(
        name="huanxin worker", url=None, log=folder / "worker.log", command=["huanxin.cli.main", "worker"],
        environment=_platform(folder, issuer),
    )  # fmt: skip


def _platform(folder: Path, issuer: str) -> dict[str, str]:
    return {"HUANXIN_HOME": str(folder / "home"), "HUANXIN_ISSUER": issuer, "HUANXIN_MODE": "development"}


@dataclass(frozen=True, kw_only=True)
class PartnerProcess:
    """What it takes to start a partner's server, now or when its world is opened again.

    name: of its files in the folder `partners`. port: of 127.0.0.1; the registered endpoint has it.
    """

    name: str
    behaviour: str
    client_id: str
    client_secret: str
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def database(self, folder: Path) -> Path:
        return folder / "partners" / f"{self.name}.db"

    def server(self, folder: Path, *, issuer: str) -> Server:
        return ForkedServer(
            name=self.name, url=self.url, log=folder / "partners" / f"{self.name}.log", work=serve_partner,
            arguments={"db": self.database(folder), "behaviour": self.behaviour, "issuer": issuer, "port": self.port,
                       "client_id": self.client_id, "secret": self.client_secret},
        )  # fmt: skip
