"""A real DNS server on loopback, in a thread of the test: TXT entries by name."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset


@contextmanager
def name_server(entries: Mapping[str, list[str]]) -> Iterator[dns.resolver.Resolver]:
    """Serve these entries, read anew at each question; a resolver that asks this server and no other."""

    class Answerer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, socket = self.request
            asked = dns.message.from_wire(data)
            answer = dns.message.make_response(asked)
            answer.flags |= dns.flags.AA
            name = asked.question[0].name.to_text(omit_final_dot=True)
            if texts := entries.get(name):
                lines = [" ".join(f'"{part}"' for part in _parts(text)) for text in texts]
                answer.answer.append(dns.rrset.from_text_list(asked.question[0].name, 1, "IN", "TXT", lines))
            else:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            socket.sendto(answer.to_wire(), self.client_address)

    with socketserver.UDPServer(("127.0.0.1", 0), Answerer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        resolver: Any = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], server.server_address[1]
        try:
            yield resolver
        finally:
            server.shutdown()
            thread.join()


def _parts(text: str) -> list[str]:
    """A long entry comes in several strings, as some name servers send it."""
    return [text[:20], text[20:]] if len(text) > 20 else [text]
