#!/bin/sh
# helgrind.sh PROGRAM ROUNDS SUPPRESSIONS: the stress test under Helgrind; 66 when that has something to say.
# The program is told what it would set for itself: valgrind does not follow it through an exec of /proc/self/exe.
# Of forked children Helgrind knows no more than that their parent had other threads, and is not asked.
set -eu
folder=$(mktemp -d /tmp/leftover-stress-XXXXXX)
trap 'rm -rf "$folder" "$folder.log"' EXIT
LEFTOVER_STRESS_FOLDER=$folder
LEFTOVER_INTERNAL="1;id=stress;launcher=$$;depth=16;python=0;kinds=7fff;dir=$folder"
export LEFTOVER_STRESS_FOLDER LEFTOVER_INTERNAL
status=0
valgrind --tool=helgrind --error-limit=no --num-callers=50 --child-silent-after-fork=yes --log-file="$folder.log" \
    --suppressions="$3" "$1" "$2" || status=$?
if ! grep -q 'ERROR SUMMARY: 0 errors' "$folder.log"; then
    cat "$folder.log"
    exit 66
fi
exit "$status"
