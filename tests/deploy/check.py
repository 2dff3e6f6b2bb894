"""Runs every check of static.py, running.py, tls.py, units.py and scripted.py. The last line has the form of a test runner's, for `tests/run` to count."""

import argparse
import pathlib
import signal
import sys
import time
import traceback

import running
import scripted
import static
import tls
import units
from files import ROOT, NotTested


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target/debug/coinlink")
    parser.add_argument("--only", default="", help="checks with this in their name")
    arguments = parser.parse_args()
    running.BINARY = arguments.binary.resolve()
    # What ends the run ends the servers it started, too.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))

    passed, failed, skipped, started = 0, 0, 0, time.monotonic()
    for check in static.CHECKS + running.CHECKS + tls.CHECKS + units.CHECKS + scripted.CHECKS:
        if arguments.only not in check.__name__:
            continue
        began = time.monotonic()
        try:
            check()
            passed += 1
            print(f"ok     {time.monotonic() - began:5.1f} s  {check.__name__}", flush=True)
        except NotTested as why:
            skipped += 1
            print(f"SKIPPED        {check.__name__}: {why}", flush=True)
        except Exception as why:  # noqa: BLE001 - whatever it is, it is told and counted
            failed += 1
            print(f"FAILED {time.monotonic() - began:5.1f} s  {check.__name__}", flush=True)
            if not isinstance(why, AssertionError):
                traceback.print_exc()
            print(f"       {type(why).__name__}: {why}", flush=True)
    took = time.monotonic() - started
    right = failed == 0 and passed > 0
    print(f"test result: {'ok' if right else 'FAILED'}. {passed} passed; {failed} failed; {skipped} skipped; deployment, in {took:.1f}s", flush=True)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
