#!/usr/bin/env python3
"""Runs the tests and prints what failed, how long each part took, and one closing line: N passed, N failed.

    tests/run.py [--build DIR] [--long] [--fuzz-seconds N] PART...

PART is `all`, `check` (the fast ones), `bench`, or names from the table PARTS below. What a part needs and is not
there (a compiler, the Python packages) skips it with a reason, counted in the closing line.
"""

import argparse
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
JOBS = os.cpu_count() or 2


class Result:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.notes = []

    def add(self, passed=0, failed=0, skipped=0, note=None):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        if note:
            self.notes.append(note)


def run(command, limit, env=None, quiet=True):
    """(exit code or None when it ran past the limit, combined output)"""
    full = dict(os.environ, **(env or {}))
    try:
        p = subprocess.run(command, cwd=ROOT, env=full, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=limit)
        return p.returncode, p.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired as e:
        return None, (e.stdout or b"").decode("utf-8", "replace")


def tail(text, lines=40):
    return "\n".join("    " + l for l in text.rstrip().split("\n")[-lines:])


def make(args, options, *goals, build=None):
    return run(["make", "-s", "--no-print-directory", f"-j{JOBS}", f"BUILD={build or args.build}", *options, *goals], 3600)


def programs(build, pattern):
    """Built test programs, from the sources that stand in the tree now."""
    found = []
    for source in sorted(glob.glob(os.path.join(ROOT, pattern))):
        path = os.path.join(build, os.path.relpath(source, ROOT)[:-2])
        found.append(path if os.path.isabs(path) else os.path.join(ROOT, path))
    return found


def run_program(path, limit, env=None):
    """One cmocka program: (passed, failed, note)."""
    code, out = run([path], limit, env)
    name = os.path.relpath(path, ROOT)
    # cmocka prints a closing pair of lines per group.
    passed = sum(int(n) for n in re.findall(r"^\[  PASSED  \] (\d+) test", out, re.M))
    failed = sum(int(n) for n in re.findall(r"^\[  FAILED  \] (\d+) test", out, re.M))
    if code == 0 and not failed:
        return max(passed, 1), 0, None
    why = f"ran past {limit} s" if code is None else f"exit {code}"
    return passed, max(failed, 1), f"{name}: {why}\n{tail(out)}"


def run_programs(result, paths, limit, jobs=JOBS, env=None):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for passed, failed, note in pool.map(lambda p: run_program(p, limit, env), paths):
            result.add(passed, failed, note=note)


UNIT = ["tests/unit/*/test_*.c"]
SWEEPS = ["tests/kernels/test_*.c"]
SIM = ["tests/sim/test_*.c"]


def sources(build, patterns):
    return [p for pattern in patterns for p in programs(build, pattern)]


def part_build(args, result):
    """The whole tree, warnings as errors."""
    code, out = make(args, ["DEVELOPER=1"], "all", "unit-tests")
    result.add(code == 0, code != 0, note=None if code == 0 else "build: " + tail(out))


def part_clang(args, result):
    """The same with clang, which warns of other things."""
    if run(["clang", "--version"], 30)[0] != 0:
        result.add(skipped=1, note="clang is not here: its build is skipped")
        return
    code, out = make(args, ["-k", "DEVELOPER=1", "CC=clang"], "all", build=args.build + "/clang")
    result.add(code == 0, code != 0, note=None if code == 0 else "clang build: " + tail(out))


def part_lint(args, result):
    env = {"BUILD": os.path.join(ROOT, args.build)}
    for command in (["tests/lint/lint.py", "--selftest"], ["tests/lint/lint.py"], ["tests/lint/image.py", "--selftest"],
                    ["tests/lint/generated.py", "--build", args.build]):
        code, out = run([sys.executable, *command], 300, env)
        result.add(code == 0, code != 0, note=None if code == 0 else " ".join(command) + ":\n" + tail(out))


def part_unit(args, result):
    run_programs(result, sources(args.build, UNIT), 300)


def part_kernels(args, result):
    run_programs(result, sources(args.build, SWEEPS), 900, jobs=1)


def part_sim(args, result):
    run_programs(result, sources(args.build, SIM), 3600 if args.long else 600,
                 env={"SEEKD_SIM_SEEDS": "10000" if args.long else "1000"})


def part_sanitizers(args, result):
    """Unit tests and simulator under the address and undefined-behaviour sanitizers, then threads under TSan."""
    for sanitizer, patterns in (("address,undefined", UNIT + SIM), ("thread", UNIT)):
        build = f"{args.build}/{sanitizer.split(',')[0]}"
        code, out = make(args, [f"SANITIZER={sanitizer}"], "unit-tests", build=build)
        if code != 0:
            result.add(failed=1, note=f"{sanitizer} build: {tail(out)}")
            continue
        paths = sources(build, patterns)
        if sanitizer == "thread":
            paths = [p for p in paths if re.search(r"test_(thread_pool|engine|exchange|log|http|front)$", p)]
        run_programs(result, paths, 900, env={
            "SEEKD_SIM_SEEDS": "100", "ASAN_OPTIONS": "detect_stack_use_after_return=0:allocator_may_return_null=1",
            "TSAN_OPTIONS": "halt_on_error=1"})


def part_fuzz(args, result):
    """Every reader of outside bytes: the stored seeds, then new inputs for a while each."""
    build = args.build + "/fuzz"
    code, out = make(args, ["CC=clang", "SANITIZER=address,undefined", "CFLAGS=-fsanitize=fuzzer-no-link"], "fuzzers",
                     build=build)
    if code != 0:
        if run(["clang", "--version"], 30)[0] != 0:
            result.add(skipped=1, note="clang is not here: fuzzing is skipped")
        else:
            result.add(failed=1, note="fuzz build: " + tail(out))
        return
    targets = sources(build, ["tests/fuzz/fuzz_*.c"])

    def one(path):
        name = os.path.basename(path)
        seeds = os.path.join(ROOT, "tests/fuzz/seeds", name[len("fuzz_"):])
        corpus = os.path.join(os.path.dirname(path), "corpus", name)
        os.makedirs(corpus, exist_ok=True)
        seconds = args.fuzz_seconds
        code, out = run([path, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=3000", "-print_final_stats=0",
                         f"-artifact_prefix={corpus}/", corpus] + ([seeds] if os.path.isdir(seeds) else []), seconds + 120,
                        {"ASAN_OPTIONS": "allocator_may_return_null=1:detect_leaks=1"})
        return code == 0, f"{name}:\n{tail(out)}"

    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for ok, note in pool.map(one, targets):
            result.add(ok, not ok, note=None if ok else note)


def part_pytest(folder, limit):
    def part(args, result):
        venv = os.path.join(ROOT, args.build, "venv/bin/python")
        if not os.path.exists(venv):
            result.add(skipped=1, note=f"{folder}: the Python packages are not installed (make deps-test)")
            return
        report = os.path.join(ROOT, args.build, f"pytest-{folder.replace('/', '-')}.xml")
        if os.path.exists(report):
            os.remove(report)
        env = {"SEEKD_BUILD": os.path.join(ROOT, args.build), "SEEKD_TEST_LONG": "1" if args.long else ""}
        code, out = run([venv, "-m", "pytest", "-q", "-x" if args.fast_fail else "-q", "--no-header", "-p", "no:cacheprovider",
                         f"--junitxml={report}",
                         os.path.join("tests", folder)], limit * (20 if args.long else 1), env)
        if not os.path.exists(report):
            result.add(failed=1, note=f"{folder}: {'ran past its limit' if code is None else f'exit {code}'}\n{tail(out)}")
            return
        suite = xml.etree.ElementTree.parse(report).getroot()
        suite = suite if suite.tag == "testsuite" else suite.find("testsuite")
        n, bad, skipped = (int(suite.get(k, 0)) for k in ("tests", "failures", "skipped"))
        bad += int(suite.get("errors", 0))
        if code not in (0, 1) and not bad:
            bad = 1
        result.add(n - bad - skipped, bad, skipped, note=None if not bad else f"{folder}:\n{tail(out, 120)}")
    part.__doc__ = f"pytest over tests/{folder}"
    return part


def part_image(args, result):
    """The container image, where a builder is at hand."""
    if os.environ.get("SEEKD_TEST_IMAGE", "auto") == "off":
        result.add(skipped=1, note="image: SEEKD_TEST_IMAGE is off")
        return
    code, out = run(["docker/build.sh", "seekd:test"], 1800)
    if code == 69:
        result.add(skipped=1, note="image: " + out.strip())
    else:
        result.add(code == 0, code != 0, note=None if code == 0 else "image:\n" + tail(out))


def part_bench(args, result):
    for path in sources(args.build, ["tests/bench/bench_*.c"]):
        print(f"\n== {os.path.basename(path)}", flush=True)
        code = subprocess.run([path], cwd=ROOT).returncode
        result.add(code == 0, code != 0)


PARTS = {
    "build": part_build,
    "clang": part_clang,
    "lint": part_lint,
    "unit": part_unit,
    "kernels": part_kernels,
    "sim": part_sim,
    "model": part_pytest("model", 900),
    "conformance": part_pytest("conformance", 900),
    "e2e": part_pytest("e2e", 900),
    "training": part_pytest("training", 1200),
    "sanitizers": part_sanitizers,
    "fuzz": part_fuzz,
    "image": part_image,
    "bench": part_bench,
}
GROUPS = {"all": [p for p in PARTS if p != "bench"], "check": ["lint", "unit"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--long", action="store_true", help="full sizes")
    parser.add_argument("--fast-fail", action="store_true")
    parser.add_argument("--fuzz-seconds", type=int, default=10, help="per target (default 10)")
    parser.add_argument("parts", nargs="+", choices=[*GROUPS, *PARTS], metavar="PART")
    args = parser.parse_args()
    names = [n for p in args.parts for n in GROUPS.get(p, [p])]
    total, times = Result(), []
    for name in names:
        print(f"-- {name}", flush=True)
        start, result = time.monotonic(), Result()
        PARTS[name](args, result)
        seconds = time.monotonic() - start
        times.append((name, seconds, result))
        total.add(result.passed, result.failed, result.skipped)
        for note in result.notes:
            print(note, flush=True)
        print(f"   {name}: {result.passed} passed, {result.failed} failed, {result.skipped} skipped in {seconds:.1f} s",
              flush=True)
        if name == "build" and result.failed:
            print("   nothing else can run", flush=True)
            break
    print("\nseconds  part")
    for name, seconds, result in times:
        print(f"{seconds:7.1f}  {name}{'  FAILED' if result.failed else ''}")
    skipped = f", {total.skipped} skipped" if total.skipped else ""
    print(f"{int(total.passed)} passed, {int(total.failed)} failed{skipped}")
    sys.exit(1 if total.failed else 0)


if __name__ == "__main__":
    main()
