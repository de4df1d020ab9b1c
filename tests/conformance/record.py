#!/usr/bin/env python3
"""Choose scenarios that together show every statement and every outcome, and
record what asyncio prints for them.

usage: record.py FOLDER COUNT FIRST LAST [FILE...]

Writes NAME.scenario and NAME.trace for each FILE and for as many of the seeds
FIRST to LAST as make COUNT.  Needs Python 3.13 or newer.
"""
import collections
import concurrent.futures
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
LONGEST = 150


def output(*argv):
    return subprocess.run([sys.executable, *argv], capture_output=True, text=True, check=True).stdout


def scenario(seed):
    return str(seed), output(f"{HERE}/generate.py", str(seed))


def trace(path):
    return output(f"{HERE}/oracle.py", path)


def traits(trace):
    """What a trace shows: each statement with the kind of its result, each kind of error, the end."""
    found = set()
    for line in trace.splitlines():
        text = re.sub(r"\d+", "N", line.split(" ", 2)[-1])
        text = re.sub(r"N(,N)+", "N,N", text)
        statement, arrow, result = text.partition(" -> ")
        if arrow:
            found.add((statement.split(" ")[0], re.sub(r"\[.*\]", lambda m: f"[{m[0].count(',')}]", result)))
        else:
            found.add(re.sub(r"log .*", "log", text))
    return found


def choose(candidates, count):
    """Those that show what few others show come first."""
    seen = collections.Counter()
    chosen = []
    while candidates and len(chosen) < count:
        best = max(candidates, key=lambda c: (sum(1 / (1 + 3 * seen[t]) for t in c[3]), c[0]))
        candidates.remove(best)
        chosen.append(best)
        seen.update(best[3])
    return chosen


def main():
    if len(sys.argv) < 5:
        raise SystemExit(__doc__)
    folder, count = sys.argv[1], int(sys.argv[2])
    given = [(os.path.basename(path), open(path).read()) for path in sys.argv[5:]]
    os.makedirs(folder, exist_ok=True)
    for old in os.listdir(folder):
        os.remove(os.path.join(folder, old))

    def record(name, text):
        path = os.path.join(folder, f"{name}.scenario")
        with open(path, "w") as f:
            f.write(text)
        printed = trace(path)
        return name, path, printed, traits(printed)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        seeds = pool.map(scenario, range(int(sys.argv[3]), int(sys.argv[4]) + 1))
        of_seeds = list(pool.map(lambda s: record(*s), seeds))
    kept = [record(*s) for s in given]
    kept += choose([c for c in of_seeds if c[2].count("\n") <= LONGEST], count - len(kept))
    names = {name for name, *_ in kept}
    for name, path, *_ in of_seeds:
        if name not in names:
            os.remove(path)
    for name, path, printed, _ in kept:
        with open(path.removesuffix(".scenario") + ".trace", "w") as f:
            f.write(printed)
    print(f"{len(kept)} scenarios, {sum('DEADLOCK' in c[2] for c in kept)} of them end in a deadlock")


if __name__ == "__main__":
    main()
