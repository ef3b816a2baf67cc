#!/usr/bin/env python3
"""At a terminal, in a shell with job control, a program under leftover behaves as it does alone."""

import os
import pty
import select
import signal
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import sandbox
from cases import PATIENCE, Failure, expect, expect_equal, run_cases, wait_for
from tool import Tool, line_of, name_of, state_of

TOOL = Tool(sandbox.enter())

INTERRUPT, STOP, QUIT = b"\x03", b"\x1a", b"\x1c"

# Says what it gets; a line on standard input ends it with that status.
RECORDER = """
import os, signal, sys
out = open("signals", "w", buffering=1)
def note(number, frame): out.write(signal.Signals(number).name[3:] + "\\n")
for name in ("INT", "QUIT", "TERM", "HUP", "CONT"): signal.signal(getattr(signal, "SIG" + name), note)
open("pid", "w").write(f"{os.getpid()} {os.getppid()}\\n")
sys.exit(int(input()))
"""


class Shell:
    """An interactive bash at a terminal of its own."""

    def __init__(self, words=("bash", "--norc", "--noprofile", "-i")):
        self.seen = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(PS1="$ ", TERM="dumb", HISTFILE="")
            os.execvp(words[0], words)
        attributes = termios.tcgetattr(self.terminal)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(self.terminal, termios.TCSANOW, attributes)

    def type(self, keys):
        os.write(self.terminal, keys if isinstance(keys, bytes) else (keys + "\n").encode())

    def wait_for(self, text):
        """Reads until `text` shows up, and forgets all up to there."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.seen:
            if not select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0]:
                raise Failure(f"no {text!r} at the terminal, but {self.seen!r}")
            try:
                self.seen += os.read(self.terminal, 4096).decode(errors="replace")
            except OSError as error:
                raise Failure(f"the terminal is gone without {text!r}: {self.seen!r}") from error
        before, _, self.seen = self.seen.partition(text)
        return before

    def foreground(self):
        return os.tcgetpgrp(self.terminal)

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


def start_recorder(shell, prefix="", suffix=""):
    with open("recorder.py", "w", encoding="utf-8") as file:
        file.write(RECORDER)
    if os.path.exists("pid"):
        os.unlink("pid")
    shell.type(f"{prefix}{TOOL.path} run python3 recorder.py{suffix}; echo status=$?")
    program, launcher = map(int, line_of("pid", "the program's pid").split())
    wait_for(lambda: state_of(program)[0] == "S", "the program reads")
    return program, launcher


def press(shell, program, keys):
    """A key once the program reads: CPython's input() doesn't hear of a signal that comes just before its read()."""
    wait_for(lambda: state_of(program)[0] == "S", "the program reads")
    shell.type(keys)


def signals():
    with open("signals", encoding="utf-8") as text:
        return text.read().split()


def test_keys():
    shell = Shell()
    program, _ = start_recorder(shell)
    press(shell, program, INTERRUPT)
    wait_for(lambda: signals() == ["INT"], "Ctrl+C arrives")
    press(shell, program, QUIT)
    wait_for(lambda: signals() == ["INT", "QUIT"], "Ctrl+\\ arrives")
    press(shell, program, INTERRUPT)
    wait_for(lambda: len(signals()) >= 3, "the next Ctrl+C arrives")
    time.sleep(0.1)  # a second one would be on its way
    shell.type("7")
    shell.wait_for("status=7")
    expect_equal(signals(), ["INT", "QUIT", "INT"], "each once")
    expect(state_of(program) is None, "it is gone")
    shell.end()


def test_interrupted():
    """The shell sees that leftover died of the key, and breaks off the whole line."""
    shell = Shell()
    shell.type(f"{TOOL.path} run sh -c 'echo start''ed; exec sleep 1000'; echo not''broken")
    shell.wait_for("started")
    shell.type(INTERRUPT)
    shell.type("echo next''line $?")
    expect("notbroken" not in shell.wait_for("nextline 130"), "the line was broken off")
    shell.end()


def test_stop_and_foreground():
    shell = Shell()
    program, launcher = start_recorder(shell)
    for _ in range(3):
        shell.type(STOP)
        shell.wait_for("Stopped")
        wait_for(lambda: state_of(program)[0] == "T" and state_of(launcher)[0] == "T", "both stop")
        expect_equal(shell.foreground(), shell.pid, "the shell has the terminal")
        shell.type("fg; echo status=$?")
        wait_for(lambda: state_of(program)[0] == "S" and state_of(launcher)[0] == "S", "both go on")
        wait_for(lambda: shell.foreground() != shell.pid, "the job has the terminal")
    wait_for(lambda: len(signals()) >= 3, "every SIGCONT arrives")
    time.sleep(0.1)  # another one would be on its way
    expect_equal(signals(), ["CONT"] * 3, "one SIGCONT each time")
    shell.type("5")
    shell.wait_for("status=5")
    shell.end()


def test_background_that_reads():
    shell = Shell()
    program, launcher = start_recorder_in_background(shell)
    wait_for(lambda: state_of(program)[0] == "T" and state_of(launcher)[0] == "T", "SIGTTIN stops both")
    shell.type("fg")
    wait_for(lambda: state_of(program)[0] == "S" and state_of(launcher)[0] == "S", "both go on")
    shell.type("0")
    shell.wait_for("$ ")
    wait_for(lambda: state_of(program) is None and state_of(launcher) is None, "both end")
    shell.end()


def start_recorder_in_background(shell):
    with open("recorder.py", "w", encoding="utf-8") as file:
        file.write(RECORDER)
    shell.type(f"{TOOL.path} run python3 recorder.py &")
    return map(int, line_of("pid", "the program's pid").split())


def test_program_that_does_not_stop():
    """An editor handles Ctrl+Z itself: neither stops."""
    shell = Shell()
    script = ("import os, signal, sys; signal.signal(signal.SIGTSTP, lambda *_: print('not' + 'now', flush=True));"
              "print('rea' + 'dy', os.getpid(), os.getppid(), '.', flush=True); sys.exit(int(input()))")
    shell.type(f"{TOOL.path} run python3 -c \"{script}\"; echo status=$?")
    shell.wait_for("ready ")
    program, launcher = map(int, shell.wait_for(" .").split())
    press(shell, program, STOP)
    shell.wait_for("notnow")
    expect(state_of(program)[0] != "T" and state_of(launcher)[0] != "T", "neither stops")
    shell.type("4")
    shell.wait_for("status=4")
    shell.end()


def test_shell_as_program():
    """A shell with job control of its own, under leftover, takes the terminal and gives it back."""
    shell = Shell()
    shell.type(f"{TOOL.path} run bash --norc --noprofile -i; echo status=$?")
    wait_for(lambda: shell.foreground() != shell.pid, "the inner shell has the terminal")
    shell.type("echo in''side")
    shell.wait_for("inside")
    inner = shell.foreground()
    shell.type("sleep 1000")
    # Between its fork and its exec a shell's child still ignores the keys, as the shell does.
    wait_for(lambda: name_of(shell.foreground()) == "sleep", "sleep has the terminal")
    shell.type(STOP)
    shell.wait_for("Stopped")
    shell.type("fg")
    wait_for(lambda: shell.foreground() not in (shell.pid, inner), "sleep has it again")
    shell.type(INTERRUPT)  # for sleep alone
    wait_for(lambda: shell.foreground() == inner, "sleep has ended")
    shell.type("exit 3")
    shell.wait_for("status=3")
    wait_for(lambda: shell.foreground() == shell.pid, "the outer shell has it again")
    shell.end()


def test_leftover_as_session_leader():
    """Without a shell in between, as in a terminal window: when it is closed, the program hears of it."""
    with open("recorder.py", "w", encoding="utf-8") as file:
        # The end of its input is none of its business.
        file.write(RECORDER.replace("sys.exit(int(input()))", "signal.pause()"))
    window = Shell(TOOL.words("python3", "recorder.py"))
    program, launcher = map(int, line_of("pid", "the program's pid").split())
    expect_equal(launcher, window.pid, "leftover leads the session")
    wait_for(lambda: state_of(program)[0] == "S", "the program waits")
    os.close(window.terminal)
    wait_for(lambda: "HUP" in signals(), "SIGHUP arrives")
    os.waitpid(window.pid, 0)
    expect_equal(signals().count("HUP"), 1, "once")


def test_summary_at_a_terminal():
    shell = Shell()
    shell.type(f"{TOOL.path} run --grace 0 sh -c 'sleep 1000 >/dev/null 2>&1 & echo $! >left'; echo status=$?")
    said = shell.wait_for("status=0")
    expect("1 process" in said, "what is left over is said", said)
    os.kill(int(line_of("left", "the pid of what is left")), signal.SIGKILL)
    shell.end()


run_cases(globals())
