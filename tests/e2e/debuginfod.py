#!/usr/bin/env python3
"""Names from a debuginfod server, a real one: asked when DEBUGINFOD_URLS says so, and otherwise nobody is."""

import glob
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox
from cases import PATIENCE, expect, expect_equal, run_cases, wait_for
from tool import Tool

BUILD = sandbox.enter()
TOOL = Tool(BUILD)

PROGRAM = """
#include <fcntl.h>
#include <sys/mman.h>
static int __attribute__((noinline)) make_the_cache(void) {
    return shm_open("/served", O_CREAT | O_RDWR, 0600) < 0;
}
int main(void) { return make_the_cache(); }
"""

if shutil.which("debuginfod") is None:
    print("skipped: no debuginfod here")
    sys.exit(sandbox.SKIPPED)


def report_of_stripped():
    """A report with a bare stack, of a program whose names are with the server only; and the program's build id."""
    with open("served.c", "w", encoding="utf-8") as file:
        file.write(PROGRAM)
    os.mkdir("server")
    for words in (["cc", "-g", "-O1", "-Wl,--build-id", "-o", "served", "served.c"],
                  ["objcopy", "--only-keep-debug", "served", "server/served.debug"], ["strip", "served"]):
        subprocess.run(words, check=True)
    notes = subprocess.run(["readelf", "-n", "served"], check=True, capture_output=True, text=True).stdout
    if os.path.exists("/dev/shm/served"):
        os.unlink("/dev/shm/served")
    environment = {**os.environ, "LD_PRELOAD": os.path.join(BUILD, "libleftover.so"), "LEFTOVER_OPTIONS": "grace=0"}
    subprocess.run(["./served"], check=True, env=environment)
    report, = glob.glob("leftover.*.json")
    return report, re.search(r"Build ID: (\w+)", notes)[1]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """debuginfod over the folder `server`."""

    def __init__(self, build_id):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = open("server.log", "w", encoding="utf-8")
        self.process = subprocess.Popen(["debuginfod", "-vv", "-d", ":memory:", "-p", str(port), "-F", "server"],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_for(lambda: self.has(build_id), "the server has the file")

    def has(self, build_id):
        try:
            with urllib.request.urlopen(f"{self.url}/buildid/{build_id}/debuginfo", timeout=PATIENCE) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError):
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)
        self.log.close()


def names(report, cache, words=(), **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DEBUGINFOD")}
    clean.update(environment, XDG_CACHE_HOME=os.path.abspath(cache), HOME=os.getcwd())
    done = subprocess.run([*words, TOOL.path, "report", "--format", "folded", report], capture_output=True, text=True,
                          check=False, env=clean, stdin=subprocess.DEVNULL, timeout=PATIENCE * 2)
    expect_equal(done.returncode, 0, done.stderr)
    return done.stdout


def test_names_of_the_server():
    report, build_id = report_of_stripped()
    expect("make_the_cache" not in names(report, "alone"), "without it there is no name")
    server = Server(build_id)
    try:
        found = names(report, "served-cache", DEBUGINFOD_URLS=server.url)
    finally:
        server.stop()
    expect("main;make_the_cache;" in found, "its names", found)
    # What was once fetched is kept.
    again = names(report, "served-cache", DEBUGINFOD_URLS=server.url)
    expect("main;make_the_cache;" in again, "when the server is gone", again)
    expect("make_the_cache" not in names(report, "nowhere", DEBUGINFOD_URLS="http://127.0.0.1:9/", DEBUGINFOD_TIMEOUT="2"),
           "a server that is not there costs names, nothing else")


def test_nobody_is_asked_unless_the_user_says_so():
    if shutil.which("strace") is None:
        print("  no strace here")
        return
    report, _ = report_of_stripped()
    for variables, asked in (({}, False), ({"DEBUGINFOD_URLS": ""}, False), ({"DEBUGINFOD_URLS": "http://127.0.0.1:9/"}, True)):
        calls = os.path.abspath("calls")
        names(report, f"cache-{asked}", ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", calls], **variables)
        with open(calls, encoding="utf-8") as file:
            network = [line for line in file if "AF_INET" in line]
        expect_equal(bool(network), asked, f"asked with {variables}: {network}")


run_cases(globals())
