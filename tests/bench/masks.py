"""How long masks take over a vocabulary: python3 tests/bench/masks.py --model PATH [--build DIR]

Three schemas, their instances made at random, followed token by token by `seekd check-grammar --model`, which also checks that every
token is allowed where it stands. Times are of whole masks, found or computed."""

import argparse
import json
import os
import random
import subprocess
import tempfile

WORDS = ["some text, and \"more\" of it \u00e9", "hello there world", "\u4f60\u597d", "x", "a longer sentence with many words in it, 12345"]


def member(rng):
    return rng.choice([{"type": "string"}, {"type": "integer"}, {"type": "string", "maxLength": 500}, {"enum": ["red", "green", "blue"]},
                       {"type": "array", "items": {"type": "string"}}, {"type": "number"}])


def value(rng, schema):
    if "enum" in schema:
        return rng.choice(schema["enum"])
    return {"string": lambda: rng.choice(WORDS), "integer": lambda: rng.randint(1, 99999), "number": lambda: rng.random() * 100,
            "array": lambda: ["one", "two"]}[schema["type"]]()


def members_of(rng, n, is_open):
    properties = {f"field{i}": member(rng) for i in range(n)}
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {**schema, **({} if is_open else {"additionalProperties": False})}


def run(program, model, name, schema, instances):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "schema.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(schema, f)
        text = "".join(json.dumps(i, ensure_ascii=False) + "\n" for i in instances)
        done = subprocess.run([program, "check-grammar", "--model", model, path], input=text, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["accept"] * len(instances), f"{name}: an instance is refused"
    print(f"{name}: {done.stderr.strip().splitlines()[-1]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--build", default="build")
    args = parser.parse_args()
    program, rng = os.path.join(args.build, "seekd"), random.Random(1)
    for name, n, is_open in (("ten members, closed", 10, False), ("sixty members, open", 60, True)):
        schema = members_of(rng, n, is_open)
        run(program, args.model, name, schema,
            [{k: value(rng, s) for k, s in schema["properties"].items()} for _ in range(20)])
    bounded = {"type": "object", "properties": {f"s{i}": {"type": "string", "minLength": 3, "maxLength": 20} for i in range(6)}}
    run(program, args.model, "short strings", bounded, [{f"s{i}": f"word {rng.randint(0, 99999)}" for i in range(6)} for _ in range(20)])


if __name__ == "__main__":
    main()
