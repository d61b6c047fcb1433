"""Filling in the middle of short code: what stands around the hole decides what belongs into it. The same in every language."""

from tasks import Example, is_held_out, pick

KIND = "fim"

# (before, middle, after); {f} {a} {b} {n}: names, all distinct; {k}: a number.
HOLES = {
    "python": [
        ("def add_{f}({a}, {b}):\n    return ", "{a} + {b}", "\n"),
        ("def subtract_{f}({a}, {b}):\n    return ", "{a} - {b}", "\n"),
        ("def multiply_{f}({a}, {b}):\n    return ", "{a} * {b}", "\n"),
        ("def is_even({a}):\n    return ", "{a} % 2 == 0", "\n"),
        ("def is_empty({a}):\n    return ", "len({a}) == 0", "\n"),
        ("def double({a}):\n    return ", "2 * {a}", "\n"),
        ("for {a} in range({k}):\n    ", "print({a})", "\n"),
        ("{n} = []\nfor {a} in {b}:\n    ", "{n}.append({a})", "\nreturn {n}\n"),
        ("{n} = 0\nfor {a} in {b}:\n    ", "{n} += {a}", "\nprint({n})  # the sum\n"),
        ("if {a} > {b}:\n    {n} = {a}\nelse:\n    ", "{n} = {b}", "\n"),
        ("def maximum({a}, {b}):\n    return ", "{a} if {a} > {b} else {b}", "\n"),
        ("with open({a}) as {b}:\n    {n} = ", "{b}.read()", "\n"),
        ("class {f}:\n    def __init__(self, {a}):\n        ", "self.{a} = {a}", "\n"),
        ("import {a}\n\nprint(", "{a}.{b}", ")  # {b} of {a}\n"),
        ("def square({a}):\n    ", "return {a} * {a}", "\n"),
        ("while {a} < {k}:\n    ", "{a} += 1", "\n"),
    ],
    "c": [
        ("int add_{f}(int {a}, int {b})\n{{\n    return ", "{a} + {b}", ";\n}}\n"),
        ("int subtract_{f}(int {a}, int {b})\n{{\n    return ", "{a} - {b}", ";\n}}\n"),
        ("for (int {a} = 0; ", "{a} < {k}", "; {a}++)\n"),
        ("for (int {a} = 0; {a} < {k}; ", "{a}++", ")\n"),
        ("int {n} = 0;\nfor (int {a} = 0; {a} < {k}; {a}++)\n    ", "{n} += {a}", ";\n"),
        ("bool is_even(int {a})\n{{\n    return ", "{a} % 2 == 0", ";\n}}\n"),
        ("int max(int {a}, int {b})\n{{\n    return ", "{a} > {b} ? {a} : {b}", ";\n}}\n"),
        ("if ({a} > {b})\n    {n} = {a};\nelse\n    ", "{n} = {b}", ";\n"),
        ("void swap(int *{a}, int *{b})\n{{\n    int {n} = *{a};\n    ", "*{a} = *{b}", ";\n    *{b} = {n};\n}}\n"),
        ("struct {f} {{\n    int {a};\n}};\n\nint get(struct {f} *{n})\n{{\n    return ", "{n}->{a}", ";\n}}\n"),
        ("int square(int {a})\n{{\n    ", "return {a} * {a};", "\n}}\n"),
        ("char *{a} = malloc({k});\n/* done with it */\n", "free({a})", ";\n"),
    ],
    "javascript": [
        ("function add{f}({a}, {b}) {{\n  return ", "{a} + {b}", ";\n}}\n"),
        ("function subtract{f}({a}, {b}) {{\n  return ", "{a} - {b}", ";\n}}\n"),
        ("const double = ({a}) => ", "2 * {a}", ";\n"),
        ("const isEven = ({a}) => ", "{a} % 2 === 0", ";\n"),
        ("for (const {a} of {b}) {{\n  ", "console.log({a})", ";\n}}\n"),
        ("const {n} = [];\nfor (const {a} of {b}) {{\n  ", "{n}.push({a})", ";\n}}\n"),
        ("let {n} = 0;\nfor (const {a} of {b}) {{\n  ", "{n} += {a}", ";\n}}\nreturn {n};\n"),
        ("if ({a} > {b}) {{\n  {n} = {a};\n}} else {{\n  ", "{n} = {b}", ";\n}}\n"),
        ("class {f} {{\n  constructor({a}) {{\n    ", "this.{a} = {a}", ";\n  }}\n}}\n"),
        ("const square = ({a}) => ", "{a} * {a}", ";\n"),
        ("const max = ({a}, {b}) => ", "{a} > {b} ? {a} : {b}", ";\n"),
        ("for (let {a} = 0; {a} < {k}; ", "{a}++", ") {{\n"),
    ],
}
NAMES = ("i j k n x y a b c value count total item items left right index size name text first last number result price width height line "
         "word key data sum low high start end step node page row cell").split()
CONSONANTS, VOWELS = "bcdfglmnprstvz", "aeiou"


def a_name(rng):
    if rng.random() < 0.7:
        return rng.choice(NAMES)
    return "".join(rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(rng.randint(1, 3)))


def four_names(rng, held_out):
    while True:
        names = [a_name(rng) for _ in range(4)]
        if len(set(names)) == 4 and is_held_out(KIND, *names) == held_out:
            return names


def make(rng, language, held_out):
    f, a, b, n = four_names(rng, held_out)
    hole, k = pick(rng, HOLES[rng.choice(tuple(HOLES))], held_out), rng.randrange(2, 100)
    before, middle, after = (part.format(f=f.capitalize(), a=a, b=b, n=n, k=k) for part in hole)
    return Example(KIND, language, thinking=False, fim=(before, after, middle))


def verify(example):
    prefix, suffix, middle = example.fim
    return middle.strip() == middle != "" and "{" + "a}" not in prefix + middle + suffix
