"""The network: DeepSeek-V3's layers (arXiv:2412.19437, section 2) in PyTorch, for training. Latent attention in its expanded form, a
mixture of experts with sigmoid scores, selection bias and groups, one multi-token-prediction layer."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def matrix(n_out, n_in):
    return nn.Parameter(torch.randn(n_out, n_in) * (0.5 / math.sqrt(n_in)))


class Norm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        x = x.float()
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight


def yarn_frequencies(config):
    """Angles per position [rope / 2] and the factor on the softmax scale (arXiv:2309.00071, section 3)."""
    s, dim, theta = config["rope_scaling"], config["qk_rope_head_dim"], config["rope_theta"]
    base = theta ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)

    def turns(n):
        return dim * math.log(s["original_max_position_embeddings"] / (n * 2 * math.pi)) / (2 * math.log(theta))

    low, high = max(math.floor(turns(s["beta_fast"])), 0), min(math.ceil(turns(s["beta_slow"])), dim - 1)
    ramp = ((torch.arange(dim // 2, dtype=torch.float64) - low) / max(high - low, 0.001)).clamp(0, 1)
    m = 0.1 * s["mscale_all_dim"] * math.log(s["factor"]) + 1
    return base / s["factor"] * ramp + base * (1 - ramp), m * m


def rotate(x, cos, sin):
    """Rotary embedding of consecutive pairs: x [N, heads, rope], cos and sin [N, 1, rope / 2]."""
    a, b = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


class Padding:
    """Where tokens [N] stand in documents padded to the longest: all but attention works without the padding."""

    def __init__(self, rows, positions):
        self.shape = int(rows[-1]) + 1, int(positions.max()) + 1
        self.place = rows * self.shape[1] + positions
        self.mask = torch.full((self.shape[1], self.shape[1]), -1e9, device=rows.device).triu(1)

    def put(self, x):
        """x [N, heads, width] to [documents, heads, length, width]."""
        out = x.new_zeros(self.shape[0] * self.shape[1], *x.shape[1:]).index_copy(0, self.place, x)
        return out.view(*self.shape, *x.shape[1:]).transpose(1, 2)

    def take(self, x):
        """The way back, [N, heads * width]."""
        return x.transpose(1, 2).reshape(self.shape[0] * self.shape[1], -1).index_select(0, self.place)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c, self.heads = c, c["num_attention_heads"]
        hidden, nope, rope, v = c["hidden_size"], c["qk_nope_head_dim"], c["qk_rope_head_dim"], c["v_head_dim"]
        self.q_a = matrix(c["q_lora_rank"], hidden)
        self.q_a_norm = Norm(c["q_lora_rank"], c["rms_norm_eps"])
        self.q_b = matrix(self.heads * (nope + rope), c["q_lora_rank"])
        self.kv_a = matrix(c["kv_lora_rank"] + rope, hidden)
        self.kv_a_norm = Norm(c["kv_lora_rank"], c["rms_norm_eps"])
        self.kv_b = matrix(self.heads * (nope + v), c["kv_lora_rank"])
        self.o = matrix(hidden, self.heads * v)
        self.scale = (nope + rope) ** -0.5 * yarn_frequencies(c)[1]

    def forward(self, x, cos, sin, padding):
        c, N = self.c, len(x)
        nope, rope, v = c["qk_nope_head_dim"], c["qk_rope_head_dim"], c["v_head_dim"]
        q = F.linear(self.q_a_norm(F.linear(x, self.q_a)), self.q_b).view(N, self.heads, nope + rope)
        latent, shared = F.linear(x, self.kv_a).split((c["kv_lora_rank"], rope), -1)
        kv = F.linear(self.kv_a_norm(latent), self.kv_b).view(N, self.heads, nope + v)
        turned = rotate(shared[:, None], cos, sin).to(kv.dtype).expand(N, self.heads, rope)
        query = torch.cat((rotate(q[..., nope:], cos, sin).to(q.dtype), q[..., :nope]), -1) * self.scale
        query, key_value = padding.put(query), padding.put(torch.cat((turned, kv), -1))
        key, value = key_value.split((rope + nope, v), -1)
        scores = query @ key.transpose(-1, -2) + padding.mask
        return F.linear(padding.take(scores.softmax(-1).to(kv.dtype) @ value), self.o)


def gated(x, gate_up, down):
    gate, up = F.linear(x, gate_up).chunk(2, -1)
    return F.linear(F.silu(gate) * up, down)


class Mlp(nn.Module):
    def __init__(self, c, inter):
        super().__init__()
        self.gate_up, self.down = matrix(2 * inter, c["hidden_size"]), matrix(c["hidden_size"], inter)

    def forward(self, x):
        return gated(x, self.gate_up, self.down)


class Grouped(torch.autograd.Function):
    """gated() of many experts: rows x [n, hidden] sorted by expert, counts[e] of them for expert e. By hand, because a graph of small
    products costs as much as the products."""

    @staticmethod
    def forward(ctx, x, gate_up, down, counts):
        both, out = x.new_empty(len(x), gate_up.shape[1]), torch.empty_like(x)
        for e, (rows, part) in enumerate(zip(x.split(counts), both.split(counts), strict=True)):
            torch.mm(rows, gate_up[e].t(), out=part)
        gate, up = both.chunk(2, -1)
        inner = F.silu(gate) * up
        for e, (rows, part) in enumerate(zip(inner.split(counts), out.split(counts), strict=True)):
            torch.mm(rows, down[e].t(), out=part)
        ctx.save_for_backward(x, gate_up, down, both, inner)
        ctx.counts = counts
        return out

    @staticmethod
    def backward(ctx, d_out):
        x, gate_up, down, both, inner = ctx.saved_tensors
        d_gate_up, d_down, d_inner, d_x = (torch.empty_like(t) for t in (gate_up, down, inner, x))
        for e, (d, rows, part) in enumerate(zip(*(t.split(ctx.counts) for t in (d_out, inner, d_inner)), strict=True)):
            torch.mm(d.t(), rows, out=d_down[e])
            torch.mm(d, down[e], out=part)
        gate, up = both.chunk(2, -1)
        sigmoid = gate.sigmoid()
        d_both = torch.cat((d_inner * up * sigmoid * (1 + gate * (1 - sigmoid)), d_inner * gate * sigmoid), -1)
        for e, (d, rows, part) in enumerate(zip(*(t.split(ctx.counts) for t in (d_both, x, d_x)), strict=True)):
            torch.mm(d.t(), rows, out=d_gate_up[e])
            torch.mm(d, gate_up[e], out=part)
        return d_x, d_gate_up, d_down, None


class Experts(nn.Module):
    """Tokens sorted by expert, one product an expert. `bias` is no parameter: balance moves it (section 2.1.2)."""

    def __init__(self, c):
        super().__init__()
        self.c, n, inter, hidden = c, c["n_routed_experts"], c["moe_intermediate_size"], c["hidden_size"]
        self.router = matrix(n, hidden)
        self.register_buffer("bias", torch.zeros(n))
        self.register_buffer("load", torch.zeros(n), persistent=False)
        self.gate_up = nn.Parameter(torch.stack([matrix(2 * inter, hidden).data for _ in range(n)]))
        self.down = nn.Parameter(torch.stack([matrix(hidden, inter).data for _ in range(n)]))
        self.shared = Mlp(c, inter * c["n_shared_experts"])

    def choose(self, x):
        """Weights and experts [tokens, k] of rows x, by biased scores of the best groups; the weights are unbiased."""
        c, n = self.c, self.c["n_routed_experts"]
        with torch.autocast("cpu", enabled=False):
            scores = (x.float() @ self.router.t()).sigmoid()
        biased = (scores + self.bias).detach()
        groups = biased.unflatten(-1, (c["n_group"], -1))
        best = groups.topk(2, -1).values.sum(-1).topk(c["topk_group"], -1).indices
        kept = torch.zeros_like(groups[..., 0], dtype=torch.bool).scatter_(-1, best, True)
        biased = biased.masked_fill(~kept.repeat_interleave(n // c["n_group"], -1), -torch.inf)
        chosen = biased.topk(c["num_experts_per_tok"], -1).indices
        weights = scores.gather(-1, chosen)
        return weights / (weights.sum(-1, keepdim=True) + 1e-20) * c["routed_scaling_factor"], chosen

    def forward(self, x):
        k = self.c["num_experts_per_tok"]
        weights, chosen = self.choose(x)
        order = chosen.flatten().argsort(stable=True)
        counts = torch.bincount(chosen.flatten(), minlength=self.c["n_routed_experts"])
        if self.training:
            self.load += counts
        work = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
        sorted_rows = x.index_select(0, order // k).to(work)
        out = Grouped.apply(sorted_rows, self.gate_up.to(work), self.down.to(work), counts.tolist()).float() * weights.flatten()[order, None]
        return self.shared(x) + torch.zeros_like(x, dtype=out.dtype).index_add(0, order // k, out)


class Layer(nn.Module):
    def __init__(self, c, dense):
        super().__init__()
        self.attention_norm, self.ffn_norm = Norm(c["hidden_size"], c["rms_norm_eps"]), Norm(c["hidden_size"], c["rms_norm_eps"])
        self.attention, self.ffn = Attention(c), Mlp(c, c["intermediate_size"]) if dense else Experts(c)

    def forward(self, x, *context):
        x = x + self.attention(self.attention_norm(x), *context)
        return x + self.ffn(self.ffn_norm(x))


class Mtp(nn.Module):
    """Guesses the token after the next one from the main model's last hidden state, behind its final norm, and the next token."""

    def __init__(self, c):
        super().__init__()
        hidden, eps = c["hidden_size"], c["rms_norm_eps"]
        self.enorm, self.hnorm, self.norm = Norm(hidden, eps), Norm(hidden, eps), Norm(hidden, eps)
        self.eh_proj, self.layer = matrix(hidden, 2 * hidden), Layer(c, dense=False)

    def forward(self, embedded_next, hidden, *context):
        joined = torch.cat((self.enorm(embedded_next), self.hnorm(hidden)), -1)
        return self.norm(self.layer(F.linear(joined, self.eh_proj), *context))


class Network(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.embedding = nn.Parameter(torch.randn(c["vocab_size"], c["hidden_size"]) * 0.5)
        self.layers = nn.ModuleList(Layer(c, dense=i < c["first_k_dense_replace"]) for i in range(c["num_hidden_layers"]))
        self.norm = Norm(c["hidden_size"], c["rms_norm_eps"])
        self.head = nn.Parameter(torch.randn(c["vocab_size"], c["hidden_size"]) * 0.02)
        self.mtp = Mtp(c)
        self.register_buffer("frequencies", yarn_frequencies(c)[0], persistent=False)

    def context(self, rows, positions):
        """What attention needs to know of tokens [N]: angles [N, 1, rope / 2], and where they stand in documents padded to one length."""
        angles = (positions.double()[:, None, None] * self.frequencies).float()
        return angles.cos(), angles.sin(), Padding(rows, positions)

    def forward(self, ids, rows, positions):
        """Hidden states behind the final norm [N, hidden] of tokens [N], each of document `rows`, and the context for mtp_logits."""
        context = self.context(rows, positions)
        x = F.embedding(ids, self.embedding)
        for layer in self.layers:
            x = layer(x, *context)
        return self.norm(x), context

    def logits(self, hidden):
        return F.linear(hidden, self.head)

    def mtp_logits(self, hidden, next_ids, context):
        return self.logits(self.mtp(F.embedding(next_ids, self.embedding), hidden, *context))

    def experts(self):
        return [m for m in self.modules() if isinstance(m, Experts)]
