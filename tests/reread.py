#!/usr/bin/env python3
"""Reads collections from a server and from an archive, with no code of elysiactl, and compares every object by value,
vectors by the bits of their float32.   reread.py URL ARCHIVE   (plain parts only)"""
import glob, json, os, struct, sys, urllib.request

def bits(v):
    return [bits(x) for x in v] if isinstance(v, list) else struct.pack("<f", v)

def plain(o):
    vectors = {k: bits(v) for k, v in {**(o.get("vectors") or {}), "default": o.get("vector")}.items() if v}
    return o["properties"], o["creationTimeUnix"], o["lastUpdateTimeUnix"], vectors

url, archive, differ = sys.argv[1], sys.argv[2], 0
for c in json.load(open(os.path.join(archive, "manifest.json")))["collections"]:
    parts = sorted(glob.glob(os.path.join(archive, "collections", c["folder"], "objects-*.jsonl")))
    lines = [json.loads(line) for part in parts for line in open(part, encoding="utf-8", newline="\n")]
    stored, live, after = {o["id"]: plain(o) for o in lines}, {}, ""
    while page := json.load(urllib.request.urlopen(f"{url}/v1/objects?class={c['name']}&limit=500&include=vector&after={after}"))["objects"]:
        live.update((o["id"], plain(o)) for o in page)
        after = page[-1]["id"]
    bad = len(lines) - len(stored) + sum(stored.get(i) != live.get(i) for i in stored.keys() | live.keys())
    differ += bad
    print(f"{c['name']}: {len(live)} live, {len(lines)} stored, {bad} differ")
sys.exit(differ != 0)
