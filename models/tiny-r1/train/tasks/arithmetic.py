"""Worked steps of whole-number arithmetic: the thoughts of every kind that calculates. Low digit first; each line repeats what is left of
the numbers and the result so far, so that every step is a copy or a sum of two small numbers."""

import re

RELATION = re.compile(r"(?<![\d.,+×-])(-?\d+(?:[.,]\d+)?)([<>≥])(-?\d+(?:[.,]\d+)?)(?!\d)")
RUNNING = re.compile(r"^(\d[^?:]*[+×-][^?:]*): .*=(\d+) → (\d+)")
EQUATION = re.compile(r"(?<![\d+×-])(-?\d+(?:[+×-]\d+)+)=(-?\d+)")


def _low(number):
    """The number without its last digit, and that digit."""
    return divmod(number, 10)


def add_steps(terms):
    """347+586: 7+6+0=13 → 3; 34+58: 4+8+1=13 → 33; ..."""
    lines, carry, done = [], 0, ""
    while any(terms) or carry or not done:
        digits = [_low(t)[1] for t in terms] + [carry]
        total = sum(digits)
        done = str(total % 10) + done
        lines.append(f"{'+'.join(map(str, terms))}: {'+'.join(map(str, digits))}={total} → {done}")
        terms, carry = [_low(t)[0] for t in terms], total // 10
    return lines + [f"= {int(done)}"]


def compare_steps(a, b):
    """How two whole numbers compare, in one line: by length, then digit by digit up to the first that differs."""
    left, right = str(a), str(b)
    seen = [f"len {len(left)}{_sign(len(left), len(right))}{len(right)}"]
    if len(left) == len(right):
        for x, y in zip(left, right):
            seen.append(f"{x}{_sign(x, y)}{y}")
            if x != y:
                break
    return f"{a} ? {b}: {' '.join(seen)} → {a}{_sign(a, b)}{b}"


def _sign(a, b):
    return "<" if a < b else ">" if a > b else "="


def subtract_steps(a, b):
    """The larger minus the smaller, with the borrow as a field of its own; the sign of the result follows from the first line."""
    lines = [compare_steps(a, b)]
    if a < b:
        lines.append(f"{a}-{b} = -({b}-{a})")
    high, low, borrow, done = max(a, b), min(a, b), 0, ""
    while high or low or borrow or not done:
        (high_rest, x), (low_rest, y) = _low(high), _low(low)
        away = y + borrow
        next_borrow = int(x < away)
        top = x + 10 * next_borrow
        done = str(top - away) + done
        lines.append(f"{high}-{low}: {y}+{borrow}={away} {x}{'<' if x < away else '≥'}{away} b{next_borrow} "
                     f"{top}-{away}={top - away} → {done}")
        high, low, borrow = high_rest, low_rest, next_borrow
    return lines + [f"= {a - b}"]


def _times_digit_steps(number, digit):
    if number < 10:
        return [f"{number}×{digit}={number * digit}"]
    if digit < 2:
        return [f"{number}×{digit}={number * digit}"]
    lines, carry, done = [], 0, ""
    while number:
        rest, low = _low(number)
        total = low * digit + carry
        done = str(total % 10) + done
        lines.append(f"{number}×{digit}: {low}×{digit}={low * digit} {low * digit}+{carry}={total} → {done} c{total // 10}")
        number, carry = rest, total // 10
    return lines + ([f"c{carry} → {carry}{done}"] if carry else [])


def multiply_steps(a, b):
    """One line of digits for each digit of b, then the sum of the shifted lines."""
    if a < 10 <= b:
        return [f"{a}×{b} = {b}×{a}"] + multiply_steps(b, a)
    if b < 10:
        return _times_digit_steps(a, b) + [f"= {a * b}"]
    lines, parts = [], []
    for place, digit in enumerate(reversed(str(b))):
        part = a * int(digit)
        lines += _times_digit_steps(a, int(digit)) + [f"= {part}"]
        parts.append(part * 10 ** place)
        if place:
            lines.append(f"{part}×{10 ** place}={parts[-1]}")
    return lines + add_steps(parts)


def equations_hold(text):
    """Whether every a+b=c written in the text is true."""
    for left, right in EQUATION.findall(text):
        total = 0
        for product in re.findall(r"[+-]?\d+(?:×\d+)*", left):
            value = 1 if product[0] != "-" else -1
            for factor in re.findall(r"\d+", product):
                value *= int(factor)
            total += value
        if total != int(right):
            return False
    return True


def relations_hold(text):
    """Whether every a<b written in the text is true."""
    for left, sign, right in RELATION.findall(text):
        a, b = (float(n.replace(",", ".")) for n in (left, right))
        if not (a < b if sign == "<" else a > b if sign == ">" else a >= b):
            return False
    return True


def running_results_hold(text):
    """Whether every line of digits puts the last digit of its sum before the result so far, and the numbers lose a digit line by line."""
    before = None
    for line in text.split("\n"):
        match = RUNNING.match(line)
        if not match:
            before = None
            continue
        numbers, total, done = match.groups()
        left = re.findall(r"\d+", numbers)
        if before:
            expected = [n[:-1] or "0" for n in before[0]]
            if "×" in numbers:
                expected[-1] = left[-1]
            if left != expected or done[1:] != before[1]:
                return False
        if done[0] != total[-1]:
            return False
        before = left, done
    return True


def steps_hold(text):
    return equations_hold(text) and relations_hold(text) and running_results_hold(text)


def shows(example, steps):
    """Whether the example works out just these steps, and they are true."""
    return work_of(example).split("\n")[:len(steps)] == steps and steps_hold("\n".join(steps))


def numbers_in(text):
    return [int(n) for n in re.findall(r"\d+", text)]


def work_of(example):
    """The steps of an example, wherever they stand."""
    last = example.messages[-1]
    return last.get("reasoning_content", last["content"])
