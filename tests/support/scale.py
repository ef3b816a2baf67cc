"""How thorough: LEFTOVER_TEST_SCALE, 1 unless set. To be imported before the sandbox is entered, which
takes variables of that name away."""

import os

SCALE = float(os.environ.get("LEFTOVER_TEST_SCALE") or os.environ.get("TEST_SCALE") or 1)
os.environ["TEST_SCALE"] = str(SCALE)
