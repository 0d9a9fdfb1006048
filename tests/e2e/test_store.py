"""The database fails: calls and registrations go on, the log says so once, and it comes back."""

import ctypes
import os
import resource
import sqlite3
import time

from harness import LIBC, Skip
from sip_message import param, uri_of
from world import RING_ALICE, World, wait_until

NUMBER = "+4930555100"
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x00020000, 1 << 14, 1 << 18
FAILS, AGAIN = " fails: ", "the database is written again"


def mount(kind, where, flags=0, options=None):
    encode = ctypes.c_char_p
    if LIBC.mount(encode(kind), encode(where.encode()), encode(kind), ctypes.c_ulong(flags),
                  encode(options)) != 0:
        raise Skip(f"mount {where}: {os.strerror(ctypes.get_errno())}")


class SmallDisk(World):
    """The state directory has a disk of its own, of 400 kB; only this process sees it."""

    def __enter__(self):
        if LIBC.unshare(CLONE_NEWNS) != 0:
            raise Skip("no mount namespace can be made here")
        mount(b"none", "/", MS_REC | MS_PRIVATE)
        mount(b"tmpfs", f"{self.dir}/state", options=b"size=400k")
        return super().__enter__()

    def __exit__(self, *error):
        LIBC.umount2(f"{self.dir}/state".encode(), 2)
        super().__exit__(*error)

    def fill(self):
        """Not a byte is left."""
        with open(f"{self.dir}/state/ballast", "ab", buffering=0) as file:
            for size in (65536, 4096, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass

    def drain(self):
        os.unlink(f"{self.dir}/state/ballast")


def rows(w, query):
    with sqlite3.connect(f"{w.dir}/state/twinleg.db", timeout=5) as db:
        return db.execute(query).fetchall()


def count_rows(w, query):
    """How many; a database that isn't there yet holds none."""
    try:
        return len(rows(w, query))
    except sqlite3.Error:
        return 0


def contacts(answer):
    return {uri_of(c): int(param(c, "expires")) for c in answer.all("Contact")}


def serve(w):
    """A registration and a call."""
    assert w.alice.register(expires=1200).status == 200
    assert contacts(w.alice.register(expires=None))
    a, b = w.talk(w.carrier, NUMBER, w.alice)
    w.hang_up(a, b)


def said(w, words):
    return w.gateway.log().count(words)


def test_a_full_disk_costs_no_call_and_no_registration():
    with SmallDisk() as w:
        serve(w)
        wait_until(lambda: count_rows(w, "SELECT * FROM calls") == 1, what="the first record")
        w.fill()
        for _ in range(3):
            serve(w)
        wait_until(lambda: said(w, FAILS), 10, "a word on the full disk")
        time.sleep(1.2)  # it is tried again in vain
        serve(w)
        assert said(w, FAILS) == 1 and not said(w, AGAIN), w.gateway.tail()
        w.drain()
        wait_until(lambda: said(w, AGAIN), 10, "a word on the recovery")
        wait_until(lambda: count_rows(w, "SELECT * FROM calls") == 5, what="the records kept")
        w.gateway.kill()
        w.start()
        assert contacts(w.alice.register(expires=None)), "what was written then is whole"


def test_a_limit_on_the_size_of_files_costs_no_call():
    with World(routes=RING_ALICE + "record = stereo\n") as w:
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.prlimit(w.gateway.pid, resource.RLIMIT_FSIZE, (16384, limit))
        a, b = w.talk(w.carrier, NUMBER, w.alice)
        a.rtp.tone(440, 1.5)
        assert b.rtp.heard(440) > 0.9
        resource.prlimit(w.gateway.pid, resource.RLIMIT_FSIZE, (limit, limit))
        w.hang_up(a, b)
        assert os.path.getsize(w.record()["recording"]) >= 8192
        serve(w)


def test_a_database_that_is_gone_is_made_anew():
    with World() as w:
        wait_until(lambda: count_rows(w, "SELECT * FROM bindings") == 2, what="the bindings")
        for name in os.listdir(f"{w.dir}/state"):
            os.unlink(f"{w.dir}/state/{name}")
        serve(w)
        wait_until(lambda: count_rows(w, "SELECT * FROM calls") == 1, what="a new database")
        assert said(w, FAILS) == 1 and said(w, AGAIN) == 1, w.gateway.tail()


def test_a_place_that_cannot_hold_a_database_at_start():
    with World(register=()) as w:
        w.gateway.stop()
        for name in os.listdir(f"{w.dir}/state"):
            os.unlink(f"{w.dir}/state/{name}")
        os.rmdir(f"{w.dir}/state")
        with open(f"{w.dir}/state", "w", encoding="ascii"):
            pass
        w.start()
        w.alice = w.phone("1001", 11)
        serve(w)
        assert said(w, FAILS) == 1, w.gateway.tail()
        os.unlink(f"{w.dir}/state")
        wait_until(lambda: count_rows(w, "SELECT * FROM calls") == 1, 10, "the record kept")
        assert len(rows(w, "SELECT * FROM bindings")) == 1
