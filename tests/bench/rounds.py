#!/usr/bin/env python3
"""Runs commands in turns, round by round, and prints every round and the ratio of medians against the first one.
rounds.py ROUNDS OBJECTS NAME=COMMAND NAME=COMMAND ...      each COMMAND is one string for the shell"""
import os, statistics, subprocess, sys, time

rounds, objects = int(sys.argv[1]), int(sys.argv[2])
sides = [side.split("=", 1) for side in sys.argv[3:]]
rates, peaks = {name: [] for name, _ in sides}, {name: [] for name, _ in sides}
for n in range(rounds):
    for name, command in sides:
        started = time.time()
        child = subprocess.Popen(["sh", "-c", command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        said = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.time() - started
        if status:
            sys.exit(f"{name} failed: {said.decode()[-500:]}")
        rates[name].append(objects / seconds)
        peaks[name].append(usage.ru_maxrss / 1024)
        print(f"round {n + 1}  {name:<20} {seconds:7.2f} s  {objects / seconds:9.0f} objects/s  peak {usage.ru_maxrss / 1024:6.1f} MiB", flush=True)
first = statistics.median(rates[sides[0][0]])
for name, _ in sides:
    rate = statistics.median(rates[name])
    print(f"median   {name:<20} {rate:9.0f} objects/s  {sides[0][0]} is {first / rate:5.2f} x as fast  peak {max(peaks[name]):6.1f} MiB")
