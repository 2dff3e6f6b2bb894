"""What oha measured, as a table, and whether docs/load.md's promise holds; with --rate only the requests per second of the first file, whole."""

import json
import sys

MOST_P95_MS = 200
# Of the rate that was asked for: what comes later than that was not sustained.
LEAST_HELD = 0.98


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class Run:
    """One run of oha: `FILE`, or `FILE=RATE` with the rate that was asked for."""

    def __init__(self, argument):
        path, _, asked = argument.partition("=")
        measured = read(path)
        self.name, self.asked = path.rsplit("/", 1)[-1].removesuffix(".json"), int(asked or 0)
        self.rate = measured["summary"]["requestsPerSec"]
        self.ms = [measured["latencyPercentiles"][name] * 1000 for name in ("p50", "p95", "p99")]
        answers = measured["statusCodeDistribution"]
        # oha cuts off what is under way when its time is up: those requests were neither answered nor refused.
        errors = {what: count for what, count in measured["errorDistribution"].items() if "deadline" not in what}
        self.failed = sum(count for status, count in answers.items() if status != "200") + sum(errors.values())

    def broken(self):
        if self.failed:
            yield f"{self.name}: {self.failed} requests were not answered with 200"
        if self.asked and self.rate < LEAST_HELD * self.asked:
            yield f"{self.name}: {self.rate:.0f} requests/s were answered of {self.asked}"
        if self.asked and self.ms[1] >= MOST_P95_MS:
            yield f"{self.name}: p95 is {self.ms[1]:.0f} ms, {MOST_P95_MS} ms may be"

    def row(self):
        return [self.name, str(self.asked or ""), f"{self.rate:.0f}", *(f"{ms:.2f}" for ms in self.ms), str(self.failed)]


def main(arguments):
    if arguments[-1] == "--rate":
        print(int(read(arguments[0])["summary"]["requestsPerSec"]))
        return 0
    runs = [Run(argument) for argument in arguments]
    rows = [["run", "asked/s", "answered/s", "p50 ms", "p95 ms", "p99 ms", "failed"], *(run.row() for run in runs)]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(rows[0]))]
    for cells in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(cells, widths)).rstrip())
    broken = [what for run in runs for what in run.broken()]
    for what in broken:
        print(f"MISSED {what}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
