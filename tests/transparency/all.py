"""Every family in full, one at a time, and one table at the end. `./dev transparency` runs it."""

import glob
import json
import os
import subprocess
import sys

import harness


def main():
    build = os.path.abspath(sys.argv[1])
    rows = []
    for script in sorted(glob.glob(os.path.join(harness.HERE, "*.py"))):
        name = os.path.splitext(os.path.basename(script))[0]
        results = os.path.join(build, "transparency", name + ".json")
        if not os.access(script, os.X_OK) or (sys.argv[2:] and name not in sys.argv[2:]):
            continue
        print(f"== {name}", flush=True)
        if os.path.exists(results):
            os.unlink(results)
        status = subprocess.run([script, build, "--full"], check=False).returncode
        if os.path.exists(results):
            with open(results, encoding="utf-8") as text:
                rows += json.load(text)
        else:
            rows.append({"program": name, "plain": f"no results, status {status}", "hand": "", "run": "", "seconds": [],
                         "same": status == harness.SKIPPED, "differences": [], "flaky": []})
    print("\n" + "\n".join(harness.lines_of(rows)))
    sys.exit(0 if all(row["same"] for row in rows) else 1)


main()
