"""A program of its own that listens on some ports: on the last it answers 202 at once, on the others it never says a word.

python tests/hanging.py HOW_MANY    prints the ports, then whatever is pushed to the last one
"""

from __future__ import annotations

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Good(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


def hang(listener: socket.socket) -> None:
    kept = []
    while True:
        kept.append(listener.accept())


def main(how_many: int) -> None:
    listeners = [socket.create_server(("127.0.0.1", 0), backlog=64) for _ in range(how_many)]
    for one in listeners:
        threading.Thread(target=hang, args=(one,), daemon=True).start()
    good = ThreadingHTTPServer(("127.0.0.1", 0), Good)
    threading.Thread(target=good.serve_forever, daemon=True).start()
    print(*(one.getsockname()[1] for one in listeners), good.server_port, flush=True)
    sys.stdin.read()  # until whoever started it is gone


if __name__ == "__main__":
    main(int(sys.argv[1]))
