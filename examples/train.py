"""Train a small transformer within 40 % of the memory that it takes, with the same gradients.

    pip install '.[torch]'        (in a clone of Moccasin)
    python examples/train.py      (half a minute)
"""

import copy

import torch
from torch import nn
from torch.nn import functional as F

import moccasin.torch


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(0.1))

    def forward(self, x):
        q, k, v = (t.unflatten(-1, (4, -1)).transpose(1, 2) for t in self.qkv(self.norm1(x)).chunk(3, dim=-1))
        x = x + self.out(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm2(x))


torch.manual_seed(0)
model = nn.Sequential(nn.Embedding(128, 96), *(Block(96) for _ in range(4)), nn.LayerNorm(96), nn.Linear(96, 128))
plain_model = copy.deepcopy(model)


def loss_of(model, x, y):
    return F.cross_entropy(model(x).flatten(0, 1), y.flatten())


def batch():
    """The task: say the next number."""
    x = torch.randint(128, (4, 192))
    return x, (x + 1) % 128


# The plain step needs so much, found out without running it; 40 % of that is the budget.
x, y = batch()
plain_peak = moccasin.torch.eager_peak_memory(model, (x, y), loss_of)
step = moccasin.torch.plan(model, (x, y), plain_peak * 40 // 100, loss_of, time_limit=3)
print(f"plain step  {plain_peak / 2**20:.1f} MiB")
print(f"planned     {step.plan.peak_memory / 2**20:.1f} MiB, {len(step.plan.rematerialized)} operators run twice, TDI {step.plan.tdi:.1f} %")

# What it really takes, and that the gradients are the same bit by bit.
resident = [*model.parameters(), *model.buffers(), x, y]
torch.manual_seed(1)
measured = moccasin.torch.peak_memory(lambda: step(x, y), resident)
torch.manual_seed(1)
loss_of(plain_model, x, y).backward()
same = all(torch.equal(p.grad, q.grad) for p, q in zip(model.parameters(), plain_model.parameters()))
print(f"measured    {measured / 2**20:.1f} MiB, gradients {'bitwise equal' if same else 'DIFFERENT'}")

# And on with the training: the step stands for the forward pass and loss.backward().
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
for number in range(16):
    optimizer.zero_grad()
    loss = step(*batch())
    optimizer.step()
    if number % 5 == 0:
        print(f"step {number:2}     loss {loss:.3f}")
