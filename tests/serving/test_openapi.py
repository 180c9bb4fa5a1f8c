"""The document says what the server does: schemathesis makes requests of it and checks answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from brasa.serving.routes import ROUTES

ENDPOINT = "/endpoints/{name}/invocations"
UNLIKE_SAGEMAKER = "positive_data_acceptance,negative_data_rejection"


@pytest.mark.parametrize(
    "chosen",
    [
        ["--exclude-path", ENDPOINT],
        # SageMaker Runtime's statuses are its own: 424 for what a model refuses, 400 for an unknown
        # name. That they are the documented ones is checked all the same.
        ["--include-path", ENDPOINT, "--exclude-checks", UNLIKE_SAGEMAKER],
    ],
)
def test_answers_are_as_documented(
    serve: Any, models: Path, tmp_path: Path, chosen: list[str]
) -> None:
    # One of its own: models are unloaded, too.
    server = serve(models / "subwords", models / "sentiment", "--models-folder", models)
    program = str(Path(sys.executable).parent / "schemathesis")
    command = [program, "run", f"{server.url}/openapi.json", "--max-examples", "25", "--seed", "1"]
    command += ["--no-color", "--phases", "examples,coverage,fuzzing"]
    command += chosen
    found = subprocess.run(  # there, as it leaves a folder where it runs
        command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path
    )
    assert found.returncode == 0, found.stdout[-5000:]
    assert server.client.get("/ping").is_success


def test_every_route_is_documented(client: Any) -> None:
    document = client.get("/openapi.json").json()
    operations = [
        (method.upper(), path) for path, found in document["paths"].items() for method in found
    ]
    assert sorted(operations) == sorted((route.method, route.path) for route in ROUTES)


def test_the_key_is_part_of_the_document(serve: Any, models: Path) -> None:
    server = serve(models / "words", "--api-key", "secret")
    headers = {"authorization": "Bearer secret"}
    document = server.client.get("/openapi.json", headers=headers).json()
    assert document["components"]["securitySchemes"] == {
        "key": {"type": "http", "scheme": "bearer"}
    }
    assert document["paths"]["/info"]["get"]["security"] == [{"key": []}]
    assert "security" not in document["paths"]["/ping"]["get"]
