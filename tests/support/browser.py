"""A headless Chromium, driven through chromedriver (W3C WebDriver)."""

import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile
import urllib.request

from cases import wait_for

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"down": "\ue015", "up": "\ue013", "end": "\ue010", "home": "\ue011", "enter": "\ue007", "escape": "\ue00c",
        "tab": "\ue004"}


def is_here():
    return shutil.which("chromedriver") is not None and shutil.which("chromium") is not None


class Browser:
    """`with Browser(width, height) as page`; ends the browser and its driver."""

    def __init__(self, width=1300, height=1000, dark=False):
        self.profile = tempfile.mkdtemp(prefix="chromium-")
        with socket.socket() as any_port:
            any_port.bind(("127.0.0.1", 0))
            port = any_port.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.is_ready, "chromedriver is ready")
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     "--disable-dev-shm-usage", f"--user-data-dir={self.profile}", f"--window-size={width},{height}"]
        if dark:
            arguments.append("--blink-settings=preferredColorScheme=0")
        wanted = {"browserName": "chrome", "goog:chromeOptions": {"args": arguments, "binary": shutil.which("chromium")},
                  "goog:loggingPrefs": {"browser": "ALL"}}
        answer = self.post("/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = f"/session/{answer['sessionId']}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("DELETE", self.session)
        finally:
            self.driver.terminate()
            self.driver.wait()
            shutil.rmtree(self.profile, ignore_errors=True)

    def is_ready(self):
        try:
            return self.call("GET", "/status")["ready"]
        except OSError:
            return False

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def post(self, path, body):
        return self.call("POST", path, body)

    def open(self, file):
        self.post(self.session + "/url", {"url": "file://" + os.path.abspath(file)})

    def script(self, code, *arguments):
        """The value that this body of a function returns."""
        return self.post(self.session + "/execute/sync", {"script": code, "args": list(arguments)})

    def find(self, selector):
        found = self.post(self.session + "/element", {"using": "css selector", "value": selector})
        return found[ELEMENT]

    def click(self, selector):
        self.post(f"{self.session}/element/{self.find(selector)}/click", {})

    def type(self, selector, text):
        self.post(f"{self.session}/element/{self.find(selector)}/value", {"text": text})

    def press(self, key):
        """To whatever has the focus."""
        key = KEYS.get(key, key)
        actions = [{"type": "key", "id": "keys", "actions": [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]}]
        self.post(self.session + "/actions", {"actions": actions})

    def text(self, selector):
        return self.script("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def count(self, selector):
        return self.script("return document.querySelectorAll(arguments[0]).length", selector)

    def wait(self, code, what):
        return wait_for(lambda: self.script("return " + code), what)

    def complaints(self):
        """What the page printed on its console."""
        return [entry["message"] for entry in self.post(self.session + "/se/log", {"type": "browser"})]

    def screenshot(self, file):
        with open(file, "wb") as out:
            out.write(base64.b64decode(self.call("GET", self.session + "/screenshot")))
