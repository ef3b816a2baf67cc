"""The CPythons of this machine."""

import glob
import os
import subprocess


def version_of(python):
    """(3, 11), or None when it does not run."""
    done = subprocess.run([python, "-c", "import sys; sys.stdout.write('%d %d' % sys.version_info[:2])"], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, check=False)
    return tuple(int(word) for word in done.stdout.split()) if done.returncode == 0 else None


def pythons(since=(3, 6)):
    """[(path, version)] of each: Debian's first, then what pyenv has, oldest first."""
    home = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    others = [(version_of(path), path) for path in glob.glob(os.path.join(home, "versions/*/bin/python"))]
    found = [("/usr/bin/python3", version_of("/usr/bin/python3"))] if os.path.exists("/usr/bin/python3") else []
    found += [(path, version) for version, path in sorted(entry for entry in others if entry[0])]
    return [(path, version) for path, version in found if version >= since]


def name_of(path, version):
    where = "debian" if path.startswith("/usr/") else "pyenv"
    return f"{where}_{version[0]}_{version[1]}"
