# -*- coding: utf-8 -*-
"""Names of all alphabets, widths and lengths, as file and as function."""
import sys

import harness
from harness import check, finish

TWO = sys.version_info[0] == 2
A, LATIN, GREEK, EMOJI = u"a", u"\xe9", u"\u03b1", u"\U0001f600"
texts = [u"", A, LATIN, GREEK, EMOJI, u"dir/" + LATIN + u".py", GREEK * 20 + u".py", A + EMOJI + GREEK + LATIN]
for letter in (A, LATIN, GREEK, u"\u20ac", EMOJI):
    for length in range(60, 70):
        texts.append(letter * length)
    for length in range(125, 131):
        texts.append(letter * length)
        texts.append(A + letter * length)
        texts.append(letter * length + A)
    for length in (84, 85, 86, 254, 255, 256, 257, 1000):
        texts += [letter * length, A * 2 + letter * length, letter * length + A * 2]
texts += [A * n + EMOJI * 70 + A * m for n in range(4) for m in range(4)]

if TWO:
    names = [text.encode("utf-8") for text in texts]
    names += [b"caf\xe9.py", b"\xff" * 10, b"a\x80b\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80"]
    template = compile("check('name')", "x", "exec")

    def rename(name, file_name):
        c = template
        return type(c)(c.co_argcount, c.co_nlocals, c.co_stacksize, c.co_flags, c.co_code, c.co_consts,
                       c.co_names, c.co_varnames, file_name, name, c.co_firstlineno, c.co_lnotab)
else:
    class Name(str):
        """Not stored as a plain str is."""

    names = texts + ["caf\udce9.py", "\udc80" * 100, "\ud800", "a\udfffb" * 50]
    names += [Name(name) for name in names[:40]]
    template = compile("check('name')", "x", "exec")

    def rename(name, file_name):
        if hasattr(template, "replace"):
            return template.replace(co_name=name, co_filename=file_name)
        c = template
        return type(c)(c.co_argcount, c.co_kwonlyargcount, c.co_nlocals, c.co_stacksize, c.co_flags,
                       c.co_code, c.co_consts, c.co_names, c.co_varnames, file_name, name,
                       c.co_firstlineno, c.co_lnotab)

for name in names:
    if not TWO and any(harness.is_surrogate(c) for c in name):
        # The API gives no UTF-8 for these at all: "?", which is not what the structures say.
        ways, harness.WAYS = harness.WAYS, harness.WAYS_WITHOUT_API
        exec(rename(name, name), {"check": check})
        harness.WAYS = ways
    else:
        exec(rename(name, name), {"check": check})
sys.exit(finish())
