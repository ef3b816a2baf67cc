#!/usr/bin/env python3
"""The progress bar of who reads a great many reports: on a terminal, after a second, and gone at the end."""

import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox
from cases import PATIENCE, expect, expect_equal, run_cases, wait_for
from tool import Tool, state_of

TOOL = Tool(sandbox.enter())
COLUMNS = 70
COUNT = 6000


def reports():
    """A folder of so many reports that reading them takes longer than it takes to stop who does. Made once."""
    folder = os.path.join(os.path.dirname(os.getcwd()), "reports")
    if not os.path.isdir(folder):
        os.mkdir(folder)
        report, _ = TOOL.report("true")
        first = os.path.join(folder, "0.json")
        frame = {"function": "f" * 60, "file": "train.py", "line": 1}
        report["stacks"] = [{"id": number, "python": [frame] * 20, "native": []} for number in range(20)]
        with open(first, "w", encoding="utf-8") as file:
            json.dump(report, file)
        for number in range(1, COUNT):
            os.link(first, os.path.join(folder, f"{number}.json"))
    return folder


def terminal():
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, COLUMNS, 0, 0))
    os.set_blocking(ours, False)
    return ours, theirs


def read_report(stderr, **environment):
    """Reads them slowly: once it has begun, which its threads show, it is stopped for more than a second."""
    words = {**os.environ, "TERM": "xterm", **environment}
    process = subprocess.Popen([TOOL.path, "report", reports()], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=stderr, text=True, env=words)
    wait_for(lambda: process.poll() is not None or len(os.listdir(f"/proc/{process.pid}/task")) > 1, "it has begun")
    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: (state_of(process.pid) or "Z")[0] in ("T", "Z"), "it has stopped")
    expect(process.poll() is None, "it was stopped in the middle")
    time.sleep(1.1)  # what it takes for a second to have passed
    process.send_signal(signal.SIGCONT)
    return process


def on_terminal(**environment):
    """What reached the terminal, and standard output."""
    ours, theirs = terminal()
    process = read_report(theirs, **environment)
    os.close(theirs)
    said = []

    def gone():
        try:
            said.append(os.read(ours, 65536).decode())
        except BlockingIOError:
            pass
        except OSError:  # nobody has the other end open
            return True
        return False
    wait_for(gone, "it ends")
    os.close(ours)
    out, _ = process.communicate(timeout=PATIENCE)
    expect_equal(process.returncode, 0, "status")
    return "".join(said), out


def screen_of(text):
    """The line that is on the terminal in the end, and those that were drawn before."""
    drawn = []
    line = ""
    column = 0
    for piece in re.findall(r"\r|\n|\x1b\[K|\x1b\[[\d;]*[A-Za-z]|.", text, re.S):
        if piece == "\r":
            drawn.append(line)
            column = 0
        elif piece == "\x1b[K":
            line = line[:column]
        else:
            line = line[:column] + piece + line[column + 1:]
            column += 1
    return line, [each for each in drawn if each]


def test_it_is_drawn_and_wiped():
    text, out = on_terminal()
    left, drawn = screen_of(text)
    expect_equal(left, "", f"what stays: {text[-200:]!r}")
    expect(drawn, "a bar was drawn")
    for line in drawn:
        expect(re.fullmatch(rf"reading files \d+ of {COUNT} \[#*\.*\]", line), "the bar", line)
        expect(len(line) <= COLUMNS - 1, "within the terminal", line)
    counts = [int(line.split()[2]) for line in drawn]
    expect_equal(counts, sorted(counts), "it goes forward")
    expect("\x1b[" not in text.replace("\x1b[K", ""), "no colour, nothing but wiping", text[:200])
    expect("leftover" in out and "reading" not in out, "the report", out[:200])


def test_without_colours():
    text, _ = on_terminal(NO_COLOR="1")
    left, drawn = screen_of(text)
    expect(drawn and left == "" and "\x1b[" not in text.replace("\x1b[K", ""), "as ever", text[:200])


def test_not_on_what_cannot_wipe():
    expect_equal(on_terminal(TERM="dumb")[0], "", "on a dumb terminal")


def test_not_into_a_pipe():
    process = read_report(subprocess.PIPE)
    _, errors = process.communicate(timeout=PATIENCE * 2)
    expect_equal((process.returncode, errors), (0, ""), "no bar")


run_cases(globals())
