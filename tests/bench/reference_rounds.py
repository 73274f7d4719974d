#!/usr/bin/env python3
"""Restores the same objects without references, with three each to a complete collection, and with three each to their own
collection, in turns, with and without the comparison, and prints every round and the ratios.
reference_rounds.py OBJECTS DIM ROUNDS [ARCHIVES [INDEX]]      makes BenchTarget, BenchNone, BenchComplete, BenchSelf and …Copy; ARCHIVES
is a folder for their archives, which are made once; INDEX is flat, which costs a server least, or another vector index"""
import glob, json, os, random, shutil, statistics, subprocess, sys, tempfile, time, urllib.request, uuid

objects, dim, rounds = map(int, sys.argv[1:4])
archives = sys.argv[4] if len(sys.argv) > 4 else tempfile.mkdtemp()
index = sys.argv[5] if len(sys.argv) > 5 else "flat"
url, rng = os.environ["WEAVIATE_URL"], random.Random(3)
TARGETS, REFERENCES, BATCH = min(objects, 20000), 3, 1000

def send(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    return urllib.request.urlopen(urllib.request.Request(url + path, data, {"Content-Type": "application/json"}, method=method)).read()

def nid(name, n):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{n}"))

def post(path, items, wrap=lambda items: items):
    for at in range(0, len(items), BATCH):
        assert b'"FAILED"' not in send("POST", path, wrap(items[at:at + BATCH])), path

def fill(name, count, to=None):
    """`to`: the collection referred to. What is listed of another one is the same but for that."""
    refers = [{"name": "to", "dataType": [to]}] if to else []
    send("DELETE", f"/v1/schema/{name}")
    send("POST", "/v1/schema", {"class": name, "vectorizer": "none", "vectorIndexType": index, "properties": [
        {"name": "title", "dataType": ["text"]}, {"name": "n", "dataType": ["int"]}, *refers]})
    made = random.Random(5)
    for at in range(0, count, BATCH):
        some = [{"class": name, "id": nid("bench", n), "vector": [round(made.gauss(0, 1), 6) for _ in range(dim)],
                 "properties": {"title": f"object number {n} of many, with a few words", "n": n}} for n in range(at, min(at + BATCH, count))]
        post("/v1/batch/objects", some, lambda some: {"objects": some})
    if to:
        there = TARGETS if to == "BenchTarget" else count
        post("/v1/batch/references", [{"from": f"weaviate://localhost/{name}/{nid('bench', n)}/to",
             "to": f"weaviate://localhost/{to}/{nid('bench', rng.randrange(there))}"} for n in range(count) for _ in range(REFERENCES)])

kinds = {"BenchNone": None, "BenchComplete": "BenchTarget", "BenchSelf": "BenchSelf"}
fill("BenchTarget", TARGETS)
for name, to in kinds.items():
    if not glob.glob(f"{archives}/{name}_full_*"):
        fill(name, objects, to)
        subprocess.run(["elysiactl", "-q", "col", "backup", name, "-o", archives], check=True)
        send("DELETE", f"/v1/schema/{name}")
rates = {}
for number in range(1, rounds + 1):
    for compared in (False, True):
        for name in kinds:
            send("DELETE", f"/v1/schema/{name}Copy")
            command = ["elysiactl", "--json", "-q", "col", "restore", glob.glob(f"{archives}/{name}_full_*")[0], "--name", name + "Copy", "-y"]
            runs = tempfile.mkdtemp()
            started = time.time()
            done = subprocess.run(command + ["--run-dir", runs] + ([] if compared else ["--no-verify"]), capture_output=True, text=True)
            seconds = time.time() - started
            shutil.rmtree(runs)
            if done.returncode:
                sys.exit(done.stderr)
            last = json.loads(done.stdout.splitlines()[-1])
            side = f"{name}{'' if compared else ' --no-verify'}"
            rates.setdefault(side, []).append(last["objects"] / seconds)
            print(f"round {number}  {side:<27} {seconds:6.2f} s {last['objects'] / seconds:7.0f} objects/s  peak {last['peak_memory_bytes'] / 2**20:5.1f} MiB", flush=True)
    for name in kinds:
        send("DELETE", f"/v1/schema/{name}Copy")
for side, all_rates in rates.items():
    bare = rates["BenchNone" + side[len(side.split()[0]):]]
    each = ", ".join(f"{a / b:.2f}" for a, b in zip(all_rates, bare))
    print(f"median {side:<27} {statistics.median(all_rates):7.0f} objects/s, {statistics.median(all_rates) / statistics.median(bare):.2f} x without references ({each})")
send("DELETE", "/v1/schema/BenchTarget")
