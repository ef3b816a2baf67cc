#!/usr/bin/env python3
# leftover: temporary_file=2@make_files temporary_directory=1@make_folder temporary_file=1@in_thread temporary_file=1@in_child
"""What Python's tempfile makes, some of it left behind, some removed in time, some given a name."""

import os
import shutil
import tempfile
import threading


def make_files():
    handle, _ = tempfile.mkstemp()
    os.close(handle)
    kept = tempfile.NamedTemporaryFile(dir=".", delete=False)
    kept.close()


def make_folder():
    folder = tempfile.mkdtemp()
    with open(os.path.join(folder, "note"), "x", encoding="utf-8") as note:
        note.write("the program's own\n")


def in_thread():
    os.close(tempfile.mkstemp()[0])


def in_child():
    child = os.fork()
    if child == 0:
        os.close(tempfile.mkstemp()[0])
        os._exit(0)
    os.waitpid(child, 0)


def removed():
    with tempfile.NamedTemporaryFile() as file, tempfile.TemporaryFile() as nameless:
        file.write(b"gone")
        nameless.write(b"gone")
    with tempfile.TemporaryDirectory() as folder:
        os.close(tempfile.mkstemp(dir=folder)[0])
    folder = tempfile.mkdtemp()
    os.close(tempfile.mkstemp(dir=folder)[0])
    os.mkdir(os.path.join(folder, "inner"))
    shutil.rmtree(folder)


def the_users_own():
    with tempfile.NamedTemporaryFile("w", dir=".", delete=False) as file:
        file.write("in place at once")
    os.replace(file.name, "settings")
    shutil.rmtree("own", ignore_errors=True)
    os.mkdir("own")
    with open("own/file", "x", encoding="utf-8"):
        pass


def main():
    make_files()
    make_folder()
    thread = threading.Thread(target=in_thread)
    thread.start()
    thread.join()
    in_child()
    removed()
    the_users_own()
    print("five are left")


if __name__ == "__main__":
    main()
