# leftover: file_descriptor=3(note)@open_some file_descriptor=2(note)@connect
# What Python leaves open: with the line that opened it. Files of a with statement are closed, and those
# that subprocess makes for itself are nobody's.
import os
import socket
import subprocess


def open_some():
    return [open(__file__), os.open("/", os.O_RDONLY), os.dup(0)]


def connect():
    return socket.socketpair()


def tidy():
    with open(__file__) as file:
        file.read()
    os.close(os.dup(0))
    socket.socket().close()
    subprocess.run(["true"], stdout=subprocess.PIPE, check=True)
    subprocess.run("true", shell=True, close_fds=True, check=True)


tidy()
kept = open_some(), connect()
tidy()
print("five are open", flush=True)
os._exit(0)
