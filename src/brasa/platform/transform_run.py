"""One batch transform job at work: a container that serves, asked for each object of the input."""

from __future__ import annotations

import contextlib
import gzip
import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3

from brasa.errors import BrasaError
from brasa.platform import archives, channels, logs, transform_jobs
from brasa.platform.children import Child, environment, free_port
from brasa.platform.endpoints import answers_ping
from brasa.platform.resources import TRANSFORM_JOB
from brasa.platform.s3_address import S3Address
from brasa.platform.training_run import CONTAINER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brasa.platform.objects import ObjectStore
    from brasa.platform.store import Document, Store

_HEALTHY_S = 480.0
_MOST_STARTS = 5


class TransformJobs:
    """The kind of job that transforms; see `brasa.platform.jobs.Kind`."""

    name = TRANSFORM_JOB
    status = "TransformJobStatus"

    def __init__(self, store: Store, objects: ObjectStore, folder: Path) -> None:
        self._store, self._objects, self._folder = store, objects, folder
        folder.mkdir(exist_ok=True)

    def cores(self, job: Document) -> int:
        """One: a container answers a request after the other."""
        return 1

    def start(self, job: Document, cores: list[int]) -> TransformRun:
        """A run of the job."""
        name = job["TransformJobName"]
        return TransformRun(self._store, self._objects, self._folder / name, name, cores)

    def stopped(self, name: str) -> None:
        """A job that was stopped before it began."""
        self._store.change(TRANSFORM_JOB, name, lambda job: transform_jobs.end(job, "Stopped"))


class TransformRun:
    """A job from its first step to its end; after a restart it begins anew."""

    def __init__(
        self, store: Store, objects: ObjectStore, base: Path, name: str, cores: list[int]
    ) -> None:
        self._store, self._objects, self._base, self._name = store, objects, base, name
        self._cores = cores
        self._stop = threading.Event()
        self._http = urllib3.PoolManager(maxsize=32, retries=False)

    def stop(self) -> None:
        """Ask for no more."""
        self._stop.set()

    def run(self) -> None:
        """All steps."""
        shutil.rmtree(self._base, ignore_errors=True)
        self._base.mkdir(parents=True)
        status, reason = "Completed", None
        try:
            self._steps()
        except (BrasaError, OSError, urllib3.exceptions.HTTPError) as error:
            status, reason = "Failed", str(error)
        if self._stop.is_set():
            status, reason = "Stopped", None
        self._store.change(
            TRANSFORM_JOB, self._name, lambda job: transform_jobs.end(job, status, reason)
        )
        shutil.rmtree(self._base, ignore_errors=True)

    def _steps(self) -> None:
        job = self._store.change(TRANSFORM_JOB, self._name, _begin)
        if job is None:
            return
        if job["_starts"] > _MOST_STARTS:
            raise BrasaError(f"the platform ended {_MOST_STARTS} times while this job ran")
        model = self._base / "archive"
        try:
            self._objects.download(S3Address.parse(job["_container"]["ModelDataUrl"]), model)
            archives.unpack(model, self._base / "model")
        except BrasaError as error:
            raise BrasaError(f"ClientError: the model data cannot be used: {error}") from None
        model.unlink()
        source = {"DataSource": job["TransformInput"]["DataSource"]}
        folder = self._base / "input"
        files = channels.download(self._objects, source, folder)
        port = free_port()
        child = Child((*CONTAINER, "serve"), self._environment(job, port), self._base, self._cores)
        done = threading.Event()
        log = self._store.log_stream(
            logs.TRANSFORM_GROUP, f"{self._name}/i-1-{int(time.time() * 1000)}"
        )
        # Its pipe must not fill up while it is asked; the thread that started it stays here.
        pump = threading.Thread(target=self._pump, args=(child, log, done), daemon=True)
        pump.start()
        try:
            self._until_healthy(child, port)
            problems = [p for file in files if (p := self._file(job, file, folder, port))]
        finally:
            done.set()
            pump.join()
            child.close()
        if problems:
            raise BrasaError(problems[0])

    def _environment(self, job: Document, port: int) -> dict[str, str]:
        extra = {**job["_container"].get("Environment", {}), **job.get("Environment", {})}
        extra |= {
            "SAGEMAKER_BASE_DIR": str(self._base),
            "SAGEMAKER_BIND_TO_PORT": str(port),
            "BRASA_HOST": "127.0.0.1",
            "SAGEMAKER_BATCH": "true",
        }
        if "MaxPayloadInMB" in job:
            extra["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = str(job["MaxPayloadInMB"])
        if "MaxConcurrentTransforms" in job:
            extra["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] = str(job["MaxConcurrentTransforms"])
        if "BatchStrategy" in job:
            multi = job["BatchStrategy"] == "MultiRecord"
            extra["SAGEMAKER_BATCH_STRATEGY"] = "MULTI_RECORD" if multi else "SINGLE_RECORD"
        return environment(extra)

    def _pump(self, child: Child, log: int, done: threading.Event) -> None:
        while not done.is_set() and child.exit_code is None:
            child.pump(lambda lines: self._store.log(log, lines), 0.1)

    def _until_healthy(self, child: Child, port: int) -> None:
        deadline = time.monotonic() + _HEALTHY_S
        while not answers_ping(port):
            if child.exit_code is not None or time.monotonic() > deadline:
                raise BrasaError("The container did not pass the ping health check.")
            if self._stop.is_set():
                return
            time.sleep(0.02)

    def _file(self, job: Document, file: Path, folder: Path, port: int) -> str | None:
        """Transform one object; what is wrong with it, if anything. Others go on."""
        output = job["TransformOutput"]
        target = S3Address.parse(output["S3OutputPath"]) / f"{file.relative_to(folder)}.out"
        result = self._base / "result"
        workers = max(1, job.get("MaxConcurrentTransforms", 1))
        end = b"\n" if output["AssembleWith"] == "Line" else b""
        try:
            with result.open("wb") as sink, ThreadPoolExecutor(workers) as pool:
                batches = _batches(job, file)
                # As many at a time as there are workers: a large input is not read ahead.
                while not self._stop.is_set():
                    some = [b for _, b in zip(range(workers), batches, strict=False)]
                    if not some:
                        break
                    for answer in pool.map(lambda records: self._ask(job, records, port), some):
                        sink.write(answer.rstrip(b"\n") + end if end else answer)
        except BrasaError as error:
            return f"{file.relative_to(folder)}: {error}"
        if not self._stop.is_set():
            self._objects.upload(result, target)
        return None

    def _ask(self, job: Document, records: list[bytes], port: int) -> bytes:
        processing = job.get("DataProcessing", {})
        wanted = transform_jobs.parse_filter(processing.get("InputFilter", "$"))
        sent = records
        if wanted is not None:
            sent = [json.dumps(transform_jobs.select(_parsed(r), wanted)).encode() for r in records]
        headers = {}
        if job["TransformInput"].get("ContentType"):
            headers["Content-Type"] = job["TransformInput"]["ContentType"]
        if job["TransformOutput"].get("Accept"):
            headers["Accept"] = job["TransformOutput"]["Accept"]
        client = job.get("ModelClientConfig", {})
        answer = self._http.request(
            "POST",
            f"http://127.0.0.1:{port}/invocations",
            body=b"\n".join(sent),
            headers=headers,
            timeout=client.get("InvocationsTimeoutInSeconds", 600),
        )
        if answer.status != 200:
            said = answer.data[:500].decode(errors="replace")
            raise BrasaError(f"ClientError: {answer.status}: {said}")
        return _joined(records, answer.data, processing)


def _begin(job: Document) -> str:
    job["_starts"] += 1
    job.setdefault("TransformStartTime", time.time())
    return str(job["TransformJobStatus"])


def _batches(job: Document, file: Path) -> Iterator[list[bytes]]:
    """The requests of a file: whole, a line each, or as many lines as a payload may have."""
    source = job["TransformInput"]
    most = (job.get("MaxPayloadInMB", 6) or 100) << 20
    opener: Any = gzip.open if source.get("CompressionType") == "Gzip" else Path.open
    try:
        with contextlib.closing(opener(file, "rb")) as stream:
            if source.get("SplitType", "None") == "None":
                data = stream.read(most + 1)
                if len(data) > most:
                    raise BrasaError("ClientError: the object is larger than MaxPayloadInMB")
                yield [data]
                return
            multi = job.get("BatchStrategy", "MultiRecord") == "MultiRecord"
            batch: list[bytes] = []
            size = 0
            for line in stream:
                record = line.rstrip(b"\r\n")
                if not record:
                    continue
                if len(record) > most:
                    raise BrasaError("ClientError: a line is longer than MaxPayloadInMB")
                if batch and (not multi or size + len(record) + 1 > most):
                    yield batch
                    batch, size = [], 0
                batch.append(record)
                size += len(record) + 1
            if batch:
                yield batch
    except (gzip.BadGzipFile, EOFError) as error:
        raise BrasaError(f"ClientError: the object is not gzip: {error}") from None


def _joined(records: list[bytes], answer: bytes, processing: Document) -> bytes:
    """Answers beside what was asked, filtered."""
    join = processing.get("JoinSource", "None") == "Input"
    wanted = transform_jobs.parse_filter(processing.get("OutputFilter", "$"))
    if not join and wanted is None:
        return answer
    lines = [line for line in answer.split(b"\n") if line]
    if len(lines) != len(records) and join:
        raise BrasaError(f"ClientError: {len(records)} lines were answered with {len(lines)}")
    out = []
    for i, line in enumerate(lines):
        value = _parsed(line)
        if join:
            asked = _parsed(records[i])
            asked = asked if isinstance(asked, dict) else {"SageMakerInput": asked}
            value = {**asked, "SageMakerOutput": value}
        out.append(json.dumps(transform_jobs.select(value, wanted)).encode())
    return b"\n".join(out)


def _parsed(record: bytes) -> Any:
    try:
        return json.loads(record)
    except ValueError:
        raise BrasaError(f"ClientError: {record[:100]!r} is not JSON") from None
