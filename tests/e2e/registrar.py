"""A carrier's registrar on TCP or TLS, told what to do with the connection: whether it answers
keep-alives, and when it ends. What stands on UDP is an Agent's `others`, see take() there.

    line = Line(f"{w.net}.2", tls=context)
    line.wait_registers(1)
    line.pongs = False
"""

import select
import socket
import threading

from sip_message import Message
from world import wait_until


def answer_to(request, status=200, headers=(), contact=";expires=600"):
    """The bytes of a response; a REGISTER's Contact comes back with its time."""
    fixed = [(n, v) for n, v in request.headers
             if n.lower() in ("via", "from", "to", "call-id", "cseq")]
    if request.method == "REGISTER" and status == 200:
        fixed.append(("Contact", request.get("Contact") + contact))
    return Message(f"SIP/2.0 {status} Said", [*fixed, *headers]).to_bytes()


def take(agent, status=200, headers=(), contact=";expires=600", timeout=8):
    """The next REGISTER that comes to an Agent, answered."""
    while True:
        request = agent.others.get(timeout=timeout)
        agent.send(answer_to(request, status, headers if request.method == "REGISTER" else (),
                             contact), *request.source, "udp", request.connection)
        if request.method == "REGISTER":
            return request


class Line:
    """All requests get 200. connections: [(requests, pings)] in the order in which they came."""

    def __init__(self, ip, port=5060, tls=None, pongs=True, headers=()):
        self.sock = socket.create_server((ip, port))
        self.tls, self.pongs, self.headers = tls, pongs, headers
        self.connections, self.socks, self.ended = [], [], []
        self.open = True
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while self.open:
            if not select.select([self.sock], [], [], 0.05)[0]:
                continue
            sock = self.sock.accept()[0]
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            self.connections.append(([], []))
            self.socks.append(sock)
            threading.Thread(target=self._serve, args=(sock, len(self.socks) - 1),
                             daemon=True).start()

    def _serve(self, sock, index):
        requests, pings = self.connections[index]
        buffer = b""
        try:
            while data := sock.recv(65536):
                buffer += data
                while buffer.startswith(b"\r\n\r\n"):
                    buffer = buffer[4:]
                    pings.append(len(requests))
                    if self.pongs:
                        sock.sendall(b"\r\n")
                while b"\r\n\r\n" in buffer:  # nothing here has a body
                    head, _, buffer = buffer.partition(b"\r\n\r\n")
                    request = Message.parse(head + b"\r\n\r\n")
                    if request.method:
                        requests.append(request)
                        sock.sendall(answer_to(request, headers=self.headers))
        except OSError:
            pass
        self.ended.append(index)

    def registers(self, index):
        return len(self.connections) > index and len(self.connections[index][0])

    def wait_registers(self, index, timeout=8):
        wait_until(lambda: self.registers(index), timeout, f"REGISTER on connection {index}")

    def end(self, index=-1):
        self.socks[index].shutdown(socket.SHUT_RDWR)

    def close(self):
        self.open = False
        self.thread.join(2)
        for sock in [self.sock, *self.socks]:
            sock.close()
