#!/usr/bin/env python3
"""Signals that somebody sends to leftover reach the program, each once."""

import os
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

# Writes its pid, then each signal that it gets, to files; ends on SIGALRM.
RECORDER = """
import os, signal, sys
out = open("signals", "w", buffering=1)
def note(number, frame): out.write(signal.Signals(number).name[3:] + "\\n")
for name in sys.argv[1:]: signal.signal(getattr(signal, "SIG" + name), note)
signal.signal(signal.SIGALRM, lambda *_: sys.exit(9))
open("pid", "w").write(f"{os.getpid()}\\n")
while True: signal.pause()
"""


def start_recorder(*how, **options):
    process = TOOL.start("python3", "-c", RECORDER, *PASSED, "CONT", *how, start_new_session=True, **options)
    pid = int(line_of("pid", "the program's pid"))
    # The last thing before it pauses is done.
    wait_for(lambda: state_of(pid)[0] == "S", "the program waits")
    return process, pid


def signals():
    with open("signals", encoding="utf-8") as text:
        return text.read().split()


def finish(process, pid):
    os.kill(pid, signal.SIGALRM)
    process.communicate(timeout=30)
    expect_equal(process.returncode, 9, "status")


def test_each_is_passed_on_once():
    process, pid = start_recorder()
    sent = []
    for name in PASSED:
        os.kill(process.pid, getattr(signal, "SIG" + name))
        sent.append(name)
        wait_for(lambda: signals() == sent, f"{sent} arrive")
    finish(process, pid)
    expect_equal(signals(), PASSED, "nothing came twice")


def test_a_group_that_is_signalled_gets_one_each():
    process, pid = start_recorder()
    sent = []
    for name in PASSED * 3:
        os.killpg(process.pid, getattr(signal, "SIG" + name))
        sent.append(name)
        wait_for(lambda: len(signals()) >= len(sent), f"{sent} arrive")
    time.sleep(0.1)  # a second one would be on its way
    finish(process, pid)
    expect_equal(signals(), PASSED * 3, "nothing came twice")


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
    for name in PASSED:
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


run_cases(globals())
