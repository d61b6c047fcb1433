"""Looking back, in plain text for pre-training: strings that were never seen, told again, or sought by what stood beside them. A reply
that copies five tokens teaches it slowly; here most tokens can only be known by looking back. Never asked, so never evaluated."""

from tasks import Example
from tasks.copying import a_word

KIND = "repeats"
ONLY_TRAINED = True


def strings(rng, n):
    scripts = rng.choice((("latin",), ("latin", "digits"), ("zh",), ("ar",), ("digits", "zh", "ar", "latin", "latin")))
    return [a_word(rng, rng.choice(scripts)) for _ in range(n)]


def told_again(rng):
    """The same strings in the same order, or backwards."""
    words, between = strings(rng, rng.randint(4, 16)), rng.choice((" ", ", ", "\n", " - "))
    again = words if rng.random() < 0.8 else words[::-1]
    return between.join(words) + rng.choice(("\n", "\n\n", " → ", "\n= ")), between.join(again)


def sought(rng):
    """Pairs, then each one's partner in another order."""
    keys = list(dict.fromkeys(strings(rng, rng.randint(3, 10))))
    values, between = strings(rng, len(keys)), rng.choice((": ", "=", " → ", ' = "', " "))
    pairs = [f"{k}{between}{v}" + '"' * between.endswith('"') for k, v in zip(keys, values)]
    again = rng.sample(pairs, len(pairs))
    return rng.choice(("\n", ", ", "; ")).join(pairs) + "\n\n", "\n".join(again)


def make(rng, language, held_out):
    return Example(KIND, language, text=rng.choice((told_again, sought))(rng))
