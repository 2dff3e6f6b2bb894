"""What oha measured, as a table; with --rate only the requests per second of the first file, whole."""

import json
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def row(path):
    measured = read(path)
    seconds = measured["latencyPercentiles"]
    answers = measured["statusCodeDistribution"]
    others = sum(count for status, count in answers.items() if status != "200") + sum(measured["errorDistribution"].values())
    milliseconds = [f"{seconds[name] * 1000:.2f}" for name in ("p50", "p95", "p99")]
    return [path.rsplit("/", 1)[-1], f"{measured['summary']['requestsPerSec']:.0f}", *milliseconds, str(others)]


if sys.argv[-1] == "--rate":
    print(int(read(sys.argv[1])["summary"]["requestsPerSec"]))
else:
    rows = [["run", "requests/s", "p50 ms", "p95 ms", "p99 ms", "not 200"], *map(row, sys.argv[1:])]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(rows[0]))]
    for cells in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip())
