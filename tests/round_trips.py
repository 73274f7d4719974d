#!/usr/bin/env python3
"""Makes random collections on a server, backs them up, restores them to the same or another server, and has reread.py, which
shares no code with elysiactl, compare both sides with the archive.
round_trips.py FROM_URL TO_URL FIRST_SEED LAST_SEED [ELYSIACTL]      the same URL twice: restored under new names
A seed and a version make the same collections again: every data type, nesting, index, quantiser and tokeniser, named, unnamed,
mixed and multi-vectors, tenants in both states, references of any length, null, empty and extreme values, deletions and updates.
Left out is what cannot come back, since no server takes it: integers beyond the largest float64 below 2^63, and references of a
tenant's object to objects that are gone; and what cannot be made: in a cluster, empty lists of dates in the shards of other nodes. A seed that fails keeps its collections' archive and logs, in the folder it names."""
import json, os, random, shutil, struct, subprocess, sys, tempfile, urllib.error, urllib.request, uuid

source, target, first, last = sys.argv[1].rstrip("/"), sys.argv[2].rstrip("/"), int(sys.argv[3]), int(sys.argv[4])
program = sys.argv[5] if len(sys.argv) > 5 else "elysiactl"
reread = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reread.py")
refused = []

def send(method, path, body=None, url=source):
    """The answer, or nothing if the server refuses: what it does not take is not there to be backed up."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"}, method=method)
    try:
        return json.loads(urllib.request.urlopen(request, timeout=60).read() or b"null")
    except urllib.error.HTTPError as error:
        refused.append(f"{method} {path}: {error.code} {error.read().decode()[:300]}")

version = tuple(int(n) for n in send("GET", "/v1/meta")["version"].split("-")[0].split(".")[:2])
clustered = len(send("GET", "/v1/nodes")["nodes"]) > 1
LETTERS = "abcdefgh éßø漢😀\"\\/<>&\u2028\u0001\t\n\r\x7f\u00a0\ufeff'`{}[]$%"
WORDS = ["", "null", "true", "0", "{}", "[]", "2024-01-01T00:00:00Z", "weaviate://localhost/A/B", "\\u0000", " lead", "trail ", "\\", '"']
DATES = ["2024-01-02T03:04:05Z", "1969-07-20T20:17:40.123+02:00", "2026-11-25T00:00:00.000000001Z", "0001-01-01T00:00:00Z",
         "9999-12-31T23:59:59.999999999Z", "2024-02-29T12:00:00.100Z", "2024-02-29T12:00:00-00:00", "1900-01-01T00:00:00+14:00"]
FLOATS = [0.0, -0.0, .1, 1e-300, 1.7976931348623157e308, 5e-324, 1e21, 1e20, 123456789012345680000.0, 1e-7, 1e-6]
SINGLES = [0.0, -0.0, 1.0, -1.0, 1e-30, 16777216.0, 1.1754944e-38, 1e-45, .1, 123456789.0, 1e7, 1e-7, 3e10]
INTEGERS = [0, 1, -1, 2**53 - 1, 1 - 2**53, 2**31, 2**63 - 1024, 1024 - 2**63]

class Seed:
    """What one seed makes."""
    def __init__(self, seed):
        self.seed, self.rng = seed, random.Random(seed)
        self.pick, self.int = self.rng.choice, self.rng.randint
        self.scalars = {"text": self.text, "int": self.integer, "number": self.number, "boolean": lambda: self.maybe(.5), "date": self.date, "uuid": self.id}

    def maybe(self, share): return self.rng.random() < share
    def id(self): return str(uuid.UUID(int=self.rng.getrandbits(128)))
    def integer(self): return self.pick(INTEGERS + [self.int(-10**18, 10**18), self.int(-9, 9)])
    def number(self): return self.pick(FLOATS + [self.rng.gauss(0, 1), self.rng.gauss(0, 1e9), float(self.int(-9, 9))])
    def vector(self, dim): return [self.pick(SINGLES) if self.maybe(.05) else struct.unpack("<f", struct.pack("<f", self.rng.gauss(0, 1)))[0] for _ in range(dim)]

    def text(self):
        if self.maybe(.03): return "x" * self.int(1000, 40000)
        return self.pick(WORDS) if self.maybe(.2) else "".join(self.pick(LETTERS) for _ in range(self.int(1, 60)))

    def date(self):
        some = f"{self.int(1700, 2200)}-0{self.int(1, 9)}-1{self.int(0, 9)}T1{self.int(0, 9)}:00:00.{self.int(0, 999999)}-05:30"
        return self.pick(DATES + [some])

    def value(self, prop):
        kind = prop["dataType"][0]
        inner = lambda: {p["name"]: self.value(p) for p in prop["nestedProperties"] if self.maybe(.8)}
        degrees = lambda most: self.pick([0, most, -most, round(self.rng.uniform(-most, most), self.int(0, 7))])
        if kind == "object": return inner()
        if kind == "object[]": return [inner() for _ in range(self.int(0, 3))]
        if kind == "geoCoordinates": return {"latitude": degrees(90), "longitude": degrees(180)}
        if kind == "phoneNumber": return self.pick([{"input": "020 1234567", "defaultCountry": "nl"}, {"input": "+49 30 123456"}])
        if kind == "blob": return self.pick(["aGVsbG8gd29ybGQ=", "AAAA", "/+8="])
        if kind.endswith("[]"): return [self.scalars[kind[:-2]]() for _ in range(self.int(int(clustered and kind == "date[]"), 5))]
        return self.scalars[kind]()

    def nested(self, depth):
        kinds = list(self.scalars) + [f"{kind}[]" for kind in self.scalars] + (["object", "object[]"] if depth < 3 else [])
        made = [{"name": f"n{n}", "dataType": [self.pick(kinds)]} for n in range(self.int(1, 4))]
        for prop in made:
            if prop["dataType"][0].startswith("object"): prop["nestedProperties"] = self.nested(depth + 1)
        return made

    def prop(self, n):
        kinds = list(self.scalars) * 2 + [f"{kind}[]" for kind in self.scalars] + ["geoCoordinates", "phoneNumber", "blob", "object", "object[]"]
        kind = self.pick(kinds)
        made = {"name": self.pick(["p", "p_", "pRop", "_p", "a" * 60]) + str(n), "dataType": [kind]}
        if kind.startswith("object"): made["nestedProperties"] = self.nested(1)
        if kind.startswith("text") and self.maybe(.6): made["tokenization"] = self.pick(["word", "field", "lowercase", "whitespace", "trigram"])
        if self.maybe(.3): made["indexFilterable"] = self.maybe(.5)
        if kind.startswith("text") and self.maybe(.3): made["indexSearchable"] = self.maybe(.5)
        if kind in ("int", "number", "date") and version >= (1, 28) and self.maybe(.3): made["indexRangeFilters"] = True
        if self.maybe(.3): made["description"] = self.text()[:100]
        return made

    def index(self):
        distance = self.pick(["cosine", "dot", "l2-squared", "manhattan", "hamming"])
        config = {"distance": distance}
        if self.maybe(.35):
            if self.maybe(.3): config["bq"] = {"enabled": True}
            return {"vectorIndexType": "flat", "vectorIndexConfig": config}
        for key, values in {"ef": [-1, 33, 100], "efConstruction": [64, 128], "maxConnections": [8, 32], "skip": [False, False, True], "cleanupIntervalSeconds": [300, 60],
                            "flatSearchCutoff": [0, 40000], "dynamicEfMin": [50, 100], "vectorCacheMaxObjects": [10**6, 10**12]}.items():
            if self.maybe(.3): config[key] = self.pick(values)
        if self.maybe(.2) and distance in ("cosine", "l2-squared", "dot"):
            config[self.pick(["bq"] + ["sq"] * (version >= (1, 28)) + ["rq"] * (version >= (1, 32)))] = {"enabled": True}
        elif version >= (1, 33) and self.maybe(.2): config["skipDefaultQuantization"] = True
        return {"vectorIndexType": "hnsw", "vectorIndexConfig": config}

    def inverted(self):
        made = {}
        if self.maybe(.4): made["bm25"] = {"k1": round(self.rng.uniform(.1, 3), 2), "b": round(self.rng.random(), 2)}
        if self.maybe(.4): made["stopwords"] = {"preset": self.pick(["en", "none"]), "additions": self.pick([[], ["foo", "bär"]]), "removals": self.pick([[], ["the"]])}
        # 1.24 never answers again once a property is added to two shards with the other two.
        for key in ["indexTimestamps"] + ["indexNullState", "indexPropertyLength"] * (version >= (1, 28)):
            if self.maybe(.3): made[key] = True
        if self.maybe(.2): made["cleanupIntervalSeconds"] = self.pick([0, 60, 120])
        return made

    def collection(self, n):
        """Creates one; its document, the dimensions of its vectors, and its tenants (one without a name if it is plain)."""
        name, dims = f"Wild{self.seed}{self.pick(['A', 'b', '_c', 'X9', 'z' * 80])}{n}", {}
        props = {prop["name"].lower(): prop for prop in (self.prop(k) for k in range(self.int(0, 7)))}
        document = {"class": name, "properties": list(props.values()), "invertedIndexConfig": self.inverted()}
        if self.maybe(.3): document["description"] = self.text()[:200]
        kind = self.pick(["none", "unnamed", "unnamed", "named", "named"] + ["multi", "mixed"] * (version >= (1, 32)))
        if kind in ("none", "unnamed", "mixed"):
            document.update({"vectorizer": "none", **self.index()})
            if kind != "none": dims[None] = self.int(1, 40)
        else:
            vectors = document["vectorConfig"] = {}
            for k in range(self.int(1, 3)):
                vector = self.pick(["a", "vec_1", "B", "long_name_of_a_vector"]) + str(k)
                vectors[vector], dims[vector] = {"vectorizer": {"none": {}}, **self.index()}, self.int(1, 40)
            if kind == "multi":
                vectors["late"] = {"vectorizer": {"none": {}}, "vectorIndexType": "hnsw", "vectorIndexConfig": {"multivector": {"enabled": True}}}
                dims["late"] = (self.int(1, 8),)
        tenants = [None]
        if self.maybe(.3):
            auto = {key: self.maybe(.5) for key in ("autoTenantCreation", "autoTenantActivation")} if version >= (1, 28) else {}
            document["multiTenancyConfig"] = {"enabled": True, **auto}
            tenants = sorted({self.pick([f"t{k}", f"T-{k}", f"tenant_{k}", f"{k}" + "x" * 40]) for k in range(self.int(0, 9))})
        elif self.maybe(.4): document["shardingConfig"] = {"desiredCount": self.int(1, 4)}
        if version >= (1, 28) and self.maybe(.3):
            document["replicationConfig"] = {"factor": self.pick([1, 3]) if clustered else 1, "asyncEnabled": self.maybe(.3), "deletionStrategy": self.pick(["NoAutomatedResolution", "DeleteOnConflict", "TimeBasedResolution"])}
        if send("POST", "/v1/schema", document) is None: return None
        if kind == "mixed":
            mixed = {**send("GET", f"/v1/schema/{name}"), "vectorConfig": {"later": {"vectorizer": {"none": {}}, **self.index()}}}
            if send("PUT", f"/v1/schema/{name}", mixed) is not None: dims["later"] = self.int(1, 20)
        if tenants and tenants != [None]: send("POST", f"/v1/schema/{name}/tenants", [{"name": tenant} for tenant in tenants])
        return {"name": name, "document": document, "dims": dims, "tenants": tenants, "plain": "multiTenancyConfig" not in document}

    def object(self, one, tenant, k):
        props = one["document"]["properties"]
        made = {"class": one["name"], "id": self.pick([self.id(), self.id(), str(uuid.UUID(int=k)), str(uuid.UUID(int=2**128 - 1 - k)), str(uuid.UUID(int=(0xab << 120) + k))])}
        if tenant: made["tenant"] = tenant
        values = {prop["name"]: None if self.maybe(.03) else self.value(prop) for prop in props if self.maybe(.8)}
        if values or self.maybe(.5): made["properties"] = values
        for vector, dim in one["dims"].items():
            if self.maybe(.15): continue
            numbers = [self.vector(dim[0]) for _ in range(self.int(1, 4))] if isinstance(dim, tuple) else self.vector(dim)
            if vector is None: made["vector"] = numbers
            else: made.setdefault("vectors", {})[vector] = numbers
        return made

    def fill(self, one):
        """Writes, removes and updates; the ids that are there in the end, by tenant."""
        one["ids"] = {}
        for tenant in one["tenants"]:
            count = self.pick([0, 1, 3, 30, 200, 700] if one["plain"] else [0, 1, 5, 40])
            objects = {made["id"]: made for made in (self.object(one, tenant, k) for k in range(count))}
            there = []
            for at in range(0, len(objects), 100):
                for said in send("POST", "/v1/batch/objects", {"objects": list(objects.values())[at:at + 100]}) or []:
                    if said["result"].get("status") == "SUCCESS": there.append(said["id"])
                    else: refused.append(json.dumps(said["result"])[:300])
            of = f"?tenant={tenant}" if tenant else ""
            for id in list(there):
                if self.maybe(.05):
                    there.remove(id)
                    send("DELETE", f"/v1/objects/{one['name']}/{id}{of}")
                elif self.maybe(.03) and one["document"]["properties"]:
                    prop = self.pick(one["document"]["properties"])
                    change = {"class": one["name"], "id": id, "properties": {prop["name"]: self.value(prop)}, **({"tenant": tenant} if tenant else {})}
                    send("PATCH", f"/v1/objects/{one['name']}/{id}", change)
            one["ids"][tenant] = there

    def refer(self, one, made):
        """References to other collections or to itself; those of a plain one may dangle."""
        targets = [other for other in made if (other["plain"] if one["plain"] else other["plain"] or other is one)]
        for n in range(self.int(1, 2) if targets and self.maybe(.6) else 0):
            to = self.rng.sample(targets, min(len(targets), self.int(1, 2)))
            if send("POST", f"/v1/schema/{one['name']}/properties", {"name": f"ref{n}", "dataType": [other["name"] for other in to]}) is None: continue
            items = []
            for tenant, id in [(tenant, id) for tenant in one["tenants"] for id in one["ids"][tenant]]:
                for _ in range(self.pick([0, 0, 1, 2, 5])):
                    other = self.pick(to)
                    there = other["ids"].get(None if other["plain"] else tenant)
                    if not there and not one["plain"]: continue
                    end = self.pick(there) if there and (not one["plain"] or self.maybe(.9)) else self.id()
                    items.append({"from": f"weaviate://localhost/{one['name']}/{id}/ref{n}", "to": f"weaviate://localhost/{other['name']}/{end}", **({"tenant": tenant} if tenant else {})})
            for at in range(0, len(items), 500):
                refused.extend(json.dumps(r["result"])[:300] for r in send("POST", "/v1/batch/references", items[at:at + 500]) or [] if r["result"].get("status") != "SUCCESS")

    def make(self):
        made = [one for one in (self.collection(n) for n in range(self.int(3, 6))) if one]
        for one in made: self.fill(one)
        for one in made: self.refer(one, made)
        for one in made:
            asleep = [{"name": tenant, "activityStatus": "COLD"} for tenant in one["tenants"] if tenant and self.maybe(.4)]
            if asleep: send("PUT", f"/v1/schema/{one['name']}/tenants", asleep)
        return [one["name"] for one in made]

def run(folder, url, *command):
    with open(os.path.join(folder, "log"), "a") as log:
        print("\n$", *command, file=log, flush=True)
        env = {**os.environ, "WEAVIATE_URL": url, "XDG_STATE_HOME": os.path.join(folder, "state")}
        return subprocess.run(command, stdout=log, stderr=log, env=env).returncode

def schemas_differ(new):
    """Of collections beside their originals: how many class documents differ in more than names and the order of properties."""
    differ = 0
    for old, copy in new.items():
        was, now = send("GET", f"/v1/schema/{old}"), send("GET", f"/v1/schema/{copy}")
        for prop in was["properties"]: prop["dataType"] = [new.get(kind, kind) for kind in prop["dataType"]]
        for document in (was, now): document["properties"].sort(key=lambda prop: prop["name"])
        differ += {**was, "class": copy} != now
    return differ

def round_trip(seed):
    """Exit codes of backup, restore, verify, and reread of both sides; on one server also the schemas that differ."""
    refused.clear()
    names, folder = Seed(seed).make(), tempfile.mkdtemp(prefix=f"round-trip-{seed}-")
    new = {name: name + "Copy" if source == target else name for name in names}
    renames = [word for name in names if new[name] != name for word in ("--rename", f"{name}={new[name]}")]
    codes = [run(folder, source, program, "col", "backup", *names, "-o", os.path.join(folder, "archives"))]
    archives = os.listdir(os.path.join(folder, "archives"))
    if archives:
        archive = os.path.join(folder, "archives", archives[0])
        codes.append(run(folder, target, program, "col", "restore", archive, *renames, "-y"))
        codes.append(run(folder, target, program, "col", "verify", archive, *renames))
        codes.append(run(folder, source, sys.executable, reread, source, archive))
        codes.append(run(folder, target, sys.executable, reread, target, archive, *(f"{name}={new[name]}" for name in names)))
    if source == target: codes.append(schemas_differ(new))
    for name in names:
        send("DELETE", f"/v1/schema/{name}")
        send("DELETE", f"/v1/schema/{new[name]}", url=target)
    good = codes == [0] * (6 if source == target else 5)
    print(f"{seed}: {'same' if good else 'NOT THE SAME'} {codes} {len(names)} collections, {len(refused)} refused when made", "" if good else folder, flush=True)
    if good: shutil.rmtree(folder)
    return good

bad = [seed for seed in range(first, last + 1) if not round_trip(seed)]
print(f"{last - first + 1 - len(bad)} of {last - first + 1} the same", f"not: {bad}" if bad else "")
sys.exit(bool(bad))
