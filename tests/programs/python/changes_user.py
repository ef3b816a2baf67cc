"""A child becomes another user; it writes down in `signals` that it was sent SIGTERM. The program ends before it."""

import os
import signal
import time

NOBODY = 65534

signals = os.open("signals", os.O_CREAT | os.O_WRONLY)
ready, done = os.pipe()
if os.fork() == 0:
    signal.signal(signal.SIGTERM, lambda *_: os.write(signals, b"TERM"))
    for fd in range(3):
        os.dup2(os.open(os.devnull, os.O_RDWR), fd)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    os.write(done, b"x")
    time.sleep(1000)
os.read(ready, 1)
