#!/usr/bin/env python3
"""Fills a collection and empties it, by `col clear` in both ways and by null_delete.py, in turns, and prints every round
and the ratios.   clear_rounds.py OBJECTS DIM ROUNDS"""
import json, os, re, statistics, subprocess, sys, tempfile, time

objects, dim, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
here, name, rates = os.path.dirname(os.path.abspath(__file__)), "ClearBench", {}

def program(*words):
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, cwd=here)
    return done.stdout if done.returncode == 0 else sys.exit(done.stderr)

def clear(method):
    command = ["elysiactl", "--json", "-q", "col", "clear", name, "--yes", "--method", method, "-o", tempfile.mkdtemp()]
    started = time.time()
    done = subprocess.run(command, capture_output=True, text=True)
    seconds = time.time() - started
    if done.returncode:
        sys.exit(done.stderr)
    peak = json.loads(done.stdout.splitlines()[-1])["peak_memory_bytes"] / 2**20
    return seconds, f"peak {peak:.1f} MiB"

def bare():
    said = program("null_delete.py", name).strip()
    return float(re.search(r"objects (\S+) s", said)[1]), said.split(", ")[-1]

for _ in range(rounds):
    for side, run in (("delete", lambda: clear("delete")), ("null_delete", bare), ("recreate", lambda: clear("recreate"))):
        program("load.py", name, objects, dim, "flat")
        seconds, more = run()
        rates.setdefault(side, []).append(int(objects) / seconds)
        print(f"{side:<12} {int(objects) / seconds:8.0f} objects/s  {seconds:6.2f} s  {more}", flush=True)
for side, each in rates.items():
    ratio = statistics.median(each) / statistics.median(rates["null_delete"])
    print(f"median {side:<12} {statistics.median(each):8.0f} objects/s, {ratio:.2f} x null_delete")
