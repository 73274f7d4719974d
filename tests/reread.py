#!/usr/bin/env python3
"""Reads collections from a server and from an archive, with no code of elysiactl, and compares every object by value,
vectors by the bits of their float32.   reread.py URL ARCHIVE [OLD=NEW...]   (plain parts only)
Without new names, the source of a backup: times count too. With new names, what a restore made: references follow, times
are the server's own, and only the collections named are read."""
import glob, json, os, re, struct, sys, urllib.request

url, archive, names, differ = sys.argv[1], sys.argv[2], dict(pair.split("=") for pair in sys.argv[3:]), 0

def bits(v):
    return [bits(x) for x in v] if isinstance(v, list) else struct.pack("<f", v)

def follow(v):
    """The beacons of an archived value under the new names, each with its href as the server derives it."""
    if isinstance(v, list): return [follow(x) for x in v]
    if not isinstance(v, dict): return v
    if "beacon" not in v: return {k: follow(x) for k, x in v.items()}
    return {k: re.sub(r"(?<=localhost/)[^/]+|(?<=objects/)[^/]+", lambda m: names.get(m[0], m[0]), x) for k, x in v.items()}

def plain(o, archived):
    vectors = {k: bits(v) for k, v in {**(o.get("vectors") or {}), "default": o.get("vector")}.items() if v}
    # repr, since 1 == 1.0 == True and 0.0 == -0.0 for Python.
    properties = repr(sorted((follow(o["properties"]) if archived else o["properties"]).items()))
    return properties, vectors, None if names else (o["creationTimeUnix"], o["lastUpdateTimeUnix"])

for c in json.load(open(os.path.join(archive, "manifest.json")))["collections"]:
    if names and c["name"] not in names: continue
    there = names.get(c["name"], c["name"])
    parts = sorted(glob.glob(os.path.join(archive, "collections", c["folder"], "objects-*.jsonl")))
    lines = [json.loads(line) for part in parts for line in open(part, encoding="utf-8", newline="\n")]
    stored, live, after = {o["id"]: plain(o, True) for o in lines}, {}, ""
    while page := json.load(urllib.request.urlopen(f"{url}/v1/objects?class={there}&limit=500&include=vector&after={after}"))["objects"]:
        live.update((o["id"], plain(o, False)) for o in page)
        after = page[-1]["id"]
    bad = len(lines) - len(stored) + sum(stored.get(i) != live.get(i) for i in stored.keys() | live.keys())
    differ += bad
    print(f"{there}: {len(live)} live, {len(lines)} stored, {bad} differ")
sys.exit(differ != 0)
