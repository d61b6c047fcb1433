#!/usr/bin/env python3
"""Speed of seekd beside llama.cpp on the same files, alternating in one run, and the table for docs/performance.md.

    make bench-peers
    tests/bench/peers.py [--build DIR] [--rounds N] [--only smollm2,q4_0,...] [--isa avx2] [--no-streams]

llama.cpp is built from the vendor/llama.cpp folder of the Python source package llama-cpp-python (fetched with pip,
kept under BUILD/peers); --isa avx2 holds both sides to AVX2, on any machine. Each round runs ours, theirs, ours, theirs; the table shows medians, the ratio, and the spread of
ours against itself, below which a difference is no result.
"""

import argparse
import concurrent.futures
import json
import os
import socket
import statistics
import subprocess
import sys
import tarfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGE = "llama-cpp-python==0.3.36"
PROGRAMS = ("llama-bench", "llama-server", "llama-perplexity")
ISA_FLAGS = {"native": ["-DGGML_NATIVE=ON"],
             "avx2": ["-DGGML_NATIVE=OFF"] + [f"-DGGML_{f}=ON" for f in ("AVX", "AVX2", "FMA", "F16C", "BMI2")]}
SHAPES = ("Q4_0", "Q8_0", "Q4_K", "BF16")
THREADS = len(os.sched_getaffinity(0))
FLOORS = {("smollm2-q4_1", "prompt"): 2.0}
FLOOR = 0.9
STREAM_FLOORS = {"smollm2-q4_1": 1.5, "qwen2-1.5b-q4_0": 1.0}


def sh(command, **kw):
    return subprocess.run(command, cwd=ROOT, check=True, **kw)


def peer_programs(build, isa):
    """llama-bench and llama-server for this machine or for plain AVX2, built once."""
    peers = os.path.join(build, "peers")
    tree = "llama" if isa == "native" else f"llama-{isa}"
    programs = {n: os.path.join(peers, tree, "bin", n) for n in PROGRAMS}
    if all(os.path.exists(p) for p in programs.values()):
        return programs
    os.makedirs(peers, exist_ok=True)
    print(f"fetching and building llama.cpp ({PACKAGE}); this takes a quarter of an hour on two cores", flush=True)
    sh([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", peers, PACKAGE])
    archive = next(f for f in os.listdir(peers) if f.startswith("llama_cpp_python") and f.endswith(".tar.gz"))
    with tarfile.open(os.path.join(peers, archive)) as t:
        t.extractall(peers, filter="data")
    source = os.path.join(peers, archive[:-len(".tar.gz")], "vendor/llama.cpp")
    sh(["cmake", "-S", source, "-B", os.path.join(peers, tree), "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=OFF",
        "-DLLAMA_CURL=OFF", "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF", *ISA_FLAGS[isa]], stdout=subprocess.DEVNULL)
    sh(["cmake", "--build", os.path.join(peers, tree), "-j", str(THREADS), "--target", *programs], stdout=subprocess.DEVNULL)
    return programs


def model_files(build, wanted):
    files = {}
    if "smollm2" in wanted:
        path = sh([os.path.join(ROOT, "tests/fetch_model.sh"), os.path.join(build, "models")], capture_output=True,
                  text=True).stdout.strip()
        files["smollm2-q4_1"] = os.path.join(ROOT, path)
    for t in SHAPES:
        if t.lower() in wanted:
            path = os.path.join(build, "peers", f"qwen2-1.5b-{t.lower()}.gguf")
            if not os.path.exists(path):
                sh([sys.executable, os.path.join(ROOT, "tests/bench/synthetic.py"), "--type", t, "--out", path])
            files[f"qwen2-1.5b-{t.lower()}"] = path
    return files


def cpu_isa(isa):
    return "auto" if isa == "native" else isa


def ours(seekd, path, prompt, generate, isa):
    out = sh([seekd, "bench", "--model", path, "--prompt", str(prompt), "--generate", str(generate), "--threads", str(THREADS),
              "--cpu-isa", cpu_isa(isa), "--json"], capture_output=True, text=True).stdout
    r = json.loads(out)
    return r["prompt_tokens_per_second"], r["generation_tokens_per_second"]


def theirs(bench, path, prompt, generate):
    out = sh([bench, "-m", path, "-p", str(prompt), "-n", str(generate), "-t", str(THREADS), "-r", "1", "-o", "json"],
             capture_output=True, text=True).stdout
    rows = json.loads(out)
    speed = {("prompt" if row["n_prompt"] else "generate"): row["avg_ts"] for row in rows}
    return speed["prompt"], speed["generate"]


def spread(values):
    return (max(values) - min(values)) / statistics.median(values) if len(values) > 1 else 0.0


def compare(args, programs, files):
    seekd = os.path.join(args.build, "seekd")
    rows, ok = [], True
    for name, path in files.items():
        a, b = [], []
        for _ in range(args.rounds):
            a.append(ours(seekd, path, 512, 128, args.isa))
            b.append(theirs(programs["llama-bench"], path, 512, 128))
        for i, phase in enumerate(("prompt", "generation")):
            x, y = [r[i] for r in a], [r[i] for r in b]
            ratio, floor = statistics.median(x) / statistics.median(y), FLOORS.get((name, phase), FLOOR)
            ok &= ratio >= floor
            rows.append((name, f"{phase} ({'512' if i == 0 else '128'})", statistics.median(x), statistics.median(y), ratio,
                         floor, spread(x)))
            print(f"{name:18} {phase:10} seekd {rows[-1][2]:8.1f}  llama.cpp {rows[-1][3]:8.1f}  ratio {ratio:.2f} "
                  f"(floor {floor}) spread {100 * rows[-1][6]:.0f} %", flush=True)
    return rows, ok


# ---- 16 streams at once, over HTTP ----------------------------------------------------------------------------

QUESTIONS = ["Tell a long story about a lighthouse.", "Explain how rain forms, step by step.", "Describe a busy market.",
             "Write about the history of bread.", "How does a bicycle stay upright?", "Describe the ocean at night.",
             "Explain photosynthesis to a child.", "Write a letter to an old friend."]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_ready(url, process, limit=300):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError("the server ended while starting")
        try:
            with urllib.request.urlopen(url, timeout=2) as r:
                if r.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the server was not ready in time")


def one_stream(port, model, index, tokens):
    body = {"model": model, "messages": [{"role": "user", "content": f"{QUESTIONS[index % len(QUESTIONS)]} ({index})"}],
            "max_tokens": tokens, "temperature": 0, "stream": True, "ignore_eos": True,
            "stream_options": {"include_usage": True}}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    n = 0
    with urllib.request.urlopen(request, timeout=600) as r:
        for line in r:
            if line.startswith(b"data: {"):
                usage = json.loads(line[6:]).get("usage")
                n = usage["completion_tokens"] if usage else n
    return n


def streams(command, port, model, n_streams, tokens):
    """Tokens per second over all streams, from the first request to the last byte."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_ready(f"http://127.0.0.1:{port}/health", process)
        one_stream(port, model, 99, 4)
        with concurrent.futures.ThreadPoolExecutor(n_streams) as pool:
            start = time.monotonic()
            total = sum(pool.map(lambda i: one_stream(port, model, i, tokens), range(n_streams)))
            return total / (time.monotonic() - start)
    finally:
        process.terminate()
        process.wait(30)


def compare_streams(args, programs, files):
    seekd, rows, ok = os.path.join(args.build, "seekd"), [], True
    for name, floor in STREAM_FLOORS.items():
        if name not in files:
            continue
        path, a, b = files[name], [], []
        for _ in range(max(1, args.rounds // 2)):
            port = free_port()
            a.append(streams([seekd, "serve", "--model", path, "--model-name", "m", "--port", str(port), "--threads",
                              str(THREADS), "--cpu-isa", cpu_isa(args.isa), "--log-level", "error"], port, "m", 16, 128))
            port = free_port()
            b.append(streams([programs["llama-server"], "-m", path, "--port", str(port), "-np", "16", "-c", str(16 * 512),
                              "-t", str(THREADS), "-tb", str(THREADS), "--jinja"], port, "m", 16, 128))
        ratio = statistics.median(a) / statistics.median(b)
        ok &= ratio >= floor
        rows.append((name, "16 streams", statistics.median(a), statistics.median(b), ratio, floor, spread(a)))
        print(f"{name:18} 16 streams seekd {rows[-1][2]:8.1f}  llama-server {rows[-1][3]:8.1f}  ratio {ratio:.2f} "
              f"(floor {floor})", flush=True)
    return rows, ok


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--build", default="build")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--only", default="smollm2," + ",".join(t.lower() for t in SHAPES))
    p.add_argument("--isa", choices=ISA_FLAGS, default="native")
    p.add_argument("--no-streams", action="store_true")
    args = p.parse_args()
    args.build = os.path.join(ROOT, args.build)
    programs = peer_programs(args.build, args.isa)
    files = model_files(args.build, args.only.split(","))
    rows, ok = compare(args, programs, files)
    if not args.no_streams:
        more, fine = compare_streams(args, programs, files)
        rows, ok = rows + more, ok and fine
    print("\n| model | phase | seekd tok/s | llama.cpp tok/s | ratio | floor | spread |\n| --- | --- | --- | --- | --- | --- | --- |")
    for name, phase, x, y, ratio, floor, s in rows:
        print(f"| {name} | {phase} | {x:.1f} | {y:.1f} | **{ratio:.2f}** | {floor} | {100 * s:.0f} % |")
    print("\nevery ratio is at its floor or above" if ok else "\nNOT every ratio is at its floor")
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
