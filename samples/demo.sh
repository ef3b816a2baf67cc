#!/usr/bin/env bash
# demo.sh BUILD_DIR: a real leaking Python job under `leftover run`, and nothing left afterwards.
# Needs bash, python3 and util-linux. Exit status 0: the demo showed leaks.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "${1:?usage: demo.sh BUILD_DIR}" && pwd)
tool=$build/leftover
[[ -x $tool ]] || {
    echo "demo: $tool is not there; build it first: ./dev build" >&2
    exit 1
}

# show REPORT: the job and its report.
show() {
    local report=$1 status=0
    cat <<END
A Python job with four workers, a few locks and 8 MiB of shared memory; it is ended from outside
before it can tidy up. Run by itself it would leave all of that behind without a word:

  \$ leftover run -o demo.json python3 samples/demo.py

END
    # Nobody has to hear from the shell that the job was terminated.
    { (cd "$here/.." && exec "$tool" run -o "$report" python3 samples/demo.py 2>&3 3>&-) || status=$?; } 3>&2 2>/dev/null
    printf '\n  $ leftover report demo.json\n\n'
    "$tool" report "$report"
    echo
    if ((status == 143)); then
        echo "The exit status is the job's own: killed by SIGTERM (143 in the shell)."
    else
        echo "demo: the job ended with $status, not by SIGTERM" >&2
        return 1
    fi
}

# leaks REPORT: how many errors and warnings it counts.
leaks() {
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["summary"]["leaks"])' "$1"
}

# take_away REPORT: ends what it lists as left over, by pid, and removes the names.
take_away() {
    python3 - "$1" <<'END'
import json, os, signal, sys, time

with open(sys.argv[1]) as file:
    leaks = [leak for leak in json.load(file)["leaks"] if leak["severity"] == "error"]

def command_of(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            return file.read().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []

processes = [leak["details"] for leak in leaks if leak["kind"] == "process"]
for details in processes:
    if command_of(details["pid"]) == details["command"]:
        os.kill(details["pid"], signal.SIGKILL)
deadline = time.monotonic() + 10
while any(command_of(details["pid"]) == details["command"] for details in processes):
    if time.monotonic() > deadline:
        sys.exit("demo: some processes do not end")
    time.sleep(0.01)

for leak in leaks:
    if leak["kind"] in ("semaphore", "shared_memory"):
        try:
            os.unlink(leak["details"]["path"])
        except FileNotFoundError:
            pass
print("demo: took away %d processes and the names that the report lists" % len(processes))
END
}

finish() {
    local count
    count=$(leaks "$1")
    echo "leftover found $count things that this job left behind. Now nothing of it is on this machine any more."
    ((count > 0))
}

if [[ ${LEFTOVER_DEMO_INSIDE:-} == 1 ]]; then
    unset LEFTOVER_DEMO_INSIDE
    # Own processes and an own /dev/shm: what is left there goes when this ends.
    mount -t tmpfs -o mode=1777 tmpfs /dev/shm
    export LEFTOVER_STATE_DIR=/dev/shm/leftover-state
    mkdir -m 0700 "$LEFTOVER_STATE_DIR"
    report=$LEFTOVER_STATE_DIR/demo.json
    show "$report"
    finish "$report"
    exit
fi

machine=(unshare --mount --pid --ipc --fork --kill-child --mount-proc)
((EUID == 0)) || machine+=(--user --map-root-user)
if "${machine[@]}" mount -t tmpfs tmpfs /dev/shm 2>/dev/null; then
    LEFTOVER_DEMO_INSIDE=1 "${machine[@]}" "$BASH" "$here/demo.sh" "$build"
    exit
fi

# No namespaces for this user here: by hand, from the report.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export LEFTOVER_STATE_DIR=$folder/state
mkdir -m 0700 "$LEFTOVER_STATE_DIR"
status=0
show "$folder/demo.json" || status=$?
[[ -e $folder/demo.json ]] || exit 1
take_away "$folder/demo.json"
finish "$folder/demo.json" || status=$?
exit "$status"
