#!/usr/bin/env python3
"""Restores a collection from an archive and sends the same objects bare, in turns, and prints every round and the ratio.
restore_rounds.py ARCHIVE NAME BATCH JOBS INDEX ROUNDS      both write into NAME + "Copy"; INDEX is for null_import.py"""
import json, os, re, statistics, subprocess, sys, time, urllib.request

archive, name, batch, jobs, index, rounds = *sys.argv[1:6], int(sys.argv[6])
url, here = os.environ["WEAVIATE_URL"], os.path.dirname(os.path.abspath(__file__))
rates = {}

def drop():
    urllib.request.urlopen(urllib.request.Request(f"{url}/v1/schema/{name}Copy", method="DELETE"))

def note(side, rate, said):
    rates.setdefault(side, []).append(rate)
    print(f"{side:<24} {rate:7.0f} objects/s  {said}", flush=True)

for _ in range(rounds):
    for side, pace in (("restore", ["--batch-size", batch, "--jobs", jobs]), ("restore at its own pace", [])):
        drop()
        command = ["elysiactl", "--json", "-q", "col", "restore", archive, "--only", name, "--name", name + "Copy", "-y", "--no-verify", *pace]
        started = time.time()
        done = subprocess.run(command, capture_output=True, text=True)
        seconds = time.time() - started
        if done.returncode:
            sys.exit(done.stderr)
        last = json.loads(done.stdout.splitlines()[-1])
        note(side, last["objects"] / seconds, f"{seconds:.2f} s, peak {last['peak_memory_bytes'] / 2**20:.1f} MiB")
    drop()
    said = subprocess.run([sys.executable, "null_import.py", name, batch, jobs, index], capture_output=True, text=True, cwd=here).stdout
    note("null_import", float(re.search(r"(\d+) objects/s", said)[1]), said.strip())
bare = statistics.median(rates["null_import"])
for side, all_rates in rates.items():
    print(f"median {side:<24} {statistics.median(all_rates):7.0f} objects/s, {statistics.median(all_rates) / bare:.2f} x null_import")
