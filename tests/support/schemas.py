"""Whether documents are what their formats' schemas say, for test scripts."""

import json
import os
import subprocess

from cases import expect_equal

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "schemas")


def check_json(document, path):
    """By a JSON schema: one of tests/schemas, or any path."""
    import jsonschema
    with open(os.path.join(FOLDER, path), encoding="utf-8") as file:
        schema = json.load(file)
    validator = jsonschema.validators.validator_for(schema)(schema)
    errors = [f"{list(error.absolute_path)}: {error.message[:200]}" for error in validator.iter_errors(document)]
    expect_equal(errors, [], f"valid by {os.path.basename(path)}")


def check_junit(path):
    words = ["xmllint", "--noout", "--relaxng", os.path.join(FOLDER, "junit.rng"), path]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    expect_equal(done.returncode, 0, done.stderr)
