#!/usr/bin/env bash
# demo.sh BUILD_DIR: a real leaking Python job under `leftover run --clean`, and nothing left afterwards.
# Needs bash and python3. Exit status 0: the demo showed leaks, and all of them are gone.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "${1:?usage: demo.sh BUILD_DIR}" && pwd)
tool=$build/leftover
[[ -x $tool ]] || {
    echo "demo: $tool is not there; build it first: ./dev build" >&2
    exit 1
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export LEFTOVER_STATE_DIR=$folder/state
mkdir -m 0700 "$LEFTOVER_STATE_DIR"
report=$folder/demo.json

cat <<END
A Python job with four workers, a few locks and 8 MiB of shared memory; it is ended from outside
before it can tidy up. Run by itself it would leave all of that behind without a word:

  \$ leftover run --clean -o demo.json python3 samples/demo.py

END
status=0
# Nobody has to hear from the shell that the job was terminated.
{ (cd "$here/.." && exec "$tool" run --clean -o "$report" python3 samples/demo.py 2>&1) || status=$?; } 2>/dev/null
printf '\n  $ leftover report demo.json\n\n'
"$tool" report "$report"
echo
if ((status != 143)); then
    echo "demo: the job ended with $status, not by SIGTERM" >&2
    exit 1
fi
echo "The exit status is the job's own: killed by SIGTERM (143 in the shell)."

# What the report lists, looked for once more.
python3 - "$report" <<'END'
import json, os, sys

with open(sys.argv[1]) as file:
    leaks = [leak for leak in json.load(file)["leaks"] if leak["severity"] == "error"]


def is_there(leak):
    details = leak["details"]
    if leak["kind"] != "process":
        return os.path.lexists(details["path"])
    try:
        with open("/proc/%d/cmdline" % details["pid"], "rb") as file:
            return file.read().decode(errors="replace").split("\0")[:-1] == details["command"]
    except OSError:
        return False


left = [leak["name"] for leak in leaks if is_there(leak)]
if left or not leaks:
    sys.exit("demo: %s" % ("still there: " + ", ".join(left) if left else "nothing was found"))
print("leftover found %d things that this job left behind. Now nothing of it is on this machine any more." % len(leaks))
END
