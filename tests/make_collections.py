#!/usr/bin/env python3
"""Fills a server with collections of every kind that its version has, over plain REST with no code of elysiactl:
make_collections.py URL [NAME...]      names: Types Named Refs Web Ring Shards Plain Wide Packed Rented, and from 1.32 on
Multi and Mixed, and an alias. Web refers to itself, the three of Ring go round in a circle, Rented is multi-tenant."""
import json, random, struct, sys, urllib.error, urllib.request, uuid

url, wanted = sys.argv[1].rstrip("/"), sys.argv[2:]
rng = random.Random(7)

def send(method, path, body):
    request = urllib.request.Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method)
    try:
        return json.load(urllib.request.urlopen(request))
    except urllib.error.HTTPError as e:
        sys.exit(f"{method} {path}: {e.code} {e.read().decode()[:500]}")

def vector(dim):
    """Finite float32 values of any exponent that cosine distance can bear, some of them special."""
    def one():
        kind = rng.random()
        if kind < 0.02: return rng.choice([0.0, -0.0, 1.0, -1.0, 1e-30, 16777216.0, 1.1754944e-38, 1e-45])
        if kind < 0.2: return struct.unpack("<f", struct.pack("<I", rng.getrandbits(31) % 0x60000000 | rng.getrandbits(1) << 31))[0]
        return struct.unpack("<f", struct.pack("<f", rng.gauss(0, 1)))[0]
    return [one() for _ in range(dim)]

def text(words=12):
    letters = "abcdefgh éßø漢😀\"\\/<>&\u2028\u0001\t"
    return " ".join("".join(rng.choice(letters) for _ in range(rng.randint(1, 9))) for _ in range(words))

def nid(n):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"elysiactl/{n}"))

def date():
    return rng.choice(["2024-01-02T03:04:05Z", "1969-07-20T20:17:40.123+02:00", "2026-11-25T00:00:00.000000001Z", f"20{rng.randint(10, 99)}-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}T1{rng.randint(0, 9)}:00:00-05:30"])

def integer():
    return rng.choice([0, -1, 9007199254740991, -9007199254740993, rng.randint(-10**15, 10**15), 9223372036854774784])

def number():
    return rng.choice([0.1, -0.0, 1e-300, 1.7976931348623157e308, rng.gauss(0, 1e6), 1e21, 123456789012345680000.0, 5e-324])

def geo():
    return {"latitude": round(rng.uniform(-90, 90), 5), "longitude": round(rng.uniform(-180, 180), 5)}

def phone():
    return rng.choice([{"input": "020 1234567", "defaultCountry": "nl"}, {"input": "+49 30 123456"}])

def nested():
    return {"s": text(2), "i": integer(), "d": date(), "u": nid(rng.random()), "deep": {"n": number(), "b": [True, False]}}

NESTED = [{"name": "s", "dataType": ["text"]}, {"name": "i", "dataType": ["int"]}, {"name": "d", "dataType": ["date"]},
          {"name": "u", "dataType": ["uuid"]}, {"name": "deep", "dataType": ["object"], "nestedProperties": [
              {"name": "n", "dataType": ["number"]}, {"name": "b", "dataType": ["boolean[]"]}]}]
MAKERS = {"text": text, "int": integer, "number": number, "boolean": lambda: rng.random() < .5, "date": date,
          "uuid": lambda: nid(rng.random()), "geoCoordinates": geo, "phoneNumber": phone, "blob": lambda: "aGVsbG8gd29ybGQ=", "object": nested}
LISTS = ["text", "int", "number", "boolean", "date", "uuid", "object"]

def properties():
    one = lambda name, kind: {"name": name, "dataType": [kind], **({"nestedProperties": NESTED} if kind.startswith("object") else {})}
    return [one(f"p_{k}", k) for k in MAKERS] + [one(f"l_{k}", k + "[]") for k in LISTS]

def values():
    made = {f"p_{k}": make() for k, make in MAKERS.items() if rng.random() < .9}
    made.update({f"l_{k}": [MAKERS[k]() for _ in range(rng.randint(0, 4))] for k in LISTS if rng.random() < .9})
    return made

def make(name, document, objects, batch=200):
    if wanted and name not in wanted: return
    urllib.request.urlopen(urllib.request.Request(f"{url}/v1/schema/{name}", method="DELETE"))
    send("POST", "/v1/schema", {"class": name, **document})
    failed, waiting, sent = [], [], 0
    def flush():
        nonlocal sent
        for said in send("POST", "/v1/batch/objects", {"objects": waiting}) if waiting else []:
            if said["result"].get("status") != "SUCCESS": failed.append(said["result"].get("errors"))
        sent += len(waiting)
        waiting.clear()
    for one in objects:
        waiting.append({"class": name, **one})
        if len(waiting) == batch: flush()
    flush()
    print(f"{name}: {sent} sent, {len(failed)} refused {failed[:1] if failed else ''}", flush=True)

version = tuple(int(n) for n in json.load(urllib.request.urlopen(f"{url}/v1/meta"))["version"].split("-")[0].split(".")[:2])
flat = {"vectorizer": "none", "vectorIndexType": "flat"}
ends = ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]
make("Types", {"vectorizer": "none", "properties": properties(), "invertedIndexConfig": {"indexTimestamps": True, "indexNullState": True, "bm25": {"k1": 1.3, "b": .7}}},
     ({"id": i, "properties": values(), "vector": vector(16)} for i in ends + [nid(n) for n in range(2998)]))
named = {"vectorConfig": {"a": {"vectorizer": {"none": {}}, "vectorIndexType": "hnsw", "vectorIndexConfig": {"distance": "l2-squared", "ef": 77}},
                          "b": {"vectorizer": {"none": {}}, "vectorIndexType": "flat"}}}
make("Named", {**named, "properties": [{"name": "t", "dataType": ["text"], "tokenization": "field"}]},
     ({"id": nid(f"named{n}"), "properties": {"t": text()}, "vectors": {k: vector(d) for k, d in (("a", 8), ("b", 24)) if (n + d) % 5}} for n in range(2500)))
beacon = lambda c, n: {"beacon": f"weaviate://localhost/{c}/{nid(n)}"}
make("Refs", {**flat, "properties": [{"name": "t", "dataType": ["text"]}, {"name": "to", "dataType": ["Types"]}, {"name": "any", "dataType": ["Types", "Named"]}]},
     ({"id": nid(f"refs{n}"), "vector": vector(4), "properties": {"t": text(3),
       **({"to": [beacon("Types", k % 2998) for k in (n, n + 7, n, n + 1)][: n % 5]} if n % 5 else {}),
       **({"any": [beacon("Named", f"named{n}"), beacon("Types", n)]} if n % 3 else {})}} for n in range(1500)))
def refer(triples, tenants=None):
    """Adds references: collection and number, property, collection and number; without tenants the targets need not exist."""
    items = [{"from": f"{beacon(*source)['beacon']}/{prop}", "to": beacon(*target)["beacon"]} for source, prop, target in triples]
    for item, tenant in zip(items, tenants or []): item["tenant"] = tenant
    for at in range(0, len(items), 1000):
        said = [r["result"] for r in send("POST", "/v1/batch/references", items[at:at + 1000])]
        if refused := [r for r in said if r.get("status") != "SUCCESS"]: sys.exit(f"{len(refused)} references refused {refused[:1]}")
    print(f"{len(items)} references")

t = {"name": "t", "dataType": ["text"]}
if not wanted or "Web" in wanted:
    # To itself: lists of any length, repeats, some of them to objects that are not there, one of 400.
    web = lambda n: ("Web", f"web{n}")
    make("Web", {**flat, "shardingConfig": {"desiredCount": 3}, "properties": [t, {"name": "to", "dataType": ["Web"]}, {"name": "also", "dataType": ["Web"]}]},
         ({"id": nid(f"web{n}"), "vector": vector(4), "properties": {"t": text(3)}} for n in range(1500)))
    refer([(web(n), "to", web((n * 31 + k // 2 * 7) % (1600 if n % 9 == 0 else 1500))) for n in range(1500) for k in range(n % 8)]
          + [(web(n), "also", web(n)) for n in range(0, 1500, 3)] + [(web(1), "also", web(k * k % 1500)) for k in range(400)])
if not wanted or "Ring" in wanted:
    # In a circle, RingA to RingB to RingC and back, and to several at once.
    names = ["RingA", "RingB", "RingC"]
    if wanted: wanted += names
    for name in names:
        make(name, {**flat, "properties": [t]}, ({"id": nid(f"{name}{n}"), "vector": vector(4), "properties": {"t": text(3)}} for n in range(700)))
    for at, name in enumerate(names):
        send("POST", f"/v1/schema/{name}/properties", {"name": "next", "dataType": [names[(at + 1) % 3]]})
        send("POST", f"/v1/schema/{name}/properties", {"name": "any", "dataType": names, "description": "all of them"})
    ring = lambda at, n: (names[at % 3], f"{names[at % 3]}{n % (720 if n % 5 == 0 else 700)}")
    refer([(ring(at, n), "next", ring(at + 1, n * 3 + k)) for at in range(3) for n in range(700) for k in (0, 1, 0)]
          + [(ring(at, n), "any", ring(at + k, n + k)) for at in range(3) for n in range(700) for k in range(n % 5)])
make("Shards", {**flat, "shardingConfig": {"desiredCount": 3}, "properties": [{"name": "t", "dataType": ["text"]}]},
     ({"id": nid(f"shards{n}"), "vector": vector(8), "properties": {"t": text()}} for n in range(4000)))
make("Plain", {**flat, "properties": [{"name": "n", "dataType": ["int"]}]}, ({"id": nid(f"plain{n}"), "properties": {"n": n}} for n in range(1200)))
make("Wide", {**flat, "properties": [{"name": "t", "dataType": ["text"]}, {"name": "n", "dataType": ["number"]}]},
     ({"id": nid(f"wide{n}"), "vector": [rng.gauss(0, 1) for _ in range(1536)], "properties": {"t": text(30), "n": number()}} for n in range(10000)))
make("Packed", {"vectorizer": "none", "vectorIndexType": "flat", "vectorIndexConfig": {"bq": {"enabled": True}}, "properties": [{"name": "t", "dataType": ["text"]}]},
     ({"id": nid(f"packed{n}"), "vector": vector(32), "properties": {"t": text(3)}} for n in range(1500)))
if not wanted or "Rented" in wanted:
    make("Rented", {**flat, "multiTenancyConfig": {"enabled": True}, "properties": [t, {"name": "home", "dataType": ["Plain"]}, {"name": "friend", "dataType": ["Rented"]}]}, [])
    tenants = [f"tenant-{n:02}" for n in range(40)]
    send("POST", "/v1/schema/Rented/tenants", [{"name": name} for name in tenants])
    # The same ids in every tenant; every tenth tenant is empty, one is large.
    held = {name: (0 if n % 10 == 9 else 3000 if n == 5 else 5 + n) for n, name in enumerate(tenants)}
    rented = [{"class": "Rented", "tenant": name, "id": nid(f"rented{n}"), "vector": vector(6),
               "properties": {"t": f"{name} {n} {text(2)}", **({"home": [beacon("Plain", f"plain{n % 1200}")]} if n % 2 else {})}} for name in tenants for n in range(held[name])]
    for at in range(0, len(rented), 300):
        bad = [r["result"] for r in send("POST", "/v1/batch/objects", {"objects": rented[at:at + 300]}) if r["result"].get("status") != "SUCCESS"]
        if bad: sys.exit(f"Rented: {bad[:1]}")
    # Unlike elsewhere, a reference of a tenant's object is only taken if its target is there.
    friends = [(name, n) for name in tenants for n in range(0, held[name] - 1, 4)]
    refer([(("Rented", f"rented{n}"), "friend", ("Rented", f"rented{n + 1}")) for _, n in friends], [name for name, _ in friends])
    send("PUT", "/v1/schema/Rented/tenants", [{"name": name, "activityStatus": "COLD"} for n, name in enumerate(tenants) if n % 3 == 0])
    print(f"Rented: {len(rented)} sent in {len(tenants)} tenants")
if version >= (1, 32):
    try: urllib.request.urlopen(urllib.request.Request(f"{url}/v1/aliases/Everyday", method="DELETE"))
    except urllib.error.HTTPError: pass
    if not wanted: send("POST", "/v1/aliases", {"alias": "Everyday", "class": "Plain"})
    multi = {"vectorConfig": {"late": {"vectorizer": {"none": {}}, "vectorIndexType": "hnsw", "vectorIndexConfig": {"multivector": {"enabled": True}}}, "one": {"vectorizer": {"none": {}}, "vectorIndexType": "flat"}}}
    make("Multi", {**multi, "properties": [{"name": "t", "dataType": ["text"]}]},
         ({"id": nid(f"multi{n}"), "properties": {"t": text(4)}, "vectors": {"late": [vector(6) for _ in range(1 + n % 7)], **({"one": vector(5)} if n % 4 else {})}} for n in range(800)))
    if not wanted or "Mixed" in wanted:
        make("Mixed", {**flat, "properties": [{"name": "t", "dataType": ["text"]}]}, [])
        document = json.load(urllib.request.urlopen(f"{url}/v1/schema/Mixed"))
        document["vectorConfig"] = {"later": {"vectorizer": {"none": {}}, "vectorIndexType": "flat"}}
        send("PUT", "/v1/schema/Mixed", document)
        mixed = [{"class": "Mixed", "id": nid(f"mixed{n}"), "properties": {"t": text(4)}, **({"vector": vector(4)} if n % 3 else {}), **({"vectors": {"later": vector(3)}} if n % 4 else {})} for n in range(600)]
        refused = [r["result"] for r in send("POST", "/v1/batch/objects", {"objects": mixed}) if r["result"].get("status") != "SUCCESS"]
        print(f"Mixed: 600 sent, {len(refused)} refused {refused[:1]}")
