#!/usr/bin/env python3
"""Compare the table of ../README.md with the tests that this Python has of asyncio.

usage: methods.py        needs Python 3.14 and its tests (Debian: libpython3.14-testsuite)

Prints each method that the table lacks, and each that it has in vain.  Of 3.14.10 there is none.
"""
import ast
import os
import re
import sys

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "README.md")


def methods(path):
    """(class, name) of each test, nested ones too."""
    def walk(node, owner):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) and child.name.startswith("test_"):
                yield owner, child.name.removeprefix("test_")
            named = isinstance(child, (ast.ClassDef, ast.FunctionDef)) and not isinstance(node, ast.ClassDef)
            yield from walk(child, child.name if named else owner)

    with open(path) as f:
        return set(walk(ast.parse(f.read()), ""))


def table():
    """Of each of CPython's files what the table has."""
    found, files = {}, []
    for line in open(README, encoding="utf-8"):
        if line.startswith("### test_"):
            files = line.removeprefix("### ").strip().split(", ")
            found.setdefault(" ".join(files), set())
        elif files and (row := re.match(r"\| (\w+): ([^|]+) \| ", line)):
            found[" ".join(files)] |= {(row[1], name) for name in row[2].split(", ")}
    return found


def main():
    try:
        import test.test_asyncio
    except ImportError:
        raise SystemExit(__doc__)
    folder = os.path.dirname(test.test_asyncio.__file__)
    wrong = 0
    for files, listed in table().items():
        there = set().union(*(methods(f"{folder}/{name}.py") for name in files.split()))
        for owner, name in sorted(there ^ listed):
            print(f"{files}: {owner}: {name}: {'is missing' if (owner, name) in there else 'is not there'}")
            wrong += 1
    print(f"{wrong} differences from the tests of Python {sys.version.split()[0]}")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
