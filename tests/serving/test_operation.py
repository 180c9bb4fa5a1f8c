from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import httpx
import pytest

import brasa

ONE = {"instances": ["film"]}


@pytest.fixture(scope="module")
def strict(serve: Callable[..., Any], models: Path) -> Any:
    """A server with tight limits and a key."""
    return serve(
        models / "subwords", "--api-key", "secret", "--max-body-mb", "0.01",
        "--body-timeout", "0.5", "--max-batch", "100", "--max-waiting", "4", "--cors-origin", "https://good.example",
        "--models-folder", models,
    )  # fmt: skip


@pytest.fixture(scope="module")
def known(strict: Any) -> httpx.Client:
    """A client with the key."""
    strict.client.headers["authorization"] = "Bearer secret"
    found: httpx.Client = strict.client
    return found


def _wait_until(happened: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _raw(port: int, sent: bytes, seconds: float = 5) -> bytes:
    """What a server answers to bytes, until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(sent)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except TimeoutError:
            pass
        return answer


@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer no"}, {"authorization": "x"}])
def test_the_key_is_asked_for(strict: Any, header: dict[str, str]) -> None:
    for path in ("/info", "/neighbors?word=a"):
        answer = httpx.get(strict.url + path, headers=header)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    for path in ("/ping", "/metrics", "/"):
        assert httpx.get(strict.url + path, headers=header).status_code == 200
    assert httpx.get(strict.url + "/info", headers={"Authorization": "bearer secret"}).is_success


def test_too_much_is_refused(strict: Any, known: httpx.Client) -> None:
    answer = known.post("/invocations", json={"instances": ["w" * 20_000]})
    assert answer.status_code == 413
    assert answer.json()["error_type"] == "body_too_large"
    answer = known.post("/invocations", json={"instances": ["a"] * 101})
    assert answer.status_code == 413
    assert answer.json()["error_type"] == "batch_too_large"

    def pieces() -> Any:
        for _ in range(100):
            yield b" " * 1000

    assert known.post("/invocations", content=pieces()).status_code == 413
    head = b"POST /invocations HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer secret\r\n"
    said = _raw(strict.port, head + b"Content-Length: 99999999999\r\n\r\n{}")
    assert said.startswith(b"HTTP/1.1 413")
    assert known.get("/ping").is_success


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 50\r\n\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n{    \r\n",
    ],
)
def test_a_body_that_stalls_is_given_up(strict: Any, known: httpx.Client, rest: bytes) -> None:
    head = b"POST /invocations HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer secret\r\n"
    start = time.monotonic()
    said = _raw(strict.port, head + rest)
    assert said.startswith(b"HTTP/1.1 408")
    assert b"body_timeout" in said
    assert 0.4 < time.monotonic() - start < 3


def test_stalled_clients_do_not_hold_up_others(serve: Any, models: Path) -> None:
    server = serve(models / "subwords", "--body-timeout", "3", "--max-waiting", "1000")
    head = b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n{"
    stalled = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
    try:
        for connection in stalled:
            connection.sendall(head)
        start = time.monotonic()
        for _ in range(20):
            assert server.client.post("/invocations", json=ONE).is_success
        assert time.monotonic() - start < 2
    finally:
        for connection in stalled:
            connection.close()
    _wait_until(lambda: "at_work 1.0" in server.client.get("/metrics").text)


def test_more_requests_than_allowed_are_told_to_wait(strict: Any, known: httpx.Client) -> None:
    head = b"POST /invocations HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer secret\r\n"
    stalled = [socket.create_connection(("127.0.0.1", strict.port)) for _ in range(4)]
    try:
        for connection in stalled:
            connection.sendall(head + b"Content-Length: 50\r\n\r\n{")
        _wait_until(lambda: "at_work 5.0" in known.get("/metrics").text)
        for body in (ONE, {"instances": ["a"] * 90}):
            answer = known.post("/invocations", json=body)
            assert answer.status_code == 429
            assert answer.headers["retry-after"] == "1"
            assert answer.json()["error_type"] == "overloaded"
        assert known.get("/ping").is_success
    finally:
        for connection in stalled:
            connection.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\xff nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /info HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /info HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST /info HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n"
        + b"".join(b"x%d: y\r\n" % i for i in range(500))
        + b"\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_the_server_goes_on(
    server: Any, client: httpx.Client, sent: bytes
) -> None:
    status = _raw(server.port, sent, 2).partition(b"\r\n")[0]
    assert status == b"" or status.split()[1] in (b"400", b"404", b"405", b"413", b"414", b"431")
    assert client.get("/ping").is_success


@pytest.mark.parametrize("word", ["w" * 1_000_000, "a\0b", "\x7f", "</s>", " ", "", "🜂" * 1000])
def test_any_word_has_an_answer(client: httpx.Client, word: str) -> None:
    for name in ("subwords", "words", "sentiment"):
        answer = client.post(f"/invocations?model={name}", json={"instances": [word]})
        assert answer.status_code in (200, 400)
        if answer.status_code == 400:
            assert answer.json()["error"]
    assert client.get("/ping").is_success


def test_a_head_without_end_is_cut(server: Any, client: httpx.Client) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"GET /ping HTTP/1.1\r\nHost: a\r\nx: ")
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            connection.sendall(b"a" * (64 << 20))
    assert client.get("/ping").is_success


def test_clients_that_go_away_leave_nothing(serve: Any, models: Path) -> None:
    server = serve(models / "subwords")
    body = json.dumps({"instances": ["film"] * 5000}).encode()
    head = b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
    for sent in (head, head + body[:9], head + body):
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                connection.sendall(sent)
    _wait_until(lambda: "at_work 1.0" in server.client.get("/metrics").text)
    assert server.client.post("/invocations", json=ONE).is_success
    assert server.stop() == 0
    assert "traceback" not in server.log.read_text()


def test_requests_may_follow_without_waiting(server: Any) -> None:
    body = json.dumps(ONE).encode()
    one = b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n" % len(body)
    sent = (one + b"\r\n" + body) * 3 + one + b"Connection: close\r\n\r\n" + body
    assert _raw(server.port, sent).count(b"HTTP/1.1 200") == 4


def test_pages_of_other_sites_may_ask_only_if_named(known: httpx.Client) -> None:
    answer = known.get("/info", headers={"origin": "https://good.example"})
    assert answer.headers["access-control-allow-origin"] == "https://good.example"
    answer = known.get("/info", headers={"origin": "https://bad.example"})
    assert "access-control-allow-origin" not in answer.headers
    answer = httpx.options(known.base_url.join("/info"), headers={"origin": "https://good.example"})
    assert answer.status_code == 204
    assert "authorization" in answer.headers["access-control-allow-headers"]


def test_a_request_keeps_its_id(client: httpx.Client) -> None:
    answer = client.get("/info", headers={"x-request-id": "mine-7"})
    assert answer.headers["x-request-id"] == "mine-7"
    made = {client.get("/info").headers["x-request-id"] for _ in range(3)}
    assert len(made) == 3
    odd = client.get("/info", headers={"x-request-id": "a b\t" + "c" * 300})
    assert odd.headers["x-request-id"].isalnum()


def test_models_are_loaded_and_unloaded_by_all_workers(serve: Any, models: Path) -> None:
    server = serve("--models-folder", models, "--workers", "2")
    url = str(models / "sentiment")

    def each(ask: Callable[[httpx.Client], httpx.Response]) -> set[int]:
        statuses = set()
        for _ in range(12):  # a connection each: both workers take some
            with httpx.Client(base_url=server.url) as client:
                statuses.add(ask(client).status_code)
        return statuses

    def invoke(client: httpx.Client) -> httpx.Response:
        return client.post("/models/mine/invoke", json={"instances": ["a great film"]})

    assert each(invoke) == {404}
    load = {"model_name": "mine", "url": url}
    assert server.client.post("/models", json=load).json() == {"modelName": "mine", "modelUrl": url}
    assert each(invoke) == {200}
    assert each(lambda client: client.post("/models", json=load)) == {409}
    assert server.client.get("/models").json()["models"][0]["modelName"] == "mine"
    assert server.client.delete("/models/mine").is_success
    assert each(invoke) == {404}
    assert server.client.delete("/models/mine").status_code == 404


def test_models_are_loaded_from_the_folder_only(
    strict: Any, known: httpx.Client, client: httpx.Client, tmp_path: Path, models: Path
) -> None:
    answer = known.post("/models", json={"model_name": "x", "url": str(tmp_path)})
    assert answer.status_code == 403
    climbing = f"{models}/../{tmp_path.name}"
    assert known.post("/models", json={"model_name": "x", "url": climbing}).status_code == 403
    absent = known.post("/models", json={"model_name": "x", "url": f"{models}/absent"})
    assert absent.status_code == 400
    assert absent.json()["error_type"] == "broken_model"
    answer = client.post("/models", json={"model_name": "x", "url": str(models / "words")})
    assert answer.json()["error_type"] == "loading_is_off"


def test_boto3_invokes_endpoints(server: Any) -> None:
    runtime = boto3.client(
        "sagemaker-runtime", endpoint_url=server.url, region_name="us-east-1",
        aws_access_key_id="none", aws_secret_access_key="none",
        config=botocore.config.Config(retries={"max_attempts": 0}),
    )  # fmt: skip

    def invoke(name: str, body: Any, **options: Any) -> Any:
        options = {"ContentType": "application/json"} | options
        answer = runtime.invoke_endpoint(EndpointName=name, Body=json.dumps(body), **options)
        return json.loads(answer["Body"].read())

    found = invoke("sentiment", {"instances": ["a great film"], "configuration": {"k": 2}})
    assert found[0]["label"] == ["__label__good", "__label__bad"]
    assert invoke("words", ONE, ContentType="application/octet-stream")[0]["word"] == "film"
    told = runtime.invoke_endpoint(
        EndpointName="words", Body=json.dumps(ONE), ContentType="application/json"
    )
    assert (
        told["ResponseMetadata"]["RequestId"]
        == told["ResponseMetadata"]["HTTPHeaders"]["x-request-id"]
    )
    told["Body"].close()
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        invoke("nothing", ONE)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    with pytest.raises(runtime.exceptions.ModelError) as wrong:
        invoke("words", json.dumps(ONE))
    assert wrong.value.response["OriginalStatusCode"] == 400
    assert "encoded twice" in wrong.value.response["OriginalMessage"]
    runtime.close()


def test_a_replaced_model_is_loaded_without_losing_a_request(
    serve: Any, models: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model"
    shutil.copytree(models / "words", path)
    server = serve(path, "--watch", "0", "--workers", "2")
    failures, lengths, stop = [], set(), threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                with httpx.Client(base_url=server.url) as client:
                    answer = client.post("/invocations", json=ONE)
                lengths.add(len(answer.json()[0]["vector"]))
            except Exception as error:  # told below
                failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    _wait_until(lambda: bool(lengths))
    brasa.WordVectors.train(["film is long"] * 9, vector_dim=5, min_count=1).save(path)
    server.process.send_signal(signal.SIGHUP)
    _wait_until(lambda: 5 in lengths)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert lengths == {8, 5}


def test_a_broken_model_leaves_the_old_one(serve: Any, models: Path, tmp_path: Path) -> None:
    path = tmp_path / "model"
    shutil.copytree(models / "words", path)
    server = serve(path, "--watch", "0.05")
    broken = tmp_path / "broken"
    broken.write_bytes(b"{")
    os.replace(broken, path / "model.safetensors")
    _wait_until(lambda: "is not reloaded" in server.log.read_text())
    time.sleep(0.3)
    assert server.client.post("/invocations", json=ONE).is_success
    assert server.log.read_text().count("is not reloaded") == 1  # not at each look


def test_workers_follow_each_other(serve: Any, models: Path, tmp_path: Path) -> None:
    for name in ("words", "sentiment"):
        shutil.copytree(models / name, tmp_path / name)
    server = serve(models / "subwords", "--workers", "2", "--models-folder", tmp_path)

    def load(folder: Path) -> None:
        said = server.client.post("/models", json={"model_name": "m", "url": str(folder)})
        assert said.status_code == 200

    def ask(path: str) -> list[httpx.Response]:
        """Of both workers, as each connection is given to any of them."""
        return [httpx.get(server.url + path) for _ in range(20)]

    load(tmp_path / "words")
    assert {said.json()["modelUrl"] for said in ask("/models/m")} == {str(tmp_path / "words")}
    assert server.client.delete("/models/m").status_code == 200
    load(tmp_path / "sentiment")
    assert {said.json()["modelUrl"] for said in ask("/models/m")} == {str(tmp_path / "sentiment")}
    server.client.delete("/models/m")
    load(tmp_path / "words")
    shutil.rmtree(tmp_path / "words")  # before the other worker has opened it
    assert {said.status_code for said in ask("/neighbors?word=film")} == {200}
    assert "m is not loaded" in server.log.read_text()


def test_the_address_is_told_when_it_answers(serve: Any, models: Path) -> None:
    for _ in range(3):
        assert httpx.get(serve(models / "words").url + "/ping").is_success


def test_others_are_answered_while_a_long_text_is_explained(serve: Any, models: Path) -> None:
    server = serve(models / "sentiment")
    text = " ".join(f"w{i} great" for i in range(8_000))
    asking = threading.Thread(
        target=lambda: httpx.post(server.url + "/explain", json={"text": text}, timeout=30)
    )
    asking.start()
    _wait_until(lambda: "at_work 2.0" in server.client.get("/metrics").text)
    asking.join()
    answer = server.client.post("/explain", json={"text": "great " * 20_000})
    assert answer.status_code == 413
    assert answer.json()["error_type"] == "text_too_large"


def test_a_dead_worker_is_replaced(serve: Any, models: Path) -> None:
    server = serve(models / "words")
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    os.kill(int(children.read_text().split()[0]), signal.SIGKILL)

    def answers() -> bool:
        try:
            return httpx.get(server.url + "/ping").is_success
        except httpx.HTTPError:
            return False

    _wait_until(answers)
    assert server.stop() == 0


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_requests_at_work_end_before_the_server_does(
    serve: Any, models: Path, stop: signal.Signals
) -> None:
    server = serve(models / "words", "--body-timeout", "20")
    body = json.dumps(ONE).encode()
    head = (
        b"POST /invocations HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head % len(body) + body[:5])
        _wait_until(lambda: "at_work 2.0" in server.client.get("/metrics").text)
        server.process.send_signal(stop)
        time.sleep(0.3)
        assert server.process.poll() is None
        connection.sendall(body[5:])
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    assert server.process.wait(10) == 0


def test_metrics_count_for_all_workers(serve: Any, models: Path) -> None:
    server = serve(models / "words", "--workers", "2")
    for _ in range(10):
        with httpx.Client(base_url=server.url) as client:
            client.post("/invocations", json={"instances": ["film", "a"]})
            client.get("/nothing")
    text = server.client.get("/metrics").text
    assert 'brasa_requests_total{route="POST /invocations",status="200"} 10.0' in text
    assert 'brasa_requests_total{route="other",status="404"} 10.0' in text
    assert 'brasa_items_total{route="POST /invocations"} 20.0' in text
    assert 'brasa_request_seconds_count{route="POST /invocations"} 10.0' in text
    assert "brasa_workers 2.0" in text


def test_logs_are_json_with_the_requests_id(serve: Any, models: Path) -> None:
    server = serve(models / "words")
    server.client.post("/invocations", json=ONE, headers={"x-request-id": "seen"})
    assert server.stop() == 0
    lines = [json.loads(line) for line in server.log.read_text().splitlines()[1:]]
    (seen,) = [line for line in lines if line.get("request_id") == "seen"]
    assert (seen["method"], seen["path"], seen["status"]) == ("POST", "/invocations", 200)


def test_sagemakers_variables_are_honored(serve: Any, models: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = serve(
        models / "words", SAGEMAKER_BIND_TO_PORT=str(port), SAGEMAKER_MAX_PAYLOAD_IN_MB="1"
    )
    assert server.port == port
    assert server.client.post("/invocations", content=b" " * (2 << 20)).status_code == 413
    assert server.client.get("/execution-parameters").json()["MaxPayloadInMB"] == 1


def test_flags_go_before_sagemakers_variables(serve: Any, models: Path) -> None:
    server = serve(
        models / "words",
        "--max-body-mb",
        "2",
        "--port",
        "0",
        SAGEMAKER_BIND_TO_PORT="1",
        SAGEMAKER_MAX_PAYLOAD_IN_MB="1",
    )
    assert server.client.get("/execution-parameters").json()["MaxPayloadInMB"] == 2


def test_a_taken_port_and_a_missing_model_are_told(server: Any, models: Path) -> None:
    import subprocess
    import sys

    program = str(Path(sys.executable).parent / "brasa")
    for arguments, said in (
        ([models / "words", "--port", server.port], "cannot listen there: Address already in use"),
        ([models / "absent"], "absent"),
        ([f"a={models / 'words'}", f"a={models / 'words'}"], "another name"),
        ([], "a model, unless"),
    ):
        command = [program, "serve", *map(str, arguments)]
        found = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert found.returncode == 2
        assert said in found.stderr
        assert len(found.stderr.splitlines()) == 1
