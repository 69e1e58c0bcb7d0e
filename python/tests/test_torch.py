"""Training steps of PyTorch models: the same results, within the memory that was promised."""

import copy
import random
import time

import pytest

torch = pytest.importorskip("torch")

import models  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

import moccasin  # noqa: E402
import moccasin.torch as mt  # noqa: E402


def plain_step(model, inputs, loss):
    value = model(*inputs) if loss is None else loss(model, *inputs)
    value.backward()
    return value.detach()


def resident(model, inputs):
    return [*model.parameters(), *model.buffers(), *(leaf for leaf in inputs if isinstance(leaf, torch.Tensor))]


def assert_same(a, b):
    """Gradients and buffers are bitwise equal."""
    for (name, p), q in zip(a.named_parameters(), b.parameters()):
        assert (p.grad is None) == (q.grad is None), name
        assert p.grad is None or torch.equal(p.grad, q.grad), name
    for (name, p), q in zip(a.named_buffers(), b.buffers()):
        assert torch.equal(p, q), name


class Pair:
    """A model's captured step, and a copy of the model for the plain one."""

    def __init__(self, model, inputs, loss=None, **more):
        self.model, self.inputs, self.loss = model, inputs, loss
        self.plain = copy.deepcopy(model)
        self.capture = mt.capture(model, inputs, loss, **more)
        torch.manual_seed(1)
        values = []
        self.plain_peak = mt.peak_memory(lambda: values.append(plain_step(self.plain, inputs, loss)), resident(self.plain, inputs))
        self.plain_value = values[0]

    def run(self, plan):
        """Run the planned step as the plain one was run; its measured peak."""
        step, values = mt.Step(self.capture, plan), []
        torch.manual_seed(1)
        peak = mt.peak_memory(lambda: values.append(step(*self.inputs)), resident(self.model, self.inputs))
        assert torch.equal(values[0], self.plain_value)
        assert_same(self.model, self.plain)
        return peak


@pytest.fixture(scope="module", params=list(models.MODELS))
def pair(request):
    return request.param, Pair(*models.MODELS[request.param]())


@pytest.mark.parametrize("percent", [70, 50, 35])
def test_models_fit(pair, percent):
    name, pair = pair
    fresh = copy.deepcopy(pair.model.state_dict())
    budget = pair.plain_peak * percent // 100
    plan = moccasin.solve(pair.capture.graph, budget, time_limit=20, moves=300_000, threads=2)
    assert plan, f"{name} at {percent} %: {plan}"
    assert plan.rematerialized
    peak = pair.run(plan)
    print(f"{name} {percent} %: plain {pair.plain_peak}, predicted {plan.peak_memory}, measured {peak}, TDI {plan.tdi:.2f} %")
    assert peak <= budget
    assert abs(peak - plan.peak_memory) <= 0.05 * plan.peak_memory
    # The next budget starts from the same model.
    pair.model.load_state_dict(fresh)
    pair.model.zero_grad()


def test_statistics_are_updated_once(pair):
    """A batch norm that is computed twice counts once: buffers were compared, if any was computed twice."""
    name, pair = pair
    if name not in ("resnet", "unet"):
        pytest.skip("no batch norm")
    plan = moccasin.solve(pair.capture.graph, pair.plain_peak * 4 // 10, moves=300_000, threads=2)
    assert any("batch_norm" in node and "backward" not in node for node, _ in plan.rematerialized)


def test_the_plain_peak_needs_no_run(pair):
    _, pair = pair
    assert mt.eager_peak_memory(pair.model, pair.inputs, pair.loss) == pair.plain_peak


def test_training_goes_on():
    """Several steps with an optimizer, other inputs each time, and gradients that add up."""
    model, inputs, loss = models.gpt(layers=2)
    plain = copy.deepcopy(model)
    step = mt.plan(model, inputs, 0.6, loss, moves=300_000, threads=1)
    assert step.plan.rematerialized
    optimizers = [torch.optim.AdamW(m.parameters(), lr=1e-3) for m in (model, plain)]
    for number in range(4):
        torch.manual_seed(number)
        x, y = torch.randint(256, inputs[0].shape), torch.randint(256, inputs[1].shape)
        results = []
        for m, run in ((model, lambda: step(x, y)), (plain, lambda: plain_step(plain, (x, y), loss))):
            torch.manual_seed(100 + number)
            results.append(run())
        assert torch.equal(*results)
        assert_same(model, plain)
        if number % 2:  # two steps for each update
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()


@pytest.mark.parametrize("order", ["input", "auto"])
def test_random_numbers_are_replayed(order):
    """Dropout that is computed again drops the same, in any order, and leaves the generator as the plain step does."""
    model, inputs, loss = models.gpt(layers=3)
    pair = Pair(model, inputs, loss)
    after = torch.get_rng_state()
    plan = moccasin.solve(pair.capture.graph, pair.plain_peak * 3 // 10, order=order, moves=300_000, threads=1)
    assert plan and pair.run(plan) <= pair.plain_peak * 3 // 10
    assert torch.equal(torch.get_rng_state(), after)
    assert any("bernoulli" in str(node) for node, _ in plan.rematerialized)


def test_a_generator_of_its_own_is_refused():
    generator = torch.Generator()
    with pytest.raises(mt.CaptureError, match="Generator"):
        mt.capture(Small(Call(lambda m, x: (m.first(x) * torch.rand(8, generator=generator)).sum())), (torch.randn(16, 8),))


def test_a_deep_model_is_captured_and_planned_in_time():
    model, inputs, loss = models.gpt(layers=24)
    start = time.monotonic()
    captured = mt.capture(model, inputs, loss)
    plan = moccasin.solve(captured.graph, 0.5, time_limit=8)
    seconds = time.monotonic() - start
    print(f"{len(captured.module.graph.nodes)} nodes, {len(captured.graph)} operations: {seconds:.1f} s")
    assert len(captured.module.graph.nodes) > 3000
    assert plan and seconds < 30


def test_plans_are_files(tmp_path):
    model, inputs, loss = models.vit(batch=2)
    pair = Pair(model, inputs, loss)
    pair.capture.graph.save(tmp_path / "graph.json")
    graph = moccasin.Graph.from_file(tmp_path / "graph.json")
    plan = moccasin.solve(graph, 0.6, moves=300_000, threads=1)
    plan.save(tmp_path / "plan.json")
    assert pair.run(moccasin.Plan.from_file(pair.capture.graph, tmp_path / "plan.json")) <= plan.budget


def test_measured_durations():
    model, inputs, loss = models.resnet(batch=2)
    state = torch.get_rng_state()
    captured = mt.capture(model, inputs, loss, durations="measure")
    assert torch.equal(state, torch.get_rng_state())
    durations = {o.name: o.duration for o in captured.graph.operations}
    convolutions = [d for name, d in durations.items() if name.startswith("convolution")]
    assert min(durations.values()) > 0 and max(convolutions) > min(durations.values())
    given = mt.capture(model, inputs, loss, durations=lambda node: 7)
    assert {o.duration for o in given.graph.operations} == {7}


# --- What models do ---


class Small(nn.Module):
    def __init__(self, forward=None):
        super().__init__()
        self.first, self.second, self.unused = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(2, 2)
        self.register_buffer("mean", torch.zeros(8))
        self.constant = torch.arange(8.0)
        self.run = forward

    def forward(self, *inputs):
        return type(self.run).__call__(self.run, self, *inputs)


class Call:
    """A function as a value that deepcopy leaves alone."""

    def __init__(self, function):
        self.function = function

    def __call__(self, *inputs):
        return self.function(*inputs)

    def __deepcopy__(self, memo):
        return self


def in_place_on_views(m, x):
    y = m.first(x)
    y[:, 0] = 0
    y[:, 1].mul_(3)
    y.relu_()
    return (y**2).sum()


def writes_a_buffer(m, x):
    y = m.first(x)
    m.mean.mul_(0.9).add_(y.detach().mean(0))
    return (y * m.mean).sum()


def new_constant(m, x):
    return (m.first(x) * torch.tensor([1.0, 2, 3, 4, 5, 6, 7, 8]) + m.constant).sum()


def random_numbers(m, x):
    y = F.dropout(m.first(x), 0.3) * torch.rand(8)
    return (y + torch.randn_like(y) + F.rrelu(m.second(y), training=True) * torch.bernoulli(torch.full((16, 8), 0.5))).sum()


def checkpointed(m, x):
    return m.second(torch.utils.checkpoint.checkpoint(lambda y: torch.relu(m.first(y)), x, use_reentrant=False)).sum()


def checkpointed_reentrant(m, x):
    x = x.clone().requires_grad_()
    return m.second(torch.utils.checkpoint.checkpoint(lambda y: torch.relu(m.first(y)), x, use_reentrant=True)).sum()


def half_precision(m, x):
    with torch.autocast("cpu", torch.bfloat16):
        return F.relu(m.second(m.first(x))).float().sum()


def many_views(m, x):
    y = m.first(x).sort()[0].unbind(0)[1]
    z = torch.stack(m.second(x).chunk(2, 1)).transpose(0, 1).flatten(1).split(3, 1)
    return y.sum() + sum(part.sum() for part in z) + m.first(x).topk(3)[0].sum()


def attention(m, x):
    weight, bias = torch.ones(24, 8), torch.zeros(24)
    return F.multi_head_attention_forward(
        x[:, None], x[:, None], x[:, None], 8, 2, weight, bias, None, None, False, 0.1, m.first.weight, m.first.bias)[0].sum()


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        return 2 * gradient * ctx.saved_tensors[0]


def own_function(m, x):
    return Square.apply(m.first(x)).sum()


@pytest.mark.parametrize("forward", [
    in_place_on_views, writes_a_buffer, new_constant, random_numbers, checkpointed, checkpointed_reentrant, half_precision,
    many_views, attention, own_function])
def test_what_models_do(forward):
    torch.manual_seed(0)
    pair = Pair(Small(Call(forward)), (torch.randn(16, 8),))
    pair.run(moccasin.solve(pair.capture.graph, 1.0))
    # Again, as tight as it goes.
    pair = Pair(Small(Call(forward)), (torch.randn(16, 8),))
    for percent in range(70, 101, 5):
        if plan := moccasin.solve(pair.capture.graph, percent / 100, moves=30_000, threads=1):
            pair.run(plan)
            break


def test_frozen_parameters_and_eval_mode():
    torch.manual_seed(0)
    model = models.ResNet(widths=(4, 8), blocks=1)
    model.stem.requires_grad_(False)
    model.layers[0].norm1.eval()
    pair = Pair(model, (torch.randn(4, 3, 8, 8), torch.randint(10, (4,))), models.classify)
    pair.run(moccasin.solve(pair.capture.graph, 0.8, moves=300_000, threads=1))
    assert all(p.grad is None for p in model.stem.parameters())


def test_structured_inputs_and_results():
    def loss(model, batch, scale):
        y = model(batch["x"])
        return {"loss": F.mse_loss(y, batch["y"]) * scale, "predictions": y}

    model = nn.Linear(4, 2)
    plain = copy.deepcopy(model)
    batch = {"x": torch.randn(8, 4), "y": torch.randn(8, 2)}
    step = mt.plan(model, (batch, 2.0), 1.0, loss)
    result, expected = step(batch, 2.0), loss(plain, batch, 2.0)
    expected["loss"].backward()
    assert torch.equal(result["loss"], expected["loss"]) and torch.equal(result["predictions"], expected["predictions"])
    assert not result["loss"].requires_grad
    assert_same(model, plain)
    with pytest.raises(ValueError, match="2.0 when the step was captured"):
        step(batch, 3.0)
    with pytest.raises(ValueError, match="structured"):
        step(batch)


def test_the_same_input_twice():
    x = torch.randn(8, 4)
    model = nn.Linear(4, 4)
    pair = Pair(model, (x, x), lambda m, x, y: F.mse_loss(m(x), y))
    pair.run(moccasin.solve(pair.capture.graph, 1.0))


@pytest.mark.parametrize("loss", [
    lambda m, x: (m.a + m.b).sum(), lambda m, x: (m.a + m.b).pow(2).sum(), lambda m, x: (m.a + m.b.t()).pow(2).sum(),
    lambda m, x: (m.a * x).sum() + m.b.sum()])
def test_gradients_share_nothing(loss):
    """Where two gradients are one tensor, or an input, each parameter gets its own, as in the plain step."""
    model = nn.ParameterDict({"a": nn.Parameter(torch.randn(4, 4)), "b": nn.Parameter(torch.randn(4, 4))})
    plain, x = copy.deepcopy(model), torch.randn(4, 4)
    step = mt.plan(model, x, 1.0, loss)
    for _ in range(3):
        step(x)
        plain_step(plain, (x,), loss)
        assert_same(model, plain)
    storages = {tensor.untyped_storage().data_ptr() for tensor in (model.a.grad, model.b.grad, x)}
    assert len(storages) == 3


def test_autocast_around_the_step_changes_nothing():
    model, inputs, loss = models.vit(batch=1)
    pair = Pair(model, inputs, loss)
    plan = moccasin.solve(pair.capture.graph, 1.0)
    with torch.autocast("cpu", torch.bfloat16):
        pair.run(plan)


# --- What is refused ---


def branches(m, x):
    y = m.first(x)
    return y.sum() if y.sum() > 0 else y.mean()


def takes_an_item(m, x):
    return m.first(x).sum() * x.sum().item()


def selects_by_value(m, x):
    y = m.first(x)
    return y[y > 0].sum()


def writes_to_its_input(m, x):
    x.add_(1)
    return m.first(x).sum()


def writes_to_a_parameter(m, x):
    with torch.no_grad():
        m.first.weight.mul_(0.5)
    return m.first(x).sum()


def writes_to_a_constant(m, x):
    m.constant.mul_(2)
    return (m.first(x) * m.constant).sum()


def replaces_a_buffer(m, x):
    m.mean = m.mean + 1
    return m.first(x).sum()


def counts(m, x):
    m.calls = 1
    return m.first(x).sum()


def draws_from_python(m, x):
    return m.first(x).sum() if random.random() < 0.5 else m.second(x).sum()


def seeds(m, x):
    torch.manual_seed(5)
    return F.dropout(m.first(x)).sum()


def leaves_torch(m, x):
    return m.first(x).sum() * float(m.first(x).detach().numpy().sum())


def no_scalar(m, x):
    return m.first(x)


def no_tensor(m, x):
    return 3


def no_gradient(m, x):
    return x.sum()


OUTSIDE = nn.Parameter(torch.ones(8))


def outside_parameter(m, x):
    return (m.first(x) * OUTSIDE).sum()


@pytest.mark.parametrize("forward, message", [
    (branches, "values of tensors"), (takes_an_item, "values of tensors"), (selects_by_value, "values of tensors"),
    (writes_to_its_input, "an input in place"), (writes_to_a_parameter, "a parameter in place"),
    (writes_to_a_constant, "writes to its input"), (replaces_a_buffer, "replaces mean"), (counts, "sets calls"),
    (draws_from_python, "generator of random"), (seeds, "generator of torch"), (leaves_torch, "cannot be traced"),
    (no_scalar, "single number"), (no_tensor, "must return the loss"), (no_gradient, "does not depend"),
    (outside_parameter, "no parameter of the model")])
def test_what_is_refused(forward, message):
    model = Small(Call(forward))
    before = dict(model.__dict__)
    with pytest.raises(mt.CaptureError, match=message):
        mt.capture(model, (torch.randn(16, 8),))
    assert model.__dict__.keys() == before.keys()
    assert all(type(value) is torch.Tensor for value in (model.constant, model.mean))


def test_hooks_and_wrappers_are_refused():
    model = Small(Call(own_function))
    model.first.weight.register_hook(lambda gradient: gradient * 2)
    with pytest.raises(mt.CaptureError, match="hook"):
        mt.capture(model, (torch.randn(16, 8),))
    with pytest.raises(mt.CaptureError, match="DataParallel"):
        mt.capture(nn.DataParallel(nn.Linear(2, 2)), (torch.randn(2, 2),), lambda m, x: m(x).sum())
    with pytest.raises(mt.CaptureError, match="requires a gradient"):
        mt.capture(Small(Call(own_function)), (torch.randn(16, 8, requires_grad=True),))


def test_what_has_changed_is_refused():
    torch.manual_seed(0)
    model = Small(Call(own_function))
    x = torch.randn(16, 8)
    step = mt.plan(model, x, 1.0)
    step(x)
    for wrong in (torch.randn(15, 8), torch.randn(16, 8, dtype=torch.float64), torch.randn(8, 16).T, None):
        with pytest.raises(ValueError, match="when the step was captured"):
            step(wrong)
    model.eval()
    with pytest.raises(ValueError, match=r"train\(\) and eval\(\)"):
        step(x)
    model.train()
    model.second.weight.requires_grad_(False)
    with pytest.raises(ValueError, match="require a gradient"):
        step(x)
    model.second.weight.requires_grad_(True)
    model.first = nn.Linear(8, 8, dtype=torch.float64)
    with pytest.raises(ValueError, match="first.weight"):
        step(x)


def test_no_plan_is_an_error():
    model, inputs, loss = models.vit(batch=1)
    with pytest.raises(moccasin.NoPlan, match="no plan exists"):
        mt.plan(model, inputs, 1000, loss)
    other = mt.capture(nn.Linear(2, 2), (torch.randn(2, 2),), lambda m, x: m(x).sum())
    with pytest.raises(ValueError, match="another graph"):
        mt.Step(mt.capture(model, inputs, loss), moccasin.solve(other.graph, 1.0))
