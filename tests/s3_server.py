"""A server of its own process that speaks S3: `python s3_server.py PORT`. What is in it goes with it."""

from __future__ import annotations

import sys

from moto.server import ThreadedMotoServer

if __name__ == "__main__":
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=int(sys.argv[1]), verbose=False)
    server.start()
    server._thread.join()  # until it is killed
