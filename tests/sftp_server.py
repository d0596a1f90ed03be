"""A real SFTP server of its own process: `python sftp_server.py FOLDER CLIENT_KEY.pub` serves FOLDER as `/` to the user
`shop` and prints its port and its public key."""

from __future__ import annotations

import asyncio
import sys

import asyncssh


async def serve(folder: str, client_key: str) -> None:
    """Serve until the process is ended."""
    key = asyncssh.generate_private_key("ssh-ed25519")

    def sftp(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=folder.encode())

    server = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[key], authorized_client_keys=client_key, sftp_factory=sftp
    )
    print(server.get_port(), key.export_public_key().decode().strip(), flush=True)
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:3]))
