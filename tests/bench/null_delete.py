#!/usr/bin/env python3
"""The bare loop: deletes everything of a collection by a filter that matches all, as often as it takes.   null_delete.py NAME"""
import json, sys, time
from common import count, rest

name = sys.argv[1]
n, started = count(name), time.time()
body = json.dumps({"output": "minimal", "match": {"class": name, "where": {"path": ["id"], "operator": "Like", "valueText": "*"}}})
while json.loads(rest("DELETE", "/v1/batch/objects", body)[1])["results"]["successful"]:
    pass
seconds = time.time() - started
print(f"null_delete {name}: {n} objects {seconds:.2f} s {n / seconds:.0f} objects/s, left {count(name)}")
