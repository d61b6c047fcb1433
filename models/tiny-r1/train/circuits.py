"""What the network begins with: heads that look at the token before, and induction heads that find where the present token stood
before and copy what followed it (arXiv:2209.11895). Training would find them, but late: everything that copies a name waits for them."""

import math

import torch

COMMON = 0.5        # of the common part of all embeddings against what differs: heads that look at a place need something constant
SHARPNESS = (7.0, 3.0, 2.0)  # logits of the heads that look one token back, by rotary frequency, fastest first
CHANNELS = 2        # pairs of heads: each channel carries a part of the token before
INDUCTION_LAYERS = (1, 2, 3)


@torch.no_grad()
def install(network):
    c, first = network.c, network.layers[0].attention
    hidden, width = c["hidden_size"], c["v_head_dim"]
    basis = torch.linalg.qr(torch.randn(hidden, hidden))[0].t()
    common, content, told, free = basis.split((1, CHANNELS * width, CHANNELS * width, hidden - 1 - 2 * CHANNELS * width))
    told_away = torch.eye(hidden) - told.t() @ told
    network.embedding.copy_(network.embedding @ told_away + COMMON * 0.5 * math.sqrt(hidden) * common)
    network.head.copy_(network.embedding * 0.04)  # as if tied: a token can be copied before it was ever met
    look_back(first, common, content, told, network.frequencies)
    for layer in INDUCTION_LAYERS:
        copied = torch.linalg.qr((torch.randn(CHANNELS * width, len(content) + len(free)) @ torch.cat((content, free))).t())[0].t()
        induct(network.layers[layer].attention, content, told, copied)


def parts(attention):
    """Views: query rows [heads, nope + rope, q_lora], key rows [heads, nope, kv_lora], value rows [heads, v, kv_lora], output columns
    [hidden, heads, v]."""
    c, heads = attention.c, attention.heads
    q = attention.q_b.view(heads, -1, c["q_lora_rank"])
    kv = attention.kv_b.view(heads, -1, c["kv_lora_rank"])
    return q, kv[:, :c["qk_nope_head_dim"]], kv[:, c["qk_nope_head_dim"]:], attention.o.view(c["hidden_size"], heads, -1)


def look_back(attention, common, content, told, frequencies):
    """Head i looks one token back and tells part i of what it sees."""
    q, key, value, out = parts(attention)
    width, latent = value.shape[1], attention.c["kv_lora_rank"]
    strength = COMMON / math.sqrt(1 + COMMON ** 2) * math.sqrt(len(common[0]))
    attention.q_a[0] = common[0]
    attention.kv_a[:len(content)] = content
    rotary = attention.kv_a[latent:].view(-1, 2, len(common[0]))
    rotary *= 0.2
    constant = strength / math.sqrt((strength ** 2 + 0.25 * (attention.c["q_lora_rank"] - 1)) / attention.c["q_lora_rank"])
    for i in range(CHANNELS):
        q[i] *= 0.1
        key[i] *= 0.1
        for f, logit in enumerate(SHARPNESS):
            turn, size = frequencies[f].item(), math.sqrt(logit / attention.scale)
            if i == 0:
                rotary[f, 0] += common[0] * size / strength
            at = attention.c["qk_nope_head_dim"] + 2 * f
            q[i, at, 0], q[i, at + 1, 0] = size / constant * math.cos(turn), -size / constant * math.sin(turn)
        part = slice(i * width, (i + 1) * width)
        value[i] = 0
        value[i][:, part] = torch.eye(width)
        out[:, i] = 0.6 * told[part].t()


def induct(attention, content, told, copied):
    """Head i looks where part i of the token before is part i of the present token, and copies."""
    q, key, value, out = parts(attention)
    width, nope = value.shape[1], attention.c["qk_nope_head_dim"]
    attention.q_a[:len(content)] = content
    attention.kv_a[:len(told)], attention.kv_a[len(told):len(told) + len(copied)] = told, copied
    for i in range(CHANNELS):
        part, then = slice(i * width, (i + 1) * width), slice(len(told) + i * width, len(told) + (i + 1) * width)
        q[i] *= 0.1
        key[i], value[i] = 0, 0
        q[i, :nope][:, part] += torch.eye(nope)
        key[i][:, part] = torch.eye(nope)
        value[i][:, then] = torch.eye(width)
        out[:, i] = copied[part].t()
