#!/usr/bin/env python3
"""Reads collections from a server and from an archive, with no code of elysiactl, and compares every object by value,
vectors by the bits of their float32.   reread.py URL ARCHIVE [OLD=NEW...]   (plain parts only)
Without new names, the source of a backup: times count too. With new names, what a restore made: references follow, times
are the server's own, and only the collections named are read. Tenants are compared one by one, and their states; those
that are inactive are activated one at a time, and deactivated again. OLD/TENANT=NEW/TENANT2 compares these two tenants alone; without a tenant
on one side the collection there is a plain one."""
import hashlib, json, os, re, struct, sys, urllib.request

url, archive, differ, pairs = sys.argv[1], sys.argv[2], 0, [pair.split("=") for pair in sys.argv[3:]]
names = {old.split("/")[0]: new.split("/")[0] for old, new in pairs}
chosen = {tuple((old + "/").split("/")[:2]): (new + "/").split("/")[1] for old, new in pairs if "/" in old + new}

def bits(v):
    return [bits(x) for x in v] if v and isinstance(v[0], list) else struct.pack(f"<{len(v)}f", *v)

def follow(v):
    """The beacons of an archived value under the new names, each with its href as the server derives it."""
    if isinstance(v, list): return [refer(x) if is_reference(x) else follow(x) for x in v]
    return {k: follow(x) for k, x in v.items()} if isinstance(v, dict) else v

def is_reference(v):
    """An element of a reference property: a property named beacon is none, whatever its text."""
    return isinstance(v, dict) and v.keys() <= {"beacon", "href"} and str(v.get("beacon")).startswith("weaviate://")

def refer(v):
    return {k: re.sub(r"(?<=localhost/)[^/]+|(?<=objects/)[^/]+", lambda m: names.get(m[0], m[0]), x) for k, x in v.items()}

def plain(o, archived):
    """What has to be equal of an object, as a hash: of a large collection there is no room for more."""
    vectors = {k: bits(v) for k, v in {**(o.get("vectors") or {}), "default": o.get("vector")}.items() if v}
    # repr, since 1 == 1.0 == True and 0.0 == -0.0 for Python.
    properties = repr(sorted((follow(o["properties"]) if archived else o["properties"]).items()))
    times = None if names else (o["creationTimeUnix"], o["lastUpdateTimeUnix"])
    return hashlib.sha256(repr((properties, sorted(vectors.items()), times)).encode()).digest()

def send(method, path, body):
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(url + path, json.dumps(body).encode(), headers, method=method)).read()

def listed(collection, tenant):
    live, after, of = {}, "", f"&tenant={tenant}" if tenant else ""
    while page := json.load(urllib.request.urlopen(f"{url}/v1/objects?class={collection}&limit=500&include=vector&after={after}{of}"))["objects"]:
        live.update((o["id"], plain(o, False)) for o in page)
        after = page[-1]["id"]
    return live

def lines_by_tenant(folder, tenants):
    """The objects of each tenant, or of the plain collection (None), by the index: ids and hashes."""
    lines = {t["tenant"]: [] for t in tenants}
    for run in map(json.loads, open(os.path.join(folder, "index.jsonl"), encoding="utf-8")):
        if run["part"] is None: continue
        with open(os.path.join(folder, run["part"]), "rb") as part:
            part.seek(run["offset"])
            objects = map(json.loads, part.read(run["bytes"]).splitlines())
            lines[run["tenant"]] += [(o["id"], plain(o, True)) for o in objects]
    return lines

for c in json.load(open(os.path.join(archive, "manifest.json")))["collections"]:
    if names and c["name"] not in names: continue
    there, folder = names.get(c["name"], c["name"]), os.path.join(archive, "collections", c["folder"])
    bad, all_live, all_stored, states, kept = 0, 0, 0, {}, {}
    all_of_it = lines_by_tenant(folder, c["tenants"])
    only = {old or None: new or None for (name, old), new in chosen.items() if name == c["name"]}
    if c["multi_tenant"]:
        kept = {t["name"]: t["activityStatus"] for t in json.load(open(os.path.join(folder, "tenants.json")))}
    if any(only.values()) if only else c["multi_tenant"]:
        states = {t["name"]: t["activityStatus"] for t in json.load(urllib.request.urlopen(f"{url}/v1/schema/{there}/tenants"))}
    if only:
        bad += sum(states.get(new) != kept.get(old, "HOT") for old, new in only.items() if new)
        states = {new: states.get(new) for new in only.values() if new}
    else:
        # Every tenant is there, in the state that the archive knows.
        bad += sum(states.get(t) != kept.get(t) for t in states.keys() | kept.keys())
        only = {tenant: tenant for tenant in all_of_it}
    for tenant, lines in ((new, all_of_it[old]) for old, new in only.items()):
        asleep = states.get(tenant) == "COLD"
        if asleep: send("PUT", f"/v1/schema/{there}/tenants", [{"name": tenant, "activityStatus": "HOT"}])
        stored, live = dict(lines), listed(there, tenant)
        if asleep: send("PUT", f"/v1/schema/{there}/tenants", [{"name": tenant, "activityStatus": "COLD"}])
        bad += len(lines) - len(stored) + sum(stored.get(i) != live.get(i) for i in stored.keys() | live.keys())
        all_live, all_stored = all_live + len(live), all_stored + len(lines)
    differ += bad
    tenants = f" in {len(states)} tenants" if states else ""
    print(f"{there}: {all_live} live, {all_stored} stored{tenants}, {bad} differ")
sys.exit(differ != 0)
