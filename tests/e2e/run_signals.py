#!/usr/bin/env python3
"""Signals that somebody sends to leftover reach the program, each once."""

import json
import os
import resource
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import sandbox
from cases import expect, expect_equal, run_cases, wait_for
from tool import Tool, children_of, line_of, name_of, state_of, waits_for_signals

TOOL = Tool(sandbox.enter())

PASSED = ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2"]
# Whatever else ends who does not handle it, and what some servers take as an order.
OTHERS = ["ALRM", "VTALRM", "PROF", "IO", "PWR", "ABRT", "TRAP", "SYS", "BUS", "FPE", "ILL", "SEGV", "XCPU", "RTMIN", "RTMAX"]
ORDERS = ["WINCH", "URG"]

# Writes its pid, then each signal that it gets, to files; ends on SIGCHLD.
RECORDER = """
import os, signal, sys, time
out = os.open("signals", os.O_WRONLY | os.O_CREAT)
def note(number, frame): os.write(out, signal.Signals(number).name[3:].encode() + b"\\n")
for name in sys.argv[1:]: signal.signal(getattr(signal, "SIG" + name), note)
signal.signal(signal.SIGCHLD, lambda *_: sys.exit(9))
open("pid", "w").write(f"{os.getpid()}\\n")
while True: time.sleep(0.01)  # a signal just before pause() would not be seen before the next one
"""


def start_recorder(*how, **options):
    process = TOOL.start("python3", "-c", RECORDER, *PASSED, *OTHERS, *ORDERS, "CONT", *how, start_new_session=True, **options)
    pid = int(line_of("pid", "the program's pid"))
    # The last thing before it pauses is done.
    wait_for(lambda: state_of(pid)[0] == "S", "the program waits")
    return process, pid


def signals():
    with open("signals", encoding="utf-8") as text:
        return text.read().split()


def finish(process, pid):
    os.kill(pid, signal.SIGCHLD)
    process.communicate(timeout=30)
    expect_equal(process.returncode, 9, "status")


def test_each_is_passed_on_once():
    process, pid = start_recorder()
    sent = []
    for name in PASSED + OTHERS + ORDERS:
        os.kill(process.pid, getattr(signal, "SIG" + name))
        sent.append(name)
        wait_for(lambda: signals() == sent, f"{sent} arrive")
    finish(process, pid)
    expect_equal(signals(), PASSED + OTHERS + ORDERS, "nothing came twice")


def test_a_group_that_is_signalled_gets_one_each():
    process, pid = start_recorder()
    sent = []
    all_names = PASSED * 3 + OTHERS + ORDERS
    for name in all_names:
        os.killpg(process.pid, getattr(signal, "SIG" + name))
        sent.append(name)
        wait_for(lambda: len(signals()) >= len(sent), f"{sent} arrive")
    time.sleep(0.1)  # a second one would be on its way
    finish(process, pid)
    expect_equal(signals(), all_names, "nothing came twice")


def test_direct_and_group_in_turn():
    process, pid = start_recorder()
    for count in range(1, 11):
        (os.killpg if count % 2 else os.kill)(process.pid, signal.SIGUSR1)
        wait_for(lambda: len(signals()) >= count, f"signal {count} arrives")
        # Two of a kind at the same time would be one.
        wait_for(lambda: waits_for_signals(process.pid), "leftover has dealt with it")
    time.sleep(0.1)
    finish(process, pid)
    expect_equal(len(signals()), 10, "each once")


def test_a_program_in_a_group_of_its_own():
    process = TOOL.start("setsid", "python3", "-c", RECORDER, *PASSED, start_new_session=True)
    pid = int(line_of("pid", "the program's pid"))
    wait_for(lambda: state_of(pid)[0] == "S", "the program waits")
    os.killpg(process.pid, signal.SIGTERM)
    wait_for(lambda: signals() == ["TERM"], "what the group got is passed on")
    finish(process, pid)


def test_the_default_action():
    for name in PASSED + OTHERS:
        process = TOOL.start("sleep", "1000")
        wait_for(lambda: "sleep" in map(name_of, children_of(process.pid)), "sleep runs")
        process.send_signal(getattr(signal, "SIG" + name))
        process.communicate(timeout=30)
        expect_equal(process.returncode, -getattr(signal, "SIG" + name), f"dies of SIG{name}")


def test_what_was_ignored_stays_ignored():
    """As under nohup, or in the background of a shell without job control."""
    ignored = ["HUP", "INT", "QUIT"]
    show = "import signal; print([n for n in %r if signal.getsignal(getattr(signal, 'SIG' + n)) == signal.SIG_IGN])"

    def ignore():
        for name in ignored + ["CHLD"]:
            signal.signal(getattr(signal, "SIG" + name), signal.SIG_IGN)

    done = TOOL.run("python3", "-c", show % ["HUP", "INT", "QUIT", "TERM", "CHLD", "TSTP", "CONT"],
                    preexec_fn=ignore)
    expect_equal((done.returncode, done.stdout), (0, f"{ignored + ['CHLD']}\n"), "as inherited")
    process = TOOL.start("sleep", "1000", preexec_fn=ignore)
    wait_for(lambda: "sleep" in map(name_of, children_of(process.pid)), "sleep runs")
    for name in ignored:
        process.send_signal(getattr(signal, "SIG" + name))
    process.terminate()
    process.communicate(timeout=30)
    expect_equal(process.returncode, -signal.SIGTERM, "only TERM ended it")


def test_masks_are_the_programs():
    blocked = [signal.SIGTERM, signal.SIGCHLD, signal.SIGCONT, signal.SIGRTMIN]
    show = "import signal; print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))"
    for mask in ([], blocked):
        plain = subprocess.run(["python3", "-c", show], capture_output=True, text=True, check=True,
                               preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, mask))
        done = TOOL.run("python3", "-c", show,
                        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, mask))
        expect_equal(done.stdout, plain.stdout, "the mask")


def test_stopped_and_continued():
    process, pid = start_recorder()
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: state_of(process.pid)[0] == "T", "leftover stops with the program")
    os.kill(process.pid, signal.SIGCONT)
    wait_for(lambda: state_of(pid)[0] == "S", "the program goes on with leftover")
    wait_for(lambda: state_of(process.pid)[0] == "S", "leftover goes on")
    wait_for(lambda: signals() == ["CONT"], "one SIGCONT arrives")
    # Somebody continues the program alone.
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: state_of(process.pid)[0] == "T", "leftover stops again")
    os.kill(pid, signal.SIGCONT)
    wait_for(lambda: state_of(process.pid)[0] == "S", "leftover notices")
    expect_equal(signals(), ["CONT"] * 2, "no second SIGCONT")
    # The whole group, as a shell does.
    os.killpg(process.pid, signal.SIGSTOP)
    wait_for(lambda: state_of(process.pid)[0] == "T" and state_of(pid)[0] == "T", "both stop")
    os.killpg(process.pid, signal.SIGCONT)
    wait_for(lambda: state_of(process.pid)[0] == "S" and state_of(pid)[0] == "S", "both go on")
    time.sleep(0.1)
    finish(process, pid)
    expect_equal(signals(), ["CONT"] * 3, "each once")


def test_killed_while_stopped():
    process, pid = start_recorder()
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: state_of(process.pid)[0] == "T", "leftover stops with the program")
    os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=30)
    expect_equal(process.returncode, -signal.SIGKILL, "leftover ends with it")


def test_killed_leftover_loses_nothing():
    process, pid = start_recorder()
    helpers = [child for child in children_of(process.pid) if child != pid]
    state = f"/tmp/leftover-{os.geteuid()}"
    before = os.listdir(state)
    process.kill()
    process.wait(timeout=30)
    expect(state_of(pid) is not None, "the program goes on")
    expect_equal(os.listdir(state), before, "the session's folder stays")
    expect(len(before) >= 1 and os.path.exists(f"{state}/{before[0]}/session.json"), "session.json")
    wait_for(lambda: not any(map(state_of, helpers)), "leftover's helpers are gone")
    os.kill(pid, signal.SIGKILL)


# Tells its whole group many times, and counts what it gets itself, in C's handler: Python's own may be late.
TELLS_ITS_GROUP = """
import os, signal, sys
counted, count = os.pipe2(os.O_NONBLOCK)
signal.set_wakeup_fd(count)
number, rounds = getattr(signal, "SIG" + sys.argv[1]), int(sys.argv[2])
signal.signal(number, lambda *_: None)
open("pid", "w").write(f"{os.getpid()}\\n")
signal.signal(signal.SIGCHLD, lambda *_: None)
for _ in range(rounds): os.kill(0, number)
open("told", "w").write("all\\n")
while signal.sigwait([signal.SIGCHLD]) != signal.SIGCHLD: pass
print(os.read(counted, 65536).count(number))
sys.exit(9)
"""


def test_a_program_that_signals_its_own_group():
    """As stress-ng ends its workers, Apache its children, and a script all that it started: it gets what it
    sent and no more, and leftover goes on."""
    for name, rounds in [("ALRM", 1), ("USR1", 1000), ("TERM", 1000), ("RTMIN", 200)]:
        process = TOOL.start("python3", "-c", TELLS_ITS_GROUP, name, str(rounds), start_new_session=True)
        pid = int(line_of("pid", "the program's pid"))
        line_of("told", "all that it sent")
        # There may be more to be dealt with when it waits for the first time.
        for _ in range(20):
            wait_for(lambda: waits_for_signals(process.pid), f"leftover has dealt with SIG{name}")
        os.kill(pid, signal.SIGCHLD)
        out, _ = process.communicate(timeout=30)
        expect_equal((process.returncode, out), (9, f"{rounds}\n"), f"SIG{name}")
        os.unlink("pid")
        os.unlink("told")


def test_a_timer_that_was_set_before():
    """As in `perl -e 'alarm 5; exec @ARGV'`: it is the program's."""
    for timer, number in [(signal.ITIMER_REAL, signal.SIGALRM)]:
        report, done = TOOL.report("sleep", "1000", preexec_fn=lambda: signal.setitimer(timer, 0.3))
        expect_equal((done.returncode, report["leaks"]), (-number, []), "the program ends of it, and leftover with it")


def test_what_came_with_the_end_ends_no_grace():
    """A group is told to end, and its first one ends before leftover has looked at what it got as well: those
    that take a moment more have it."""
    slow = "trap 'sleep 0.3; exit' TERM; echo ready > ready; while :; do sleep 0.05; done"
    process = TOOL.start("-o", "report.json", "--grace", "20", "bash", "-c", f"bash -c \"{slow}\" & echo $$ > pid; wait",
                         start_new_session=True)
    line_of("ready", "the slow one")
    pid = int(line_of("pid", "the program's pid"))
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: state_of(process.pid)[0] == "T", "leftover stops with the program")
    os.killpg(process.pid, signal.SIGTERM)
    os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=60)
    expect_equal(process.returncode, -signal.SIGKILL, "status")
    with open("report.json", encoding="utf-8") as text:
        expect_equal(json.load(text)["leaks"], [], "nothing is left over")


def test_who_is_left_may_tell_the_group_to_end():
    """Nobody asked leftover to hurry."""
    last = "while kill -0 $0 2>/dev/null; do sleep 0.01; done; trap '' TERM; kill -TERM 0; sleep 0.3"
    report, done = TOOL.report("--grace", "20", "bash", "-c", f"setsid true; bash -c \"{last}\" $$ &", start_new_session=True)
    expect_equal((done.returncode, report["leaks"]), (0, []), "the grace window is kept")


def test_a_limit_on_the_size_of_files():
    """What leftover cannot write is said, and does not end it."""
    done = TOOL.run("-o", "report.json", "python3", "-c", "import sys; sys.exit(3)",
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))
    expect_equal(done.returncode, 125, "status")
    expect("File too large" in done.stderr, "why", done.stderr)
    show = ["sh", "-c", "grep SigIgn /proc/self/status"]
    expect_equal(TOOL.run(*show).stdout, subprocess.run(show, capture_output=True, text=True, check=True).stdout,
                 "the program has it as it was")


run_cases(globals())
