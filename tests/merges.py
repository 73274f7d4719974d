#!/usr/bin/env python3
"""Makes pairs of collections that overlap, backs up one and merges it into the other under every policy, and holds the plan, the
result and what is there afterwards against what this script, which shares no code with elysiactl, works out by itself. What
was replaced is put back from the archive that the merge kept, and held against what was there before.
merges.py URL [ELYSIACTL] [OBJECTS]      plain, named vectors, references, tenants"""
import hashlib, json, os, random, shutil, struct, subprocess, sys, tempfile, time, urllib.error, urllib.request, uuid

url = sys.argv[1].rstrip("/")
program = sys.argv[2] if len(sys.argv) > 2 else "elysiactl"
size = int(sys.argv[3]) if len(sys.argv) > 3 else 400
rng = random.Random(size)
folder = tempfile.mkdtemp(prefix="merges-")
env = {**os.environ, "WEAVIATE_URL": url, "ELYSIACTL_ARCHIVE_DIR": folder + "/backups", "XDG_STATE_HOME": folder + "/state"}
failed = 0

def send(method, path, body=None):
    request = urllib.request.Request(url + path, None if body is None else json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method)
    return json.loads(urllib.request.urlopen(request, timeout=60).read() or b"null")

def check(what, found, expected):
    global failed
    if found != expected:
        failed += 1
        print(f"FAILED {what}: {found!r}, expected {expected!r}")

def bits(v):
    return [bits(x) for x in v] if v and isinstance(v[0], list) else struct.pack(f"<{len(v)}f", *v)

def plain(o):
    vectors = {k: bits(v) for k, v in {**(o.get("vectors") or {}), "default": o.get("vector")}.items() if v}
    properties = {k: ([x["beacon"].split("/")[-1] for x in v] if isinstance(v, list) and v and isinstance(v[0], dict) else v) for k, v in o["properties"].items()}
    return hashlib.sha256(repr((sorted(properties.items()), sorted(vectors.items()))).encode()).hexdigest()

def listed(name, tenants):
    live = {}
    for tenant in tenants:
        after, of = "", f"&tenant={tenant}" if tenant else ""
        while page := send("GET", f"/v1/objects?class={name}&limit=200&include=vector&after={after}{of}")["objects"]:
            live.update(((tenant, o["id"]), plain(o)) for o in page)
            after = page[-1]["id"]
    return live

def run(*args, code=0):
    done = subprocess.run([program, *args], env=env, capture_output=True, text=True)
    check(" ".join(args), done.returncode, code)
    if done.returncode != code: print(done.stdout[-3000:], done.stderr[-3000:])
    return done

def events(done):
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

class Kind:
    def __init__(self, kind):
        self.kind, self.tenants = kind, ["a", "b"] if kind == "tenants" else [None]
        self.named = kind == "named"

    def create(self, name, target):
        document = {"class": name, "vectorizer": "none", "properties": [{"name": "text", "dataType": ["text"]}, {"name": "n", "dataType": ["int"]}]}
        if self.named:
            del document["vectorizer"]
            document["vectorConfig"] = {v: {"vectorizer": {"none": {}}, "vectorIndexType": "flat"} for v in ("one", "two")}
        if self.kind == "references": document["properties"].append({"name": "to", "dataType": [target]})
        if self.kind == "tenants": document["multiTenancyConfig"] = {"enabled": True}
        send("POST", "/v1/schema", document)
        if self.kind == "tenants": send("POST", f"/v1/schema/{name}/tenants", [{"name": t} for t in self.tenants])

    def object(self, name, at, version, target):
        r = random.Random(f"{at}{version}")
        vector = lambda dim: [r.uniform(-1, 1) for _ in range(dim)]
        o = {"class": name, "id": at[1], "properties": {"text": f"{version} of {at[1]}", "n": r.randint(-5, 5)}}
        if self.named: o["vectors"] = {"one": vector(6), "two": vector(3)}
        else: o["vector"] = vector(5)
        if self.kind == "references":
            o["properties"]["to"] = [{"beacon": f"weaviate://localhost/{target}/{uuid.UUID(int=r.randint(1, 9))}"} for _ in range(r.randint(0, 3))]
        if at[0]: o["tenant"] = at[0]
        return o

    def write(self, name, places, version, target):
        places = sorted(places, key=str)
        for i in range(0, len(places), 100):
            answer = send("POST", "/v1/batch/objects", {"objects": [self.object(name, at, version, target) for at in places[i:i + 100]]})
            assert all(o["result"].get("status", "SUCCESS") == "SUCCESS" for o in answer), answer

def drop(name):
    try: send("DELETE", f"/v1/schema/{name}")
    except urllib.error.HTTPError: pass

def one(kind, policy):
    global failed
    k, before_failed = Kind(kind), failed
    source, there, target = f"M{kind}Source", f"M{kind}{policy}", "MTarget"
    for name in (source, there): drop(name)
    if kind == "references":
        drop(target)
        send("POST", "/v1/schema", {"class": target, "vectorizer": "none"})
        send("POST", "/v1/batch/objects", {"objects": [{"class": target, "id": str(uuid.UUID(int=i)), "properties": {}} for i in range(1, 10)]})
    k.create(source, target); k.create(there, target)
    all_of = [(rng.choice(k.tenants), str(uuid.UUID(int=rng.getrandbits(128)))) for _ in range(size)]
    new, equal, older, newer, only = (set(all_of[i::5]) for i in range(5))
    k.write(there, older, "before", target)
    time.sleep(0.05)
    k.write(source, new | equal | older | newer, "archived", target)
    time.sleep(0.05)
    k.write(there, equal, "archived", target)
    k.write(there, newer | only, "after", target)
    archive = json.loads(run("col", "backup", source, "--json").stdout.splitlines()[-1])["archive"]
    archived, before = listed(source, k.tenants), listed(there, k.tenants)
    check("equal objects", {at: before[at] for at in equal}, {at: archived[at] for at in equal})
    replaced = {"overwrite": older | newer, "newer": older}.get(policy, set())
    merge = ["col", "restore", archive, "--only", source, "--name", there, "--merge", "--on-conflict", policy, "--alias", "skip"]
    planned = events(run(*merge, "--dry-run", "--json", code=4 if policy == "fail" else 0))
    plan = next(e for e in planned if e["event"] == "restore_planned")["collections"][0]["merge"]
    expected = {"new": len(new), "equal": len(equal), "different": len(older | newer), "replaced": len(replaced), "only_on_server": len(only)}
    check(f"{kind} {policy}: plan", plan, expected)
    check(f"{kind} {policy}: a dry run writes nothing", listed(there, k.tenants), before)
    if policy == "fail":
        run(*merge, "-y", code=4)
        check(f"{kind} {policy}: nothing was written", listed(there, k.tenants), before)
        return failed == before_failed
    done = events(run(*merge, "-y", "--json"))[-1]
    merged = done["collections"][0]["merged"]
    del merged["window_ms"]
    expected = {"added": len(new), "replaced": len(replaced), "equal": len(equal), "kept": len(older | newer) - len(replaced), "moved": 0}
    check(f"{kind} {policy}: result", merged, expected)
    after = listed(there, k.tenants)
    check(f"{kind} {policy}: content", after, {**before, **{at: archived[at] for at in new | replaced}})
    again = events(run(*merge, "-y", "--json"))[-1]["collections"][0]["merged"]
    check(f"{kind} {policy}: once more", (again["added"], again["replaced"], again["moved"]), (0, 0, 0))
    if replaced:
        kept = [os.path.join(folder, "backups/.safety", name) for name in os.listdir(folder + "/backups/.safety") if name.startswith(there + "_replaced_")]
        check(f"{kind} {policy}: one archive of what was replaced", len(kept), 1)
        run("archive", "check", kept[0])
        undo = ["col", "restore", kept[0], "--merge", "--on-conflict", "overwrite", "-y", "--json"]
        check(f"{kind} {policy}: undo", events(run(*undo))[-1]["collections"][0]["merged"]["replaced"], len(replaced))
        now = listed(there, k.tenants)
        check(f"{kind} {policy}: content after undo", {at: now[at] for at in now if at not in new}, before)
    for name in (source, there): drop(name)
    return failed == before_failed

for kind in ("plain", "named", "references", "tenants"):
    for policy in ("fail", "skip", "overwrite", "newer"):
        print(kind, policy, "ok" if one(kind, policy) else "FAILED", flush=True)
drop("MTarget")
if failed: sys.exit(f"{failed} checks failed; archives and journals are in {folder}")
shutil.rmtree(folder)
