"""The table: a row is printed as soon as it is known, what is being measured is said meanwhile."""

import json
import sys
import time


class Report:
    """Figures by name, as they are measured."""

    def __init__(self, json_path):
        self.json_path = json_path
        self.figures = {}
        self.began = time.monotonic()
        self.terminal = sys.stderr.isatty()

    def doing(self, what):
        """Progress, on standard error: on a terminal it is written over."""
        line = f"bench: {time.monotonic() - self.began:4.0f} s  {what}"
        sys.stderr.write(f"\r\x1b[K{line}" if self.terminal else line + "\n")
        sys.stderr.flush()

    def section(self, title, *columns):
        self._clear()
        print(f"\n{title:46}" + "".join(f"{column:>13}" for column in columns), flush=True)

    def row(self, name, *cells, note="", **values):
        """A line of the table; the values go into the JSON file."""
        self._clear()
        self.figures[name] = values
        print(f"  {name:44}" + "".join(f"{cell:>13}" for cell in cells) + (f"   {note}" if note else ""), flush=True)
        if self.json_path:
            self.json_path.write_text(json.dumps(self.figures, indent=1) + "\n", encoding="utf-8")

    def pair(self, name, plain, with_it, aim=None, unit="us", calls=0, note=""):
        """A time without and with leftover; `aim` is for the ratio, `calls` how many hooked calls it holds."""
        per_call = [f"{(with_it - plain) / calls:+.2f}"] if calls else [""]
        self.row(name, f"{plain:.2f} {unit}", f"{with_it:.2f} {unit}", *per_call, f"{with_it / plain:.3f}",
                 f"{aim:.2f}" if aim else "", note=note,
                 plain=plain, leftover=with_it, unit=unit, ratio=with_it / plain, aim=aim)

    def skipped(self, name, reason):
        self._clear()
        print(f"  {name:44}   skipped: {reason}", flush=True)

    def _clear(self):
        if self.terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
