"""Compile the kernels for a GPU that need not be here, with the arguments that the backends give.

    python tests/gpu/compile_kernels.py ARCHITECTURE...

Prints a JSON object for each kernel: how often which instruction is in its machine code, registers,
and bytes of shared memory and of spilled registers.
"""

from __future__ import annotations

import collections
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.runtime.jit import JITFunction

from brasa.backends.gpu.device import Device
from brasa.backends.gpu.text_classifier import GpuClassifierBackend
from brasa.backends.gpu.word_vectors import GpuBackend
from brasa.classifier_plan import make_classifier_plan
from brasa.config import TextClassifierConfig, WordVectorsConfig
from brasa.corpus import Corpus
from brasa.encoding import encode
from brasa.examples import encode_examples
from brasa.parameters import Parameters
from brasa.plan import make_plan

TOOLS = Path(triton.__file__).parent / "backends/nvidia/bin"
WORDS: dict[str, dict[str, Any]] = {
    "skipgram": {"mode": "skipgram"},
    "skipgram, subwords": {"mode": "skipgram", "subwords": True},
    "skipgram of 300, subwords": {"mode": "skipgram", "subwords": True, "vector_dim": 300},
    "cbow": {"mode": "cbow"},
    "cbow of 512, subwords": {"mode": "cbow", "subwords": True, "vector_dim": 512},
}
TEXTS: dict[str, dict[str, Any]] = {
    "softmax of 10": {"loss": "softmax", "vector_dim": 10},
    "softmax of 100, 700 labels": {"loss": "softmax", "vector_dim": 100},
    "ova of 100, 700 labels": {"loss": "ova", "vector_dim": 100},
    "ns of 16": {"loss": "ns", "vector_dim": 16},
}
TYPES = {
    torch.int16: "*i16",
    torch.int32: "*i32",
    torch.int64: "*i64",
    torch.uint32: "*u32",
    torch.float32: "*fp32",
}
OPTIONS = ("num_warps", "num_stages", "enable_fp_fusion")
Launch = tuple[JITFunction[Any], dict[str, Any]]


def launches(backend: Any) -> list[Launch]:
    """The kernels that a backend launches, and with what."""
    found: list[Launch] = []
    run = JITFunction.run

    def keep(self: JITFunction[Any], *args: Any, grid: Any, warmup: bool, **kwargs: Any) -> None:
        found.append((self, dict(zip(self.arg_names, args, strict=False)) | kwargs))

    JITFunction.run = keep
    try:
        backend._launch(0, 1)
    finally:
        JITFunction.run = run
    return found


def compiled(kernel: JITFunction[Any], given: dict[str, Any], architecture: int) -> Any:
    """The machine code of a launch, and what it needs."""
    options = {name: given.pop(name) for name in OPTIONS if name in given}
    constants = {p.name for p in kernel.params if p.is_constexpr}
    signature, attributes = {}, {}
    for place, name in enumerate(kernel.arg_names):
        value = given[name]
        if name in constants:
            signature[name] = "constexpr"
        elif isinstance(value, torch.Tensor):
            signature[name] = TYPES[value.dtype]
            attributes[(place,)] = [["tt.divisibility", 16]]
        else:
            signature[name] = "fp32" if isinstance(value, float) else "i32"
    values = {(kernel.arg_names.index(name),): given[name] for name in constants}
    source = ASTSource(kernel, signature, values, attributes)
    return triton.compile(source, GPUTarget("cuda", architecture, 32), options)


def described(code: Any) -> dict[str, Any]:
    """Instructions and needs of a compiled kernel."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(code.asm["cubin"])
        file.flush()
        machine_code, needs = (
            subprocess.check_output([TOOLS / tool, option, file.name], text=True)
            for tool, option in (("nvdisasm", "-c"), ("cuobjdump", "-res-usage"))
        )
    pattern = r"^\s+/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?([A-Z0-9]+(?:\.\w+)*)"
    counts = collections.Counter(re.findall(pattern, machine_code, re.MULTILINE))
    registers, stack = map(int, re.findall(r"REG:(\d+) STACK:(\d+)", needs)[0])
    return {
        "instructions": counts,
        "registers": registers,
        "spilled": stack,
        "shared": code.metadata.shared,
    }


def main() -> None:
    device = Device(torch.device("cpu"), "none", 132, "tf32")
    backends: dict[str, Any] = {}
    for name, settings in WORDS.items():
        words = WordVectorsConfig(min_count=1, **settings)
        vocabulary, encoded = encode(Corpus([["some", "words", "here"]] * 9), words)
        plan = make_plan(vocabulary, encoded, words)
        parameters = Parameters.initial(plan.n_input_rows, plan.n_words, words, 1)
        backends[name] = GpuBackend(plan, parameters, 1, device)
    for name, settings in TEXTS.items():
        texts = TextClassifierConfig(min_count=1, **settings)
        lines = [f"__label__{k} some words here" for k in range(700 if "700" in name else 9)]
        examples = encode_examples(Corpus(lines), texts)
        classes = make_classifier_plan(examples, texts)
        parameters = Parameters.initial(classes.n_input_rows, classes.n_labels, texts, 1)
        backends[name] = GpuClassifierBackend(classes, parameters, 1, device)
    for architecture in map(int, sys.argv[1:]):
        for name, backend in backends.items():
            for kernel, given in launches(backend):
                code = compiled(kernel, given, architecture)
                facts = {"architecture": architecture, "settings": name, "kernel": kernel.__name__}
                print(json.dumps(facts | described(code)), flush=True)


if __name__ == "__main__":
    main()
