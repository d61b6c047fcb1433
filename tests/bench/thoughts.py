"""What budgets and the loop detector do to a model that thinks: python3 tests/bench/thoughts.py --model PATH [--build DIR]

The suites whose items think are asked with `seekd eval` under several budgets, greedily: accuracy and tokens of an answer for each. Then
without the loop detector: a thought that ended by itself there, and was closed with it, is a false alarm; one that ran to its limit
there, and was closed, is a loop that was ended."""

import argparse
import glob
import json
import os
import subprocess
import tempfile

BUDGETS = [8, 16, 32, 64, 128]
THINKING = ["addition", "subtraction", "multiplication", "word_problems", "sorting", "counting", "dates", "logic"]
BRIDGES = ["answer now.", "réponds maintenant.", "antworte jetzt.", "respondo ahora.", "现在回答。", "سأجيب الآن."]


def run(program, suites, model, limit, *options):
    """The items' results, by id."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.jsonl")
        subprocess.run([program, "eval", *suites, "--model", model, "--limit", str(limit), "--concurrency", "16", "--out", out, *options],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(out, encoding="utf-8") as f:
            return {r["id"]: r for r in map(json.loads, list(f)[1:])}


def accuracy(results):
    return 100 * sum(r["outcome"] == "right" for r in results.values()) / len(results)


def tokens(results):
    return sum(r["tokens"] for r in results.values()) / len(results)


def closed(result):
    """The thought ends with the bridge in one of its languages."""
    message = result["reply"]["choices"][0]["message"]
    return (message.get("reasoning_content") or "").rstrip().endswith(tuple(BRIDGES))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--build", default="build")
    parser.add_argument("--limit", type=int, default=60, help="items of each kind under each budget")
    args = parser.parse_args()
    program, root = os.path.join(args.build, "seekd"), os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    suites = [os.path.join(root, "tests", "eval", f"{kind}.jsonl") for kind in THINKING]
    print("budget   accuracy   tokens of an answer")
    for budget in [*BUDGETS, 0]:
        results = run(program, suites, args.model, args.limit, "--thinking-budget", str(budget))
        print(f"{budget or 'none':>6}   {accuracy(results):6.1f} %   {tokens(results):6.1f}")
    every = [s for s in sorted(glob.glob(os.path.join(root, "tests", "eval", "*.jsonl"))) if "example" not in s]
    free, watched = (run(program, every, args.model, 200, *o) for o in (["--no-loop-detector"], ["--loop-detector"]))
    thoughts = [i for i, r in free.items() if r["thought"]]
    alarms = [i for i in thoughts if closed(watched[i])]
    ended = [i for i in alarms if free[i]["cut"]]
    print(f"{len(thoughts)} thoughts, {sum(free[i]['cut'] for i in thoughts)} ran to their limit; the detector closed {len(alarms)}: "
          f"{len(ended)} of those, and {len(alarms) - len(ended)} that would have ended by themselves "
          f"({100 * (len(alarms) - len(ended)) / max(1, len(thoughts)):.2f} %)")


if __name__ == "__main__":
    main()
