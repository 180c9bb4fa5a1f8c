"""The variables, the cure for STS, and a store of the user's own."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

_BRASA = str(Path(sys.executable).parent / "brasa")
# What each version of SageMaker's SDK does: an address of its own.
_ASK_STS = (
    "import boto3; sts = boto3.client('sts', region_name='eu-west-1', "
    "endpoint_url='https://sts.eu-west-1.amazonaws.com'); "
    "print(sts.meta.endpoint_url, sts.get_caller_identity()['Arn'])"
)


def test_a_shell_gets_in_by_one_line(platform: Any, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('the other one')")
    line = f'eval "$({_BRASA} platform env --data {platform.folder})"'
    script = f'{line}\n{sys.executable} -c "{_ASK_STS}"'
    kept = {n: v for n, v in os.environ.items() if not n.startswith("AWS_")}
    environment = kept | {
        "AWS_PROFILE": "of-the-real-aws",
        "AWS_SESSION_TOKEN": "of-the-real-aws",
        "PYTHONPATH": str(tmp_path),
    }
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    first, second = done.stdout.splitlines()
    assert first == "the other one"
    assert second.startswith(f"{platform.url} arn:aws:sts::")


def test_without_the_variables_nothing_is_changed(platform: Any) -> None:
    environment = platform.environment()
    del environment["AWS_ENDPOINT_URL"]
    code = _ASK_STS.replace("sts.get_caller_identity()['Arn']", "''")
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "https://sts.eu-west-1.amazonaws.com"


def test_a_notebook_gets_the_variables_and_its_own_brasa(platform: Any, tmp_path: Path) -> None:
    # In place of JupyterLab, whose kernels get what it gets.
    (tmp_path / "jupyterlab.py").touch()
    (tmp_path / "jupyter.py").write_text(
        "import os, shutil, sys\n"
        "print(*sys.argv[1:], shutil.which('brasa'), os.environ['AWS_ENDPOINT_URL'])"
    )
    (tmp_path / "a.ipynb").touch()
    command = [_BRASA, "platform", "notebook", "--data", str(platform.folder), "a.ipynb"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [*command, "--", "--port", "8890"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["lab", "a.ipynb", "--port", "8890", _BRASA, platform.url]
    command[-1] = "other.ipynb"
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "other.ipynb: there is no such notebook" in done.stderr


def test_a_folder_where_no_platform_has_run(tmp_path: Path) -> None:
    command = [_BRASA, "platform", "env", "--data", str(tmp_path / "new")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no platform has run here: start one with brasa platform --data" in done.stderr


def test_what_is_secret_is_its_owners_only(platform: Any) -> None:
    for name in (".", "keys.json", "objects", "objects/s3.json"):
        mode = stat.S_IMODE((platform.folder / name).stat().st_mode)
        assert mode & 0o077 == 0, name


def test_no_auth_takes_unsigned_requests_and_logs_no_key(start_platform: Any) -> None:
    platform = start_platform("--no-auth", "--verbose")
    target = {"x-amz-target": "SageMaker.ListModels", "content-type": "application/x-amz-json-1.1"}
    answer = httpx.post(platform.url, headers=target, content=b"{}")
    assert answer.json() == {"Models": []}
    assert httpx.put(f"{platform.url}/plain").status_code == 200
    assert httpx.put(f"{platform.url}/plain/key", content=b"abc").status_code == 200
    client = platform.client(
        "s3", aws_access_key_id="AKIAPRESENTED", aws_secret_access_key="presented"
    )
    assert client.get_object(Bucket="plain", Key="key")["Body"].read() == b"abc"
    assert platform.process is not None
    platform.process.terminate()
    _, said = platform.process.communicate(timeout=30)
    assert "s3 GET /plain/key" in said
    for secret in ("AKIAPRESENTED", "presented", "Signature", *_keys(platform)):
        assert secret not in said


def _keys(platform: Any) -> list[str]:
    return [platform.variables[n] for n in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]


def test_a_store_of_ones_own(platform: Any, start_platform: Any) -> None:
    key, secret = _keys(platform)
    os.environ |= {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
    try:
        other = start_platform("--s3-endpoint", platform.url)
    finally:
        del os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    assert not (other.folder / "objects").exists()
    assert other.variables["AWS_ACCESS_KEY_ID"] != key
    s3 = other.client("s3")
    s3.create_bucket(Bucket="of-my-own")
    s3.put_object(Bucket="of-my-own", Key="a b", Body=b"abc")
    read = platform.client("s3").get_object(Bucket="of-my-own", Key="a b")
    assert read["Body"].read() == b"abc"
