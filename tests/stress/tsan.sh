#!/bin/sh
# tsan.sh PROGRAM ROUNDS: its exit status under ThreadSanitizer. A report of a race of which the sanitizer has lost one
# side's stack matches no suppression, and tells nobody what raced: then once more, a few times at most.
for turn in 1 2 3 4; do
    report=$("$1" "$2" 2>&1)
    status=$?
    printf '%s\n' "$report"
    [ $status -eq 66 ] || exit $status
    all=$(printf '%s\n' "$report" | grep -c '^WARNING: ThreadSanitizer')
    lost=$(printf '%s\n' "$report" | grep -c 'failed to restore the stack')
    [ "$lost" -ge "$all" ] || exit $status
    printf 'tsan.sh: %s lost stacks in %s reports: once more\n' "$lost" "$all"
done
exit 66
