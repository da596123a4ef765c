"""Contenders by name, and what is refused."""

import importlib.util

import pytest

from ganlib.benchmark.settings import BenchmarkSettings, Contender
from ganlib.errors import InputError
from ganlib.validation import validated


def _parse(text):
    return Contender.parse(text, backend="tensorflow", precision="float32")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ours", "ours@tensorflow:float32"),
        ("ours:bfloat16", "ours@tensorflow:bfloat16"),
        ("original@jax", "original@jax:float32"),
        ("ours@torch:bfloat16", "ours@torch:bfloat16"),
        ("original-our-layers:bfloat16", "original-our-layers@tensorflow:bfloat16"),
        ("torch", "torch:float32"),
        ("torch-compile:bfloat16", "torch-compile:bfloat16"),
    ],
)
def test_contenders_by_name(text, name):
    assert _parse(text).name == name


def test_torch_step_is_on_torch_whatever_keras_is_on():
    assert Contender.parse("torch", backend="jax", precision="bfloat16") == ("torch", "torch", "bfloat16")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("theirs", "kind 'theirs'.*original"),
        ("ours@theano", "backend 'theano'.*jax"),
        ("torch@jax", "torch on backend 'jax'"),
        ("ours:float8", "precision 'float8'.*bfloat16"),
    ],
)
def test_unknown_contenders_are_named_in_one_line(text, named):
    with pytest.raises(InputError, match=named) as caught:
        _parse(text)
    assert "\n" not in str(caught.value)


def test_missing_backend_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"torch is not installed; .*ganlib\[torch\]"):
        _parse("torch").require_installed()


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"method": "simple"}, "method"),
        ({"rounds": 0}, "rounds"),
        ({"turns": 3}, "turns"),
        ({"batch_size": 16, "images_per_epoch": 8}, "images_per_epoch 8"),
    ],
)
def test_settings_that_cannot_be_used_are_named(values, named):
    with pytest.raises(InputError, match=named):
        validated(BenchmarkSettings, values)
