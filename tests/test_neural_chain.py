"""The CRF head against brute force, its two ways to log Z against each other, masks with holes, bad input."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from chain_oracle import all_paths
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="neural models need torch")

from nlptk import chain  # noqa: E402
from nlptk.errors import ConfigError, DataError  # noqa: E402
from nlptk.neural.chain import CrfHead  # noqa: E402

NAMES = ["O", "B-X", "I-X", "B-Y", "I-Y"]
REDUCTIONS = ("sum", "mean", "token_mean")


def make_head(labels: Any, seed: int, **settings: Any) -> CrfHead:
    head = CrfHead(labels, **settings)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.normal_(generator=generator)
    return head


def make_batch(seed: int, batch: int, time: int, labels: int) -> tuple[Any, Any, Any]:
    """Emissions, gold labels and a mask with holes anywhere, some sequences empty."""
    generator = torch.Generator().manual_seed(seed)
    emissions = torch.randn(batch, time, labels, generator=generator)
    gold = torch.randint(labels, (batch, time), generator=generator)
    mask = torch.rand(batch, time, generator=generator) < torch.rand(batch, 1, generator=generator) * 1.5
    return emissions, gold, mask


def parts(head: CrfHead, masked: bool) -> tuple[Any, Any, Any]:
    return tuple(scores.detach().double().numpy() for scores in head._scores(masked))  # type: ignore[return-value]


def enumerated(head: CrfHead, emissions: Any, gold: Any, mask: Any, masked: bool = False) -> list[float]:
    """-log p of each gold path, by all paths that there are."""
    transitions, start, end = parts(head, masked)
    losses = []
    for rows, labels, kept in zip(emissions, gold, mask, strict=True):
        paths = all_paths(rows[kept].double().numpy(), transitions, start, end)
        scores = {path: score for score, path in paths}
        own = scores.get(tuple(labels[kept].tolist()), -np.inf)
        losses.append(float(np.logaddexp.reduce(list(scores.values())) - own))
    return losses


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), batch=st.integers(1, 4), time=st.integers(1, 5), labels=st.integers(1, 4))
def test_loss_is_that_of_all_paths(seed: int, batch: int, time: int, labels: int) -> None:
    head = make_head(labels, seed)
    emissions, gold, mask = make_batch(seed, batch, time, labels)
    expected = torch.tensor(enumerated(head, emissions, gold, mask))
    torch.testing.assert_close(
        head.loss(emissions, gold, mask, "none"), expected.float(), atol=1e-5, rtol=1e-5
    )
    total = expected.sum()
    for reduction, by in zip(REDUCTIONS, (1, batch, max(int(mask.sum()), 1)), strict=True):
        loss = head.loss(emissions, gold, mask, reduction)
        torch.testing.assert_close(loss, (total / by).float(), atol=1e-5, rtol=1e-5)


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), batch=st.integers(1, 5), time=st.integers(1, 12), labels=st.integers(1, 9))
def test_kernel_and_torch_have_the_same_gradients(seed: int, batch: int, time: int, labels: int) -> None:
    emissions, gold, mask = make_batch(seed, batch, time, labels)
    gradients = []
    for dtype in (torch.float32, torch.float64):  # the kernel is float32
        head = make_head(labels, seed).to(dtype)
        leaf = emissions.to(dtype, copy=True).requires_grad_()
        head.loss(leaf, gold, mask).backward()
        gradients.append([leaf.grad, *(parameter.grad for parameter in head.parameters())])
    for kernel, autograd in zip(*gradients, strict=True):
        torch.testing.assert_close(kernel, autograd.float(), atol=1e-4, rtol=1e-4)


def test_gradient_of_each_sequence_by_differences() -> None:
    head = make_head(3, 0).double()
    emissions, gold, mask = make_batch(1, 3, 4, 3)
    leaves = [emissions.double().requires_grad_(), *head.parameters()]

    def loss(rows: Any, *_: Any) -> Any:
        return head.loss(rows, gold, mask, "none")

    assert torch.autograd.gradcheck(loss, leaves)


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), time=st.integers(1, 6), labels=st.integers(1, 4))
def test_decoding_finds_the_best_of_all_paths(seed: int, time: int, labels: int) -> None:
    head = make_head(labels, seed)
    emissions, _, mask = make_batch(seed, 3, time, labels)
    found = head.decode(emissions, mask)
    transitions, start, end = parts(head, masked=True)
    for path, rows, kept in zip(found, emissions, mask, strict=True):
        assert tuple(path.tolist()) == all_paths(rows[kept].numpy(), transitions, start, end)[0][1]


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_masked_positions_change_nothing(seed: int) -> None:
    """Holes closed up, and whatever stood in them, NaN and labels that there are not included."""
    head = make_head(4, seed)
    emissions, gold, mask = make_batch(seed, 4, 7, 4)
    spoiled = emissions.masked_fill(~mask[..., None], torch.nan)
    wrong = gold.masked_fill(~mask, -100)
    lengths = mask.sum(1)
    for reduction in ("sum", "none"):
        loss = head.loss(spoiled.requires_grad_(), wrong, mask, reduction)
        packed = head.packed_loss(emissions[mask], gold[mask], lengths, reduction)
        torch.testing.assert_close(loss, packed)
        (gradient,) = torch.autograd.grad(loss.sum(), spoiled)
        assert torch.equal(gradient.masked_fill(mask[..., None], 0.0), torch.zeros_like(gradient))
    best = head.packed_decode(emissions[mask], lengths)
    assert np.concatenate(head.decode(spoiled.detach(), mask)).tolist() == best.tolist()


@pytest.mark.parametrize("scheme", ["bio", "bioes"])
def test_scheme_lets_only_valid_paths_out(scheme: Any) -> None:
    names = NAMES if scheme == "bio" else [*NAMES, "E-X", "S-X", "E-Y", "S-Y"]
    head = make_head(names, 3, scheme=scheme)
    emissions, _, mask = make_batch(4, 20, 9, len(names))
    free = make_head(len(names), 3).decode(emissions, mask)
    found = head.decode(emissions, mask)
    assert all(chain.is_valid([names[k] for k in path], scheme) for path in found)
    assert not all(chain.is_valid([names[k] for k in path], scheme) for path in free)


def test_loss_over_valid_paths_only() -> None:
    head = make_head(NAMES, 5, scheme="bio", mask_loss=True)
    emissions = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0))
    gold = torch.tensor([[1, 2, 0], [0, 2, 0]])  # B-X I-X O is valid, O I-X O is not
    full = torch.ones(2, 3, dtype=torch.bool)
    expected = enumerated(head, emissions, gold, full, masked=True)
    assert expected[1] == np.inf
    for dtype in (torch.float32, torch.float64):
        rows = emissions.to(dtype, copy=True).requires_grad_()
        loss = head.loss(rows, gold, reduction="none")
        assert loss[0].item() == pytest.approx(expected[0], rel=1e-5)
        assert loss[1].item() == np.inf
        loss = head.loss(rows[:1], gold[:1])
        assert loss.item() == pytest.approx(expected[0], rel=1e-5)
        loss.backward()
        assert torch.isfinite(rows.grad).all()


def test_without_scores_of_first_and_last() -> None:
    head = make_head(3, 6, start=False, end=False)
    assert [name for name, _ in head.named_parameters()] == ["transitions"]
    emissions, gold, mask = make_batch(7, 3, 4, 3)
    expected = sum(enumerated(head, emissions, gold, mask))
    assert head.loss(emissions, gold, mask).item() == pytest.approx(expected, rel=1e-5)


def test_under_autocast_and_in_half() -> None:
    head = make_head(6, 8)
    emissions, gold, mask = make_batch(9, 4, 8, 6)
    half = emissions.bfloat16()
    exact = head.loss(half.float(), gold, mask)
    with torch.autocast("cpu", torch.bfloat16):
        for reduction in ("sum", "none"):
            leaf = half.clone().requires_grad_()
            loss = head.loss(leaf, gold, mask, reduction).sum()
            assert loss.dtype == torch.float32
            torch.testing.assert_close(loss, exact)
            loss.backward()
            assert leaf.grad.dtype == torch.bfloat16
        assert len(head.decode(half, mask)) == 4


def test_against_pytorch_crf() -> None:
    torchcrf = pytest.importorskip("torchcrf", reason="the peer, pytorch-crf, is not installed")
    peer = torchcrf.CRF(7, batch_first=True)
    head = CrfHead(7)
    names = {"transitions": "transitions", "start": "start_transitions", "end": "end_transitions"}
    head.load_state_dict({ours: getattr(peer, theirs).detach() for ours, theirs in names.items()})
    emissions, gold, _ = make_batch(10, 6, 11, 7)
    mask = torch.arange(11) < torch.tensor([11, 1, 5, 2, 8, 11])[:, None]
    results = []
    for model in (lambda e: head.loss(e, gold, mask), lambda e: -peer(e, gold, mask=mask)):
        leaf = emissions.clone().requires_grad_()
        loss = model(leaf)
        loss.backward()
        results.append([loss.detach(), leaf.grad])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    for ours, theirs in names.items():
        torch.testing.assert_close(getattr(head, ours).grad, getattr(peer, theirs).grad, atol=1e-5, rtol=1e-5)
    assert [path.tolist() for path in head.decode(emissions, mask)] == peer.decode(emissions, mask)


def test_second_derivatives_are_refused_where_there_are_none() -> None:
    head = make_head(3, 0)
    emissions, gold, mask = make_batch(2, 2, 4, 3)
    leaf, scale = emissions.requires_grad_(), torch.ones((), requires_grad=True)
    (gradient,) = torch.autograd.grad(head.loss(leaf, gold, mask) * scale, leaf, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch can use")
def test_on_a_gpu() -> None:
    head = make_head(6, 1)
    emissions, gold, mask = make_batch(3, 5, 20, 6)
    results = []
    for device in ("cpu", "cuda"):
        head = head.to(device)
        leaf = emissions.to(device).detach().requires_grad_()
        loss = head.loss(leaf, gold.to(device), mask.to(device))
        loss.backward()
        packed = head.packed_loss(leaf[mask], gold.to(device)[mask], mask.sum(1).to(device))
        paths = [path.tolist() for path in head.decode(leaf, mask.to(device))]
        results.append((loss.detach().cpu(), packed.detach().cpu(), leaf.grad.cpu(), paths))
    for one, other in zip(*results, strict=True):
        if isinstance(one, list):
            assert one == other
        else:
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-5)


def test_no_sequences_and_no_positions() -> None:
    head = make_head(3, 0)
    for shape in ((0, 4), (2, 0), (0, 0)):
        emissions, gold = torch.zeros(*shape, 3), torch.zeros(*shape, dtype=torch.int64)
        for reduction in (*REDUCTIONS, "none"):
            assert head.loss(emissions, gold, reduction=reduction).sum() == 0
            packed = head.packed_loss(
                emissions.flatten(0, 1), gold.flatten(), torch.zeros(shape[0]).long(), reduction
            )
            assert packed.sum() == 0
        assert [path.tolist() for path in head.decode(emissions)] == [[]] * shape[0]


def test_state_is_the_scores_alone() -> None:
    assert set(CrfHead(NAMES, "bio").state_dict()) == {"transitions", "start", "end"}


def test_bad_input() -> None:
    head = CrfHead(3)
    emissions, gold = torch.zeros(2, 4, 3), torch.zeros(2, 4, dtype=torch.int64)
    with pytest.raises(DataError, match=r"emissions must be \[batch, time, 3 labels\], not \[2, 4, 5\]"):
        head.loss(torch.zeros(2, 4, 5), gold)
    with pytest.raises(DataError, match=r"mask must be \[batch, time\] = \[2, 4\], not \[2, 3\]"):
        head.decode(emissions, torch.ones(2, 3))
    with pytest.raises(DataError, match=r"gold must be \[batch, time\]"):
        head.loss(emissions, gold[:, 1:])
    with pytest.raises(DataError, match="gold labels must be 0 to 2, not 0 to 3"):
        head.loss(emissions, torch.arange(4).expand(2, 4))
    with pytest.raises(DataError, match="lengths add up to 5, but there are 8 positions"):
        head.packed_decode(emissions.flatten(0, 1), torch.tensor([2, 3]))
    with pytest.raises(DataError, match=r"gold must be \[positions\] = \[8\], not \[7\]"):
        head.packed_loss(emissions.flatten(0, 1), gold.flatten()[1:], torch.tensor([4, 4]))
    with pytest.raises(DataError, match=r"emissions must be \[positions, 3 labels\]"):
        head.packed_decode(emissions, torch.tensor([4, 4]))
    with pytest.raises(ConfigError, match="reduction must be one of sum, mean, token_mean, none"):
        head.loss(emissions, gold, reduction="median")  # type: ignore[arg-type]
    spoiled = emissions.clone()
    spoiled[1, 2, 0] = torch.nan
    with pytest.raises(ValueError, match=r"sequence 1.*position 2"):
        head.loss(spoiled, gold)
    with pytest.raises(ConfigError, match="at least one label"):
        CrfHead(0)
    with pytest.raises(ConfigError, match="needs the names of the labels"):
        CrfHead(3, "bio")
    with pytest.raises(ConfigError, match="not of the scheme"):
        CrfHead(["O", "NOUN"], "bio")


def test_without_torch_there_is_one_sentence() -> None:
    code = "import sys; sys.modules['torch'] = None\nimport nlptk.neural.chain"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert last == (
        "nlptk.errors.MissingDependencyError: neural models need torch: pip install 'nlptk[neural]'"
    )
