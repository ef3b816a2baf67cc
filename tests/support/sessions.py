"""Sessions as `leftover ps`, `wait` and `stop` see them."""

import json
import subprocess

from cases import PATIENCE


class Sessions:
    def __init__(self, tool):
        self.tool = tool

    def call(self, *words, **how):
        how.setdefault("capture_output", True)
        how.setdefault("text", True)
        how.setdefault("stdin", subprocess.DEVNULL)
        how.setdefault("timeout", PATIENCE * 2)
        return subprocess.run([self.tool.path, *map(str, words)], check=False, **how)

    def ps(self, *options):
        """{id: session}"""
        done = self.call("ps", "--format", "json", *options)
        return {session["id"]: session for session in json.loads(done.stdout)["sessions"]}

    def detach(self, *options):
        return self.tool.run("--detach", *options)

    def wait(self, session):
        """As subprocess tells it: negative for a signal."""
        return self.call("wait", session).returncode


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()
