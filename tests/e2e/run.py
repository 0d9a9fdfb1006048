"""Runs the end-to-end tests: python3 run.py [-j N] [-t SECONDS] [WORD...]

N of them at a time, or up to twice as many while a processor is idle: most tests wait for clocks
and peers. Some compute: a file of those says `HEAVY = True`. They go first, since they are long as
well, two at a time, and behind all others where processors are wanted.

Each function test_* of each test_*.py beside this file is run in a process and a network namespace
of its own (lo is up, nothing else is there), so that tests can't meet each other, reach the
outside, or leave processes behind. WORDs pick tests whose "file::function" holds one of them. A
function may carry `function.timeout_s = N`, a file `ALONE = True`: its tests measure time and
run by themselves.

A machine that is busy with something else can spoil a test that measures. So what has failed is run
once more, by itself, when all others are done: it counts as it ends then, and is named as unsteady
when it passes. (Not when more than a dozen failed: that is no accident.)

Prints `ok name` or `FAIL name: why` and what the test and its gateways said, and ends with
`N passed, N failed, N skipped`; skips say why. Exit status 1 when one failed.
"""

import argparse
import ctypes
import importlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import harness

FOLDERS = "/dev/shm"  # of tests, if it holds ROOM: no disk of others' keeps a gateway waiting there
ROOM_BYTES = 1 << 30
HEAVY_MAX = 2
HERE = os.path.dirname(os.path.abspath(__file__))
CLONE_NEWNET, CLONE_NEWUSER = 0x40000000, 0x10000000
RERUNS_MAX = 12
PASSED, FAILED, SKIPPED = 0, 1, 77  # exit statuses of a test's process


class Running:
    """A test under way: its process, its output, its end."""

    def __init__(self, name, function, default_timeout_s):
        self.name, self.begun, self.heavy = name, time.monotonic(), is_heavy(function)
        self.limit_s = getattr(function, "timeout_s", default_timeout_s)
        self.output = tempfile.TemporaryFile()
        self.folder = tempfile.mkdtemp(prefix="twinleg-e2e-", dir=folder_of_folders())
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os._exit(run_here(function, self.output, self.folder))
        self.fd = os.pidfd_open(self.pid)
        self.status, self.cpu_s = None, 0.0

    def poll(self):
        """Whether it is over; ends it when its time is."""
        if not select.select([self.fd], [], [], 0)[0]:
            if time.monotonic() - self.begun < self.limit_s:
                return False
            self._kill_group()
            self.output.write(f"\nended after {self.limit_s} s".encode())
        _, status, used = os.wait4(self.pid, 0)
        self.cpu_s = used.ru_utime + used.ru_stime  # its gateways' and peers' among it
        self._kill_group()
        os.close(self.fd)
        self.status = os.waitstatus_to_exitcode(status)
        if self.status in (PASSED, SKIPPED):
            shutil.rmtree(self.folder, ignore_errors=True)
        return True

    def failed(self):
        return self.status not in (PASSED, SKIPPED)

    def _kill_group(self):
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def report(self):
        self.output.seek(0)
        text = self.output.read().decode("utf-8", "replace").strip()
        self.output.close()  # or hundreds would be open in each later test
        took = time.monotonic() - self.begun
        why = text.splitlines()[-1] if text else "no word of it"
        if self.status == PASSED:
            print(f"ok {self.name} ({took:.1f} s, {self.cpu_s:.1f} s of processor)")
        elif self.status == SKIPPED:
            print(f"skip {self.name}: {why}")
        else:
            print(f"FAIL {self.name}: {why}")
            print("".join(f"    | {line}\n" for line in text.splitlines()), end="")
            print(f"    | its files are in {self.folder}")
        sys.stdout.flush()


def folder_of_folders():
    """None: where temporary files are."""
    try:
        space = os.statvfs(FOLDERS)
    except OSError:
        return None
    return FOLDERS if space.f_bavail * space.f_frsize >= ROOM_BYTES else None


def is_heavy(function):
    return getattr(sys.modules[function.__module__], "HEAVY", False)


def run_here(function, output, folder):
    """In the child: own session, own network, own folder for temporary files, then the test."""
    os.setsid()
    sys.setswitchinterval(0.0005)  # one call's arithmetic holds up no other's packets
    if is_heavy(function):
        harness.PRIORITY = 0
    harness.go_first()
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    try:
        enter_network()
        function()
        return PASSED
    except harness.Skip as why:
        print(why, flush=True)
        return SKIPPED
    except BaseException as error:  # whatever it is, the test did not pass
        for gateway in harness.Gateway.started:
            print(f"--- log of {gateway.name}\n{gateway.tail(60)}")
        why = str(error).strip().split("\n")[0]
        print(f"---\n{traceback.format_exc()}---\n{type(error).__name__}: {why}", flush=True)
        return FAILED
    finally:
        sys.stdout.flush()


def enter_network():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0 and libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        raise harness.Skip("no right to make a network namespace here")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def collect(words):
    """[(name, function, alone)] of all test files, in order."""
    found = []
    for file in sorted(os.listdir(HERE)):
        if not (file.startswith("test_") and file.endswith(".py")):
            continue
        module = importlib.import_module(file[:-3])
        for attribute, function in vars(module).items():
            name = f"{file[:-3]}::{attribute}"
            if attribute.startswith("test_") and callable(function):
                if not words or any(word in name for word in words):
                    found.append((name, function, getattr(module, "ALONE", False)))
    return found


class Idleness:
    """How much of a processor has been idle, or given to the nice, since it was last asked for."""

    def __init__(self):
        self.before_s = self._idle_s()
        self.asked = time.monotonic()

    @staticmethod
    def _idle_s():
        with open("/proc/stat") as stat:
            _, _, nice, _, idle, waiting_for_disks = stat.readline().split()[:6]
        return (int(nice) + int(idle) + int(waiting_for_disks)) / os.sysconf("SC_CLK_TCK")

    def processors(self):
        """Processors idle on average over the last half second or more; 0 when asked too soon."""
        now = time.monotonic()
        if now - self.asked < 0.5:
            return 0
        idle_s = self._idle_s()
        processors = (idle_s - self.before_s) / (now - self.asked)
        self.before_s, self.asked = idle_s, now
        return processors


def pick(waiting, running):
    """Takes the next one: a heavy one as long as two of them do not run. None: not now."""
    heavies = sum(test.heavy for test in running)
    for i, (_, function, _) in enumerate(waiting):
        if is_heavy(function) == (heavies < HEAVY_MAX):
            return waiting.pop(i)
    return waiting.pop(0) if waiting and heavies < HEAVY_MAX else None


def run_all(tests, jobs, timeout_s, jobs_max=0):
    """Runs them, jobs at a time, or up to jobs_max while most of a processor is idle; the finished
    ones."""
    done, running, waiting = [], [], list(tests)
    idleness = Idleness()
    while waiting or running:
        while len(running) < jobs or (len(running) < jobs_max and idleness.processors() > 0.7):
            picked = pick(waiting, running)
            if not picked:
                break
            running.append(Running(*picked[:2], timeout_s))
        select.select([test.fd for test in running], [], [], 0.2)
        for test in [test for test in running if test.poll()]:
            running.remove(test)
            test.report()
            done.append(test)
    return done


def run_failed_again(tests, done, timeout_s):
    """Gives a few that failed a second run by themselves; the finished ones, each once."""
    failed = {test.name for test in done if test.failed()}
    if not failed or len(failed) > RERUNS_MAX:
        return done
    print("once more, by themselves: " + " ".join(sorted(failed)))
    again = run_all([test for test in tests if test[0] in failed], 1, timeout_s)
    unsteady = [test.name for test in again if not test.failed()]
    if unsteady:
        print("unsteady, passed by themselves only: " + " ".join(unsteady))
    return [test for test in done if test.name not in failed] + again


def main():
    os.umask(0o027)  # configurations hold passwords
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("-j", "--jobs", type=int, default=4 * (os.cpu_count() or 1))
    options.add_argument("-t", "--timeout", type=float, default=60.0)
    options.add_argument("words", nargs="*")
    args = options.parse_args()

    tests = collect(args.words)
    done = run_all([test for test in tests if not test[2]], args.jobs, args.timeout, 2 * args.jobs)
    done += run_all([test for test in tests if test[2]], 1, args.timeout)

    done = run_failed_again(tests, done, args.timeout)

    failed = [test.name for test in done if test.failed()]
    if failed:
        print("failed: " + " ".join(failed))
    passed = sum(test.status == PASSED for test in done)
    skipped = sum(test.status == SKIPPED for test in done)
    print(f"{passed} passed, {len(failed)} failed, {skipped} skipped")
    return 1 if failed or not done else 0


if __name__ == "__main__":
    sys.path.insert(0, HERE)
    sys.exit(main())
