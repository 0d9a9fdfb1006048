"""SIP peers for tests: agents that speak SIP by hand, so that every message can be seen and spoilt.

    carrier = Agent("127.0.1.2", gateway, user="4917011122")
    alice = Agent("127.0.1.3", gateway, user="1001", password="secret")
    alice.register()
    a = carrier.invite("+4930555100", make_sdp("127.0.1.2", 4000))
    b = alice.incoming()
    b.reply(180)
    a.expect(180)
    …
    assert a.ladder == ["> INVITE", "< 100", "< 180", …]

An agent takes UDP and TCP on one port. A thread of its own reads, sorts messages by Call-ID,
acknowledges refusals, and answers retransmissions by itself; these are counted in `repeats` and stay
out of the ladder. Everything else happens when the test says so.
"""

import queue
import re
import select
import socket
import threading
import time

from sip_message import (Message, REASONS, bracket, credentials, hostport_of, token, uri_of)

TIMEOUT_S = 6.0
MAGIC = "z9hG4bK"


class Agent:
    """One SIP peer on one address."""

    def __init__(self, ip, gateway, user="peer", password=None, port=0, transport="udp",
                 domain=None, user_agent=None, tls=None):
        self.ip, self.gateway, self.user, self.password = ip, gateway, user, password
        self.transport, self.domain = transport, domain or bracket(gateway[0])
        self.user_agent = user_agent or f"agent-{user}"
        self.tls = tls  # (server's ssl.SSLContext, client's, name to expect): TCP becomes TLS
        self.dialogs, self.arrivals, self.others = {}, queue.Queue(), queue.Queue()
        self.refused = []  # errors of TLS handshakes
        self.strays = []  # responses that belong to nothing here
        self.log, self.lock, self.open = [], threading.RLock(), True
        self._bind(socket.AF_INET6 if ":" in ip else socket.AF_INET, port)
        self.connections = {}  # (host, port) -> socket
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _bind(self, family, port):
        for _ in range(20):  # port 0: find one that is free in both transports
            self.udp = socket.socket(family, socket.SOCK_DGRAM)
            self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            self.udp.bind((self.ip, port))
            self.port = self.udp.getsockname()[1]
            self.tcp = socket.socket(family, socket.SOCK_STREAM)
            self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                self.tcp.bind((self.ip, self.port))
                self.tcp.listen(64)
                return
            except OSError:
                self.udp.close()
                self.tcp.close()
                if port:
                    raise
        raise OSError("no port is free in both UDP and TCP")

    def close(self):
        self.open = False
        self.reader.join(2)
        for sock in [self.udp, self.tcp, *self.connections.values()]:
            sock.close()

    @property
    def hostport(self):
        return f"{bracket(self.ip)}:{self.port}"

    @property
    def contact(self):
        suffix = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"<sip:{self.user}@{self.hostport}{suffix}>"

    def uri(self, user):
        """How the gateway is asked for a number."""
        return f"sip:{user}@{bracket(self.gateway[0])}:{self.gateway[1]}"

    # --- what goes out ---

    def send(self, message, host=None, port=None, transport=None, connection=None):
        """A Message or bytes; to the gateway unless said otherwise."""
        data = message if isinstance(message, bytes) else message.to_bytes()
        target = (host or self.gateway[0], port or self.gateway[1])
        with self.lock:
            self.log.append((">", target, data))
            if connection is not None:
                connection.sendall(data)
            elif (transport or self.transport) in ("tcp", "tls"):
                self.connect(target).sendall(data)
            else:
                self.udp.sendto(data, target)

    def connect(self, target):
        """The TCP connection to (host, port); made when there is none."""
        if target not in self.connections:
            sock = socket.socket(self.tcp.family, socket.SOCK_STREAM)
            sock.bind((self.ip, 0))
            sock.settimeout(TIMEOUT_S)
            sock.connect(target)
            if self.tls:
                sock = self.tls[1].wrap_socket(sock, server_hostname=self.tls[2])
            self.connections[target] = sock
        return self.connections[target]

    def disconnect(self):
        """Ends the TCP connections; the next request makes a new one."""
        with self.lock:
            for sock in self.connections.values():
                sock.shutdown(socket.SHUT_RDWR)
            self.connections = {}

    def dialog(self, method, uri, body="", headers=(), to=None, **names):
        """Sends a request outside any dialog; its answers come to the Dialog returned."""
        dialog = Dialog(self, role="uac", **names)
        dialog.remote = to or f"<{uri}>"
        dialog.remote_target = uri
        self.dialogs[dialog.call_id] = dialog
        dialog.request(method, body, headers)
        return dialog

    def invite(self, number, body="", headers=(), authenticate=True, **names):
        """Calls a number; an agent with a password meets the challenge."""
        dialog = self.dialog("INVITE", self.uri(number), body, headers, **names)
        if self.password and authenticate:
            dialog.authenticate(dialog.expect(407), body, headers)
        return dialog

    def register(self, expires=3600, contact=None, headers=(), password=None, user=None,
                 dialog=None):
        """Registers with digest and returns the final response. contact: "*" or a header's value;
        expires None: asks what is bound."""
        user, password = user or self.user, password or self.password
        if expires is not None:
            contact = contact or f"{self.contact};expires={expires}"
            headers = [("Contact", contact), ("Expires", expires), *headers]
        record = f"<sip:{user}@{self.domain}>"
        if dialog is None:
            dialog = Dialog(self, role="uac", local=record)
            dialog.remote, dialog.remote_target = record, f"sip:{self.domain}"
            self.dialogs[dialog.call_id] = dialog
        dialog.request("REGISTER", "", headers)
        answer = dialog.expect_any()
        if answer.status == 401 and password:
            dialog.authenticate(answer, "", headers, user=user, password=password)
            answer = dialog.expect_any()
        return answer

    def options(self, timeout=TIMEOUT_S):
        """Asks the gateway whether it lives; the response."""
        return self.dialog("OPTIONS", self.uri("")).expect_any(timeout)

    # --- what comes in ---

    def incoming(self, timeout=TIMEOUT_S):
        """The next INVITE, as a Dialog."""
        try:
            return self.arrivals.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"{self.user}: no INVITE came within {timeout} s") from None

    def called(self, timeout=TIMEOUT_S):
        """The same, with the INVITE taken off the dialog's messages."""
        dialog = self.incoming(timeout)
        dialog.expect("INVITE")
        return dialog

    def expect_no_call(self, seconds):
        try:
            dialog = self.arrivals.get(timeout=seconds)
        except queue.Empty:
            return
        raise AssertionError(f"{self.user}: a call came that should not:\n{dialog.invite}")

    def _read(self):
        buffers = {}  # connection -> bytes so far
        while self.open:
            with self.lock:
                for sock in self.connections.values():
                    buffers.setdefault(sock, b"")
            ready, _, _ = select.select([self.udp, self.tcp, *buffers], [], [], 0.02)
            for sock in ready:
                if sock is self.udp:
                    data, source = self.udp.recvfrom(65535)
                    self._take(data, source, None)
                elif sock is self.tcp:
                    self._accept(buffers)
                else:
                    self._read_stream(sock, buffers)

    def _accept(self, buffers):
        connection, source = self.tcp.accept()
        if self.tls:
            connection.settimeout(TIMEOUT_S)
            try:
                connection = self.tls[0].wrap_socket(connection, server_side=True)
            except OSError as error:  # ssl.SSLError too
                self.refused.append(error)
                connection.close()
                return
        buffers[connection] = b""
        with self.lock:
            self.connections[source[:2]] = connection

    def _read_stream(self, sock, buffers):
        try:
            data = sock.recv(65536)
            while self.tls and sock.pending():
                data += sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            del buffers[sock]
            with self.lock:
                self.connections = {k: s for k, s in self.connections.items() if s is not sock}
            sock.close()
            return
        with self.lock:  # the socket itself may be closed by its peer already
            source = next((at for at, known in self.connections.items() if known is sock), None)
        if not source:  # disconnect() was faster
            return
        buffers[sock] += data
        while True:
            buffers[sock] = buffers[sock].lstrip(b"\r\n")  # keep-alives, RFC 5626 3.5.1
            head, end, rest = buffers[sock].partition(b"\r\n\r\n")
            length = re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head)
            size = int(length.group(1)) if length else 0
            if not end or len(rest) < size:
                return
            buffers[sock] = rest[size:]
            self._take(head + end + rest[:size], source, sock)

    def _take(self, data, source, connection):
        with self.lock:
            self.log.append(("<", source[:2], data))
            if not data.strip():
                return
            message = Message.parse(data)
            message.source, message.connection = source[:2], connection
            message.at = time.monotonic()
            dialog = self.dialogs.get(message.call_id)
            if dialog:
                dialog.take(message)
            elif message.method == "INVITE":
                dialog = Dialog(self, role="uas", invite=message)
                self.dialogs[dialog.call_id] = dialog
                dialog.take(message)
                self.arrivals.put(dialog)
            elif message.method:
                self.others.put(message)
            else:
                self.strays.append(message)


class Dialog:
    """Everything under one Call-ID, seen from our side."""

    def __init__(self, agent, role, invite=None, local=None, call_id=None):
        self.agent, self.role, self.invite, self.dead = agent, role, invite, False
        self.inbox, self.ladder, self.messages, self.repeats = queue.Queue(), [], [], []
        self.seen, self.replies = set(), {}
        self.cseq, self.route_set, self.answer, self.ack_sent = 0, [], None, None
        self.local_tag = token()
        if role == "uas":
            self.call_id = invite.call_id
            self.remote = invite.get("From")
            self.local = f"{invite.get('To')};tag={self.local_tag}"
            self.remote_target = uri_of(invite.get("Contact", invite.uri))
            self.route_set = invite.all("Record-Route")
        else:
            self.call_id = call_id or f"{token()}@{agent.ip}"
            self.local = f"{local or f'<sip:{agent.user}@{agent.domain}>'};tag={self.local_tag}"

    # --- requests ---

    def request(self, method, body="", headers=(), cseq=None, branch=None):
        """Sends a request in the dialog; returns it."""
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        agent = self.agent
        target = self.route_set[0] if self.route_set else f"<{self.remote_target}>"
        host, port, transport = hostport_of(uri_of(target))
        if not self.route_set and host == agent.domain:  # a name that nobody here resolves
            (host, port), transport = agent.gateway, agent.transport
        if agent.transport == "tls" or (agent.transport == "tcp" and not self.messages):
            transport = agent.transport
        via = (f"SIP/2.0/{transport.upper()} {agent.hostport};"
               f"branch={branch or MAGIC + token()};rport")
        fixed = [("Via", via), ("Max-Forwards", 70), ("From", self.local), ("To", self.remote),
                 ("Call-ID", self.call_id), ("CSeq", f"{cseq} {method}")]
        fixed += [("Route", route) for route in self.route_set]
        given = {name.lower() for name, _ in headers}
        if "contact" not in given and method not in ("REGISTER", "BYE", "ACK", "OPTIONS"):
            fixed.append(("Contact", agent.contact))
        fixed.append(("User-Agent", agent.user_agent))
        if body and "content-type" not in given:
            fixed.append(("Content-Type", "application/sdp"))
        fixed = [(n, v) for n, v in fixed if n.lower() not in given]
        headers = [(n, v) for n, v in headers if v is not None]
        message = Message(f"{method} {self.remote_target} SIP/2.0", fixed + headers, body)
        if method == "INVITE":
            self.invite, self.invite_hop = message, (host, port, transport)
        self.ladder.append(f"> {method}")
        self.last_request = message
        agent.send(message, host, port, transport)
        return message

    def authenticate(self, challenge, body="", headers=(), user=None, password=None):
        """Repeats the last request with credentials for a 401 or 407."""
        agent, method = self.agent, challenge.cseq[1]
        offered, answer = (("WWW-Authenticate", "Authorization") if challenge.status == 401 else
                           ("Proxy-Authenticate", "Proxy-Authorization"))
        value = credentials(challenge.get(offered), method, self.remote_target,
                            user or agent.user, password or agent.password)
        return self.request(method, body, [(answer, value), *headers])

    def ack(self, body="", headers=()):
        """Acknowledges the 2xx that was expected last."""
        number = self.answer.cseq[0]
        self.ack_sent = self.request("ACK", body, headers, cseq=number)
        return self.ack_sent

    def cancel(self, reason=None):
        """CANCEL of our INVITE: same branch and Request-URI, the same way (RFC 3261 9.1)."""
        headers = [(name, self.invite.get(name))
                   for name in ("Via", "Max-Forwards", "From", "To", "Call-ID")]
        headers.append(("CSeq", f"{self.invite.cseq[0]} CANCEL"))
        headers += [("Reason", reason)] if reason else []
        cancel = Message(f"CANCEL {self.invite.uri} SIP/2.0", headers)
        self.ladder.append("> CANCEL")
        self.agent.send(cancel, *self.invite_hop)
        return cancel

    def bye(self, headers=()):
        """Hangs up and waits for the 200."""
        self.request("BYE", "", headers)
        return self.expect(200)

    # --- responses ---

    def reply(self, status, body="", headers=(), to=None, contact=True):
        """Answers a request (the INVITE unless told otherwise); returns the response."""
        request = to or self.invite
        fixed = [("Via", v) for n, v in request.headers if n.lower() in ("via", "v")]
        fixed += [("Record-Route", v) for v in request.all("Record-Route")]
        to_value = request.get("To")
        if status > 100 and not request.to_tag:
            to_value += f";tag={self.local_tag}"
        fixed += [("From", request.get("From")), ("To", to_value),
                  ("Call-ID", request.call_id), ("CSeq", request.get("CSeq"))]
        if contact and request.method == "INVITE" and 100 < status < 300:
            fixed.append(("Contact", self.agent.contact))
        fixed.append(("Server", self.agent.user_agent))
        if body:
            fixed.append(("Content-Type", "application/sdp"))
        given = {name.lower() for name, _ in headers}
        fixed = [(n, v) for n, v in fixed if n.lower() not in given]
        start = f"SIP/2.0 {status} {REASONS.get(status, 'Whatever')}"
        response = Message(start, fixed + list(headers), body)
        self.ladder.append(f"> {status}")
        self.replies[(request.method, request.branch)] = (response, request)
        self._respond(response, request)
        return response

    def _respond(self, response, request):
        via = request.all("Via")[0]
        host, port, _ = hostport_of("sip:" + via.split(None, 1)[1])
        if "rport" in via:
            host, port = request.source
        self.agent.send(response, host, port, "udp", request.connection)

    # --- what came ---

    def take(self, message):
        """A message under our Call-ID (reader's thread)."""
        if self.dead:
            return
        key = (message.title, message.branch, message.cseq, message.to_tag, message.body)
        if key in self.seen:
            self._repeat(message)
            return
        self.seen.add(key)
        self.messages.append(message)
        self.ladder.append(f"< {message.title}")
        if message.status and message.cseq[1] == "INVITE":
            self._learn(message)
        self.inbox.put(message)

    def _learn(self, message):
        if message.status > 100 and message.to_tag and self.role == "uac" and message.status < 300:
            self.remote = message.get("To")
        if message.status < 300 and message.get("Contact") and message.status > 100:
            self.remote_target = uri_of(message.get("Contact"))
            if self.role == "uac" and not self.answer:  # RFC 3261 12.2: never changed later
                self.route_set = list(reversed(message.all("Record-Route")))
        if 200 <= message.status < 300:
            self.answer = message
        if message.status >= 300:
            self._ack_refusal(message)

    def _ack_refusal(self, message):
        """RFC 3261 17.1.1.3: same branch and Request-URI, To of the response."""
        invite = self.invite
        via = invite.get("Via").replace(invite.branch, message.branch)  # it may be of a copy
        headers = [("Via", via), ("Max-Forwards", 70), ("From", invite.get("From")),
                   ("To", message.get("To")), ("Call-ID", self.call_id),
                   ("CSeq", f"{message.cseq[0]} ACK")]
        ack = Message(f"ACK {invite.uri} SIP/2.0", headers)
        if message.title not in self.repeats:
            self.ladder.append("> ACK")
        self.agent.send(ack, *message.source, "udp", message.connection)

    def _repeat(self, message):
        self.repeats.append(message.title)
        if message.method and (message.method, message.branch) in self.replies:
            self._respond(*self.replies[(message.method, message.branch)])
        elif message.status and message.cseq[1] == "INVITE" and message.status >= 300:
            self._ack_refusal(message)
        elif message.status and message.cseq[1] == "INVITE" and self.ack_sent and \
                message.status >= 200:
            self.agent.send(self.ack_sent, *message.source, "udp", message.connection)

    def expect_any(self, timeout=TIMEOUT_S, skip=("100",)):
        """The next message, 100 Trying left out."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                message = self.inbox.get(timeout=max(0.001, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{self.agent.user}: nothing came within {timeout} s; "
                                     f"ladder {self.ladder}") from None
            if message.title not in skip:
                return message

    def expect(self, title, timeout=TIMEOUT_S):
        """The next message must be this response or request."""
        skip = () if str(title) == "100" else ("100",)
        try:
            message = self.expect_any(timeout, skip)
        except AssertionError as error:
            raise AssertionError(f"{title} expected; {error}") from None
        assert message.title == str(title), (
            f"{self.agent.user}: {title} expected, {message.title} came; ladder {self.ladder}\n"
            f"{message}")
        return message

    def expect_nothing(self, seconds):
        try:
            message = self.inbox.get(timeout=seconds)
        except queue.Empty:
            return
        raise AssertionError(f"{self.agent.user}: nothing more expected, {message.title} came; "
                             f"ladder {self.ladder}\n{message}")

    def answer_request(self, method, status=200, timeout=TIMEOUT_S):
        """Expects an in-dialog request, answers it, returns it."""
        request = self.expect(method, timeout)
        self.reply(status, to=request)
        return request
