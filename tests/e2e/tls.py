"""Certificates for tests, made with openssl in a world's folder, and who uses them.

    ca = Authority(folder)
    pair = ca.issue("gateway", "127.0.0.1", "sip.example")   # .certificate, .key: paths
    agent = w.agent(2, "carrier", port=5061, transport="tls", tls=ca.contexts(pair))
"""

import collections
import ipaddress
import shutil
import ssl
import subprocess

import harness

Pair = collections.namedtuple("Pair", "certificate key")


def openssl(*args):
    if not shutil.which("openssl"):
        raise harness.Skip("openssl is not installed")
    done = subprocess.run(["openssl", *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=30, check=False)
    assert done.returncode == 0, done.stdout.decode()


class Authority:
    """A certificate authority of its own, with an intermediate one when asked for."""

    def __init__(self, folder, name="Test authority"):
        self.folder, self.tag = folder, name.replace(" ", "-").lower()
        self.file = f"{folder}/{self.tag}.pem"
        self.key = f"{folder}/{self.tag}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", f"/CN={name}", "-days", "2", "-keyout", self.key, "-out", self.file)

    def issue(self, label, *names, days=2, path=None):
        """A certificate and key for these names and addresses; the first is its subject."""
        path = path or f"{self.folder}/{label}"
        pair = Pair(f"{path}.pem", f"{path}.key")
        alternatives = ",".join(f"{'IP' if is_address(n) else 'DNS'}:{n}" for n in names)
        with open(f"{path}.ext", "w", encoding="ascii") as file:
            file.write(f"subjectAltName={alternatives}\nbasicConstraints=CA:FALSE\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                f"/CN={names[0]}", "-keyout", pair.key, "-out", f"{path}.csr")
        openssl("x509", "-req", "-in", f"{path}.csr", "-CA", self.file, "-CAkey", self.key,
                "-CAcreateserial", "-days", str(days), "-extfile", f"{path}.ext", "-out",
                pair.certificate)
        return pair

    def client(self, pair=None, check=True):
        """An ssl.SSLContext that trusts this authority alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.file)
        if not check:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if pair:
            context.load_cert_chain(*pair)
        return context

    def server(self, pair, ask=False):
        """ask: the client must have a certificate of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        if ask:
            context.load_verify_locations(self.file)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def contexts(self, pair, name=None, ask=False):
        """What an Agent takes as tls=; name: of the gateway, checked when it connects there."""
        return self.server(pair, ask), self.client(pair, check=name is not None), name


def is_address(name):
    try:
        ipaddress.ip_address(name)
        return True
    except ValueError:
        return False
