#!/bin/bash
# in_chroot.sh DEB: installs the package in a Debian of its own, made by debootstrap, and runs the main job
# there: a Python job that is killed, its report, its gate, a run that cleans up, and a program preloaded by
# hand. Needs root and the network. Everything is in namespaces of its own, and removed in the end.
set -euo pipefail

if [[ ${LEFTOVER_IN_CHROOT-} == '' ]]; then
    deb=$(realpath "$1")
    root=$(mktemp -d)
    trap 'rm -rf --one-file-system "$root"' EXIT
    debootstrap --variant=minbase --include=python3 bookworm "$root" >"$root.log" 2>&1 || { tail -20 "$root.log" >&2; exit 1; }
    rm -f "$root.log"
    cp "$deb" "$root/root/leftover.deb"
    cp "$(dirname "$0")/../../samples/multiprocessing_killed.py" "$root/root/job.py"
    cp "$0" "$root/root/in_chroot.sh"
    mkdir -p "$root/dev/shm"
    # What is mounted there is gone with the namespace.
    LEFTOVER_IN_CHROOT=$root unshare --pid --mount --ipc --fork --kill-child bash -c '
        mount --bind "$LEFTOVER_IN_CHROOT" "$LEFTOVER_IN_CHROOT"
        mount -t proc proc "$LEFTOVER_IN_CHROOT/proc"
        mount -t tmpfs tmpfs "$LEFTOVER_IN_CHROOT/dev/shm"
        chroot "$LEFTOVER_IN_CHROOT" bash /root/in_chroot.sh'
    exit
fi

cd /root
failed=0
expect() { # expect WHAT WANTED FOUND
    if [[ $2 == "$3" ]]; then
        echo "package: $1: $3"
    else
        echo "package: $1: $3, not $2" >&2
        failed=1
    fi
}
status_of() {
    local status=0
    "$@" >out 2>&1 </dev/null || status=$?
    echo "$status"
}

expect 'installed' 0 "$(status_of dpkg -i leftover.deb)"
expect 'the job is killed' 143 "$(status_of leftover run -o report.json -- python3 job.py spawn)"
left=$(find /dev/shm -name 'sem.*' | wc -l)
((left > 0)) || expect 'semaphores left' some "$left"
expect 'all semaphores are in the report' "$left" \
    "$(python3 -c 'import json; print(sum(leak["kind"] == "semaphore" for leak in json.load(open("report.json"))["leaks"]))')"
expect 'and the line that made them' 0 "$(status_of grep -q 'job.py' <(leftover report report.json))"
expect 'the gate' 1 "$(status_of leftover gate report.json)"
find /dev/shm -type f -delete
expect 'the job is killed, and cleaned up after' 143 "$(status_of leftover run --clean -q -- python3 job.py spawn)"
expect 'left after that' 0 "$(find /dev/shm -type f | wc -l)"
LD_PRELOAD=$(dpkg -L leftover | grep '/libleftover\.so$') LEFTOVER_OPTIONS=report=hand.json:report_always=1:grace=0 /bin/true
expect 'by hand' 0 "$(status_of leftover report hand.json)"
expect 'removed' 0 "$(status_of dpkg -r leftover)"
exit "$failed"
