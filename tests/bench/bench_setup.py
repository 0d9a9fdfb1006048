#!/usr/bin/env python3
"""Call set-up through the real gateway, with SIPp as caller and as callee.

    bench_setup.py [--twinleg PATH] [--rates 50,100,200,400,800] [--seconds 5]

The gateway has the first core to itself, the SIPps share the others. Each call: INVITE, 100, 180,
200, ACK, 20 ms of sound to the callee, who sends it back, a tenth of a second of nothing, BYE, 200,
on both legs; the call's record is written. By turns the sound is relayed (PCMU on both legs) and
goes through a chain each way (PCMU, PCMA). Printed for each rate: calls that failed, the gateway's
CPU milliseconds a call, from its INVITE to its record; set-up time from INVITE to 200 as the caller
sees it, and resident memory. It stops at the first rate with a failure.

What of that is set-up is told by calls that are held until all are up (relayed: in a chain, silence
is made up for a second): CPU until they are. They are made twice, since the first time the process
grows by the memory of so many calls. With a chain it is that, and what a whole call costs more with
one than without, some silence made up before the BYE included (a chain is built by the first packet,
so there is none without sound); wanted is 1 ms at the most.
"""

import argparse
import csv
import glob
import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

GATEWAY, CALLER, CALLEE = "127.0.77.1", "127.0.77.2", "127.0.77.3"
HOLD_MS = 100
SLACK_S = 1.5  # from the last INVITE until all are up, from there until the first BYE
HERE = os.path.dirname(os.path.abspath(__file__))
# what is printed, the trunk that is called, its codec by payload type, and whether calls are held
PATHS = (("relay", "callee", 0, False), ("chain", "other", 8, False), ("held", "callee", 0, True),
         ("again", "callee", 0, True))
CONFIG = f"""
[gateway]
listen = udp:{GATEWAY}:5060
domain = bench.test
rtp-ports = 10000-64999
state = {{dir}}/state
recordings = {{dir}}/recordings
prompts = {{dir}}
control = {{dir}}/control
workers = 1

[trunk caller]
host = {CALLER}:5060
codecs = PCMU

[trunk callee]
host = {CALLEE}:5060
codecs = PCMU

[trunk other]
host = {CALLEE}:5060
codecs = PCMA

[route through]
from = trunk:caller
to = callee
ring = trunk:callee

[route chain]
from = trunk:caller
to = other
ring = trunk:other
"""


def cpu_ms(pid):
    """CPU time that a process has used: the clock that clock_getcpuclockid(3) names."""
    return time.clock_gettime((~pid << 3) | 2) * 1e3


def status_of(pid, key):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(key + ":"):
                return int(line.split()[1])
    return 0


def cores():
    """Ours for the gateway, and those left for its peers."""
    all_cores = sorted(os.sched_getaffinity(0))
    return all_cores[:1], all_cores[1:] or all_cores


def spawn(args, on, folder, **more):
    return subprocess.Popen(args, cwd=folder, stdin=subprocess.DEVNULL,
                            preexec_fn=lambda: os.sched_setaffinity(0, on), **more)


def wait_ready(gateway, folder):
    """Until it is bound: SIPp's calls would be lost before."""
    deadline = time.monotonic() + 10
    wanted = "".join(f"{int(part):02X}" for part in reversed(GATEWAY.split("."))) + ":13C4"
    while time.monotonic() < deadline and gateway.poll() is None:
        with open("/proc/net/udp", encoding="ascii") as table:
            if wanted in table.read():
                return
        time.sleep(0.05)
    with open(f"{folder}/gateway.log", encoding="utf-8", errors="replace") as log:
        sys.exit(f"bench_setup: the gateway did not start:\n{log.read()[-2000:]}")


def calls_up(twinleg, folder):
    """How many calls there are now."""
    told = subprocess.run([twinleg, "status", "--control", f"{folder}/control", "--json"],
                          check=True, capture_output=True, text=True)
    return json.loads(told.stdout)["calls"]


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else 0.0


def read_rows(folder, pattern):
    found = glob.glob(f"{folder}/{pattern}")
    if not found:
        return []
    with open(found[0], encoding="ascii", errors="replace") as file:
        return list(csv.DictReader(file, delimiter=";"))


def run_rate(gateway, twinleg, folder, path, rate, seconds, on):
    """One rate: a row of figures."""
    name, number, pt, held = path
    calls = rate * seconds
    hold_ms = int((seconds + 2 * SLACK_S) * 1000) if held else HOLD_MS
    callee = spawn(["sipp", "-sf", f"{HERE}/setup_callee.xml", "-i", CALLEE, "-p", "5060",
                    "-mi", CALLEE, "-mp", "7000", "-rtp_echo", "-key", "pt", str(pt), "-nostdin",
                    "-m", str(calls)],
                   on, folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.3)
    before_ms, before_kb, began = cpu_ms(gateway.pid), status_of(gateway.pid, "VmRSS"), time.time()
    caller = spawn(["sipp", "-sf", f"{HERE}/setup_caller.xml", "-i", CALLER, "-p", "5060",
                    "-mi", CALLER, "-nostdin", "-s", number, "-r", str(rate), "-m", str(calls),
                    "-l", str(calls), "-d", str(hold_ms),
                    "-timeout", str(2 * seconds + 20), "-trace_stat", "-fd", "1", "-trace_rtt",
                    "-rtt_freq", "1", f"{GATEWAY}:5060"],
                   on, folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    up_ms, up = 0, calls
    if held:
        time.sleep(seconds + SLACK_S)
        up_ms, up = cpu_ms(gateway.pid) - before_ms, calls_up(twinleg, folder)
    status = caller.wait()
    took_s = time.time() - began
    used_ms = cpu_ms(gateway.pid) - before_ms
    after_kb = status_of(gateway.pid, "VmRSS")
    try:
        callee.wait(2)
    except subprocess.TimeoutExpired:
        callee.kill()
        callee.wait()
    last = (read_rows(folder, "setup_caller_*_.csv") or [{}])[-1]
    rtts = [float(row["response_time_ms"]) for row in read_rows(folder, "setup_caller_*_rtt.csv")
            if row.get("response_time_ms")]
    for file in glob.glob(f"{folder}/*.csv"):
        os.unlink(file)
    done = int(last.get("SuccessfulCall(C)", 0))
    return {"path": name, "rate": rate, "calls": calls, "failed": calls - min(done, up), "status": status,
            "again": int(last.get("Retransmissions(C)", 0)), "cpu_ms": used_ms / calls,
            "up_ms": up_ms / calls,
            "busy": used_ms / took_s / 10, "p50": percentile(rtts, 0.5),
            "p99": percentile(rtts, 0.99), "kb": (after_kb - before_kb) / calls,
            "rss_kb": after_kb, "threads": status_of(gateway.pid, "Threads")}


def heard_share(folder):
    """Of the callers, by the calls' records: per cent to whom a packet was sent."""
    with sqlite3.connect(f"file:{folder}/state/twinleg.db?mode=ro", uri=True) as database:
        records = [json.loads(row[0]) for row in database.execute("SELECT record FROM calls")]
    return 100 * sum(r["a"]["tx_pkts"] > 0 for r in records) / max(len(records), 1)


def go_first():
    """Before whatever else runs here, as far as we may: only root can."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -15)
        with open("/proc/self/autogroup", "w", encoding="ascii") as file:
            file.write("-15")
    except OSError:
        pass  # then the machine had better be idle


def bench(arguments, folder):
    mine, theirs = cores()
    go_first()
    os.mkdir(f"{folder}/state")
    with open(f"{folder}/twinleg.ini", "w", encoding="utf-8") as file:
        file.write(CONFIG.format(dir=folder))
    with open(f"{folder}/word.raw", "wb") as file:
        file.write(os.urandom(160))
    with open(f"{folder}/gateway.log", "wb") as log:
        gateway = spawn([arguments.twinleg, "run", f"{folder}/twinleg.ini"], mine, folder,
                        stdout=log, stderr=log)
    try:
        wait_ready(gateway, folder)
        print(f"{'path':>6} {'calls/s':>8} {'calls':>6} {'failed':>6} {'re-sent':>7} "
              f"{'CPU-ms/call':>11} "
              f"{'core %':>6} {'p50 ms':>7} {'p99 ms':>7} {'kB/call':>8} {'RSS kB':>8} "
              f"{'threads':>7}")
        costs = {}
        for rate, path in itertools.product(arguments.rates, PATHS):
            row = run_rate(gateway, arguments.twinleg, folder, path, rate, arguments.seconds, theirs)
            print(f"{row['path']:>6} {row['rate']:8} {row['calls']:6} {row['failed']:6} "
                  f"{row['again']:7} {row['cpu_ms']:11.2f} {row['busy']:6.0f} {row['p50']:7.1f} "
                  f"{row['p99']:7.1f} {row['kb']:8.1f} {row['rss_kb']:8} {row['threads']:7}",
                  flush=True)
            costs[row["path"]] = row["cpu_ms"]
            if row["path"] == "again":
                print(f"{'set-up:':>14} relay {row['up_ms']:.2f}, chain "
                      f"{row['up_ms'] + costs['chain'] - costs['relay']:.2f}", flush=True)
            if row["failed"] or gateway.poll() is not None:
                break
        print(f"\n{heard_share(folder):.0f} % of the callers heard what they said come back.")
        print("kB/call: growth of resident memory over this rate's calls. Transactions linger "
              "for 32 s after a call.")
    finally:
        if gateway.poll() is None:
            gateway.send_signal(signal.SIGTERM)
            try:
                gateway.wait(20)
            except subprocess.TimeoutExpired:
                gateway.kill()
    if gateway.returncode:
        sys.exit(f"bench_setup: the gateway ended with status {gateway.returncode}, "
                 f"log in {folder}/gateway.log")


def main():
    os.umask(0o027)  # the configuration holds passwords
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--twinleg", default=os.environ.get("TWINLEG", "twinleg"),
                        type=lambda name: shutil.which(name) and os.path.abspath(shutil.which(name)))
    parser.add_argument("--rates", default="50,100,200,400,800",
                        type=lambda text: [int(word) for word in text.split(",")])
    parser.add_argument("--seconds", default=5, type=int)
    arguments = parser.parse_args()
    if not shutil.which("sipp"):
        sys.exit("bench_setup: SIPp is not installed (package sip-tester)")
    folder = tempfile.mkdtemp(prefix="twinleg-bench-")
    bench(arguments, folder)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
