"""One training job at work: its channels come, its processes run, its artifacts go.

Each step is written down before the next begins, so that a platform that is started again knows
where the job was: one whose processes had ended is only uploaded, any other starts again, from its
checkpoint when it has written one.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brasa.errors import BrasaError
from brasa.platform import archives, channels, logs, machine, training_jobs
from brasa.platform.checkpoints import CheckpointMirror
from brasa.platform.children import Child, environment, free_port
from brasa.platform.pipes import Pipe
from brasa.platform.resources import TRAINING_JOB
from brasa.platform.s3_address import S3Address
from brasa.sagemaker.hosts import LEADER

if TYPE_CHECKING:
    from collections.abc import Callable

    from brasa.platform.objects import ObjectStore
    from brasa.platform.store import Document, Store

_log = logging.getLogger("brasa.platform")
CONTAINER = (sys.executable, "-m", "brasa.cli", "sagemaker")
_STOP_S = 120.0  # between SIGTERM and SIGKILL, as AWS gives
_MOST_STARTS = 5
_MAX_METRIC_LINE = 4096


class JobFailed(BrasaError):
    """The job cannot go on; the message is its FailureReason."""


class TrainingJobs:
    """The kind of job that trains; see `brasa.platform.jobs.Kind`."""

    name = TRAINING_JOB
    status = "TrainingJobStatus"

    def __init__(
        self,
        store: Store,
        objects: ObjectStore,
        folder: Path,
        ended: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._store, self._objects, self._folder, self._ended = store, objects, folder, ended
        folder.mkdir(exist_ok=True)
        at_work = {
            job["TrainingJobName"]
            for job in store.documents(TRAINING_JOB, ("InProgress", "Stopping"))
        }
        for left in folder.iterdir():  # by a platform that ended between a job's end and this
            if left.name not in at_work:
                shutil.rmtree(left, ignore_errors=True)

    def cores(self, job: Document) -> int:
        """Those of its instances."""
        config = job["ResourceConfig"]
        return machine.cores_of(config.get("InstanceType", ""), config.get("InstanceCount", 1))

    def start(self, job: Document, cores: list[int]) -> TrainingRun:
        """A run of the job."""
        name = job["TrainingJobName"]
        base = self._folder / name
        return TrainingRun(self._store, self._objects, base, name, cores, self._ended)

    def stopped(self, name: str) -> None:
        """A job that was stopped before it began."""
        message = "Training job was stopped before it began"
        self._store.change(
            TRAINING_JOB, name, lambda job: training_jobs.end(job, "Stopped", message)
        )
        self._ended(name)


class TrainingRun:
    """A job from its first step, or from where a platform left it, to its end."""

    def __init__(
        self,
        store: Store,
        objects: ObjectStore,
        base: Path,
        name: str,
        cores: list[int],
        ended: Callable[[str], None],
    ) -> None:
        self._store, self._objects, self._base, self._name = store, objects, base, name
        self._cores, self._ended = cores, ended
        self._stop = threading.Event()
        self._metrics: dict[str, tuple[float, float]] = {}
        self._last_lines: list[str] = []

    def stop(self) -> None:
        """Ask the processes to end; what they have so far is kept."""
        self._stop.set()

    def run(self) -> None:
        """All steps."""
        try:
            self._steps()
        except JobFailed as error:
            self._end("Failed", str(error))
        except (BrasaError, OSError) as error:
            self._end("Failed", f"InternalServerError: {error}")
        shutil.rmtree(self._base, ignore_errors=True)
        self._ended(self._name)

    def _steps(self) -> None:
        job = self._change(_begin)
        if job["_starts"] > _MOST_STARTS:
            raise JobFailed(
                f"InternalServerError: the platform ended {_MOST_STARTS} times while this job ran"
            )
        mirror = CheckpointMirror(self._objects, job, self._base / "checkpoints")
        if "_exit" not in job:
            pipes = self._prepare(job, mirror)
            code, why = self._train(job, mirror, pipes)

            def ended(job: Document) -> str:
                job["_exit"], job["_why"] = code, why
                job["_metrics"] = self._metrics
                job["_last"] = self._last_lines[-1:]
                training_jobs.enter(job, "Uploading", "Uploading generated training model")
                return str(job["TrainingJobStatus"])

            job = self._change(ended)
        self._upload(job)
        self._finish(job)

    # Steps

    def _prepare(self, job: Document, mirror: CheckpointMirror) -> list[Pipe]:
        self._enter("Downloading", "Downloading input data")
        for part in ("input", "model", "output", "pipes"):
            shutil.rmtree(self._base / part, ignore_errors=True)
        for part in ("input/config", "input/data", "model", "output/data", "checkpoints"):
            (self._base / part).mkdir(parents=True, exist_ok=True)
        config = self._base / "input" / "config"
        hosts = _hosts(job)
        hyperparameters = dict(job.get("HyperParameters", {}))
        (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
        (config / "inputdataconfig.json").write_text(json.dumps(channels.configuration(job)))
        for host in hosts:
            folder = self._host_folder(host) / "input" / "config"
            if host != hosts[0]:
                shutil.copytree(config, folder)
            (folder / "resourceconfig.json").write_text(json.dumps(_resources(job, host, hosts)))
        pipes = []
        try:
            mirror.fetch()
            for channel in job["InputDataConfig"]:
                if channels.mode_of(job, channel) == "Pipe":
                    pipes.append(self._pipe(job, channel))
                    continue
                folder = self._base / "input" / "data" / channel["ChannelName"]
                files = channels.download(self._objects, channel, folder)
                if channel["ChannelName"] == "model":
                    _unpack_models(files)
        except BrasaError as error:
            raise JobFailed(f"ClientError: Data download failed: {error}") from None
        for host in hosts[1:]:
            data = self._host_folder(host) / "input" / "data"
            data.symlink_to(self._base / "input" / "data", target_is_directory=True)
            for part in ("model", "output/data", "checkpoints"):
                (self._host_folder(host) / part).mkdir(parents=True, exist_ok=True)
        return pipes

    def _pipe(self, job: Document, channel: Document) -> Pipe:
        name = channel["ChannelName"]
        if len(_hosts(job)) > 1:
            raise JobFailed("ClientError: Pipe mode takes one instance; InstanceCount is more.")
        files = channels.download(self._objects, channel, self._base / "pipes" / name)
        return Pipe(self._base / "input" / "data", channel, files)

    def _train(
        self, job: Document, mirror: CheckpointMirror, pipes: list[Pipe]
    ) -> tuple[int, str | None]:
        """Exit code, and why the processes were told to end, if they were."""

        def training(job: Document) -> str:
            training_jobs.enter(
                job, "Training", "Training image download completed. Training in progress."
            )
            job.setdefault("TrainingStartTime", time.time())
            return str(job["TrainingJobStatus"])

        job = self._change(training)
        seconds = job["StoppingCondition"].get("MaxRuntimeInSeconds", 86400)
        limit = time.time() + seconds  # of this start: a restart gives it anew
        epoch = int(time.time() * 1000)
        hosts, children = _hosts(job), []
        address = f"127.0.0.1:{free_port()}"
        streams = {}
        for pipe in pipes:
            pipe.start()
        try:
            for host in hosts:
                stream = f"{self._name}/{host}-{epoch}"
                streams[host] = self._store.log_stream(logs.TRAINING_GROUP, stream)
                children.append(self._child(job, host, address))
            return self._watch(children, list(streams.values()), limit, mirror)
        finally:
            for pipe in pipes:
                pipe.close()
            for child in children:
                child.close()

    def _child(self, job: Document, host: str, leader: str) -> Child:
        extra = {
            **job.get("Environment", {}),
            "SAGEMAKER_BASE_DIR": str(self._host_folder(host)),
            "TRAINING_JOB_NAME": self._name,
            "TRAINING_JOB_ARN": job["TrainingJobArn"],
            "AWS_REGION": job["_region"],
            LEADER: leader,
        }
        folder = self._host_folder(host)
        return Child((*CONTAINER, "train"), environment(extra), folder, self._cores)

    def _watch(
        self, children: list[Child], streams: list[int], limit: float, mirror: CheckpointMirror
    ) -> tuple[int, str | None]:
        why: str | None = None
        kill_at = math.inf
        wait_s = 0.1 / len(children)
        patterns = self._patterns()

        def writer(stream: int) -> Callable[[list[tuple[int, str]]], None]:
            def write(lines: list[tuple[int, str]]) -> None:
                self._store.log(stream, lines)
                self._measure(lines, patterns)

            return write

        writers = [writer(stream) for stream in streams]
        while any(child.exit_code is None for child in children):
            for child, write in zip(children, writers, strict=True):
                child.pump(write, wait_s)
            mirror.push()
            failed = any(child.exit_code for child in children)
            if why is None and (self._stop.is_set() or time.time() > limit or failed):
                why = "Stopped" if self._stop.is_set() else "MaxRuntimeExceeded"
                why = "failed" if failed and not self._stop.is_set() else why
                kill_at = time.monotonic() + _STOP_S
                for child in children:
                    child.terminate()
            if time.monotonic() > kill_at:
                for child in children:
                    child.kill()
        for child, write in zip(children, writers, strict=True):
            child.drain(write)
        mirror.push(last=True)
        codes = [child.exit_code or 0 for child in children]
        return max(codes), why if why != "failed" else None

    def _upload(self, job: Document) -> None:
        address = S3Address.parse(job["ModelArtifacts"]["S3ModelArtifacts"])
        failed = job["_exit"] != 0 and job["_why"] is None
        model, data = self._base / "model", self._base / "output" / "data"
        for host in _hosts(job)[1:]:
            self._merge(self._host_folder(host) / "model", model)
            self._merge(self._host_folder(host) / "output" / "data", data)
        try:
            if _has_files(data):
                self._send(data, S3Address(address.bucket, _beside(address.key, "output.tar.gz")))
            if not failed and (_has_files(model) or job["_why"] is None):
                self._send(model, address)
        except BrasaError as error:
            raise JobFailed(f"ClientError: Artifact upload failed: {error}") from None

    def _send(self, folder: Path, address: S3Address) -> None:
        self._objects.write(address, lambda sink: archives.pack(folder, sink))

    def _merge(self, source: Path, target: Path) -> None:
        if not source.is_dir():
            return
        for file in sorted(source.rglob("*")):
            place = target / file.relative_to(source)
            if file.is_file() and not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                os.replace(file, place)

    def _finish(self, job: Document) -> None:
        if job["_why"] is not None:
            secondary = job["_why"] if job["_why"] == "MaxRuntimeExceeded" else None
            message = (
                "Training job stopped"
                if secondary is None
                else "Training job runtime exceeded MaxRuntimeInSeconds provided"
            )
            self._end("Stopped", message, secondary)
        elif job["_exit"] != 0:
            self._end("Failed", self._reason(job))
        else:
            self._end("Completed", "Training job completed")

    def _reason(self, job: Document) -> str:
        for host in _hosts(job):
            file = self._host_folder(host) / "output" / "failure"
            if file.is_file():
                with file.open(errors="replace") as stream:
                    text = stream.read(1024).strip()
                if text:
                    return text
        last = "".join(job.get("_last", ()))
        return f"AlgorithmError: the training process ended with exit code {job['_exit']}: {last}"

    # Small parts

    def _host_folder(self, host: str) -> Path:
        return self._base if host == "algo-1" else self._base / "hosts" / host

    def _change(self, change: Callable[[Document], str]) -> Document:
        job = self._store.change(TRAINING_JOB, self._name, change)
        if job is None:
            raise JobFailed("the job is gone")
        return job

    def _enter(self, status: str, message: str) -> None:
        def change(job: Document) -> str:
            training_jobs.enter(job, status, message)
            return str(job["TrainingJobStatus"])

        self._change(change)

    def _end(self, status: str, message: str, secondary: str | None = None) -> None:
        def change(job: Document) -> str:
            if job.get("_metrics"):
                job["FinalMetricDataList"] = [
                    {"MetricName": name, "Value": value, "Timestamp": when}
                    for name, (value, when) in job["_metrics"].items()
                ]
            return training_jobs.end(job, status, message, secondary=secondary)

        self._store.change(TRAINING_JOB, self._name, change)

    def _patterns(self) -> list[tuple[str, re.Pattern[str]]]:
        job = self._store.get(TRAINING_JOB, self._name) or {}
        metrics = job["AlgorithmSpecification"]["MetricDefinitions"]
        return [(metric["Name"], re.compile(metric["Regex"])) for metric in metrics]

    def _measure(
        self, lines: list[tuple[int, str]], patterns: list[tuple[str, re.Pattern[str]]]
    ) -> None:
        for ms, line in lines:
            for name, pattern in patterns:
                found = pattern.search(line[:_MAX_METRIC_LINE])
                value = _number(found) if found else None
                if value is not None:
                    self._metrics[name] = (value, ms / 1000)
        self._last_lines = (self._last_lines + [line[:500] for _, line in lines])[-5:]


def _unpack_models(files: list[Path]) -> None:
    """An artifact in the channel that training starts from becomes what is in it."""
    for file in files:
        if file.name.endswith(".tar.gz"):
            archive = file.rename(file.with_name(file.name + ".archive"))
            try:
                archives.unpack(archive, file)
            except archives.ArchiveError as error:
                raise JobFailed(f"ClientError: channel model: {file.name}: {error}") from None
            archive.unlink()
            for part in sorted(file.iterdir()):
                part.rename(file.parent / part.name)
            file.rmdir()


def _begin(job: Document) -> str:
    job["_starts"] += 1
    return str(job["TrainingJobStatus"])


def _number(found: re.Match[str]) -> float | None:
    try:
        value = float(found[1])
    except (ValueError, IndexError, TypeError):
        return None
    return value if math.isfinite(value) else None


def _hosts(job: Document) -> list[str]:
    return [f"algo-{i + 1}" for i in range(job["ResourceConfig"].get("InstanceCount", 1))]


def _resources(job: Document, host: str, hosts: list[str]) -> dict[str, Any]:
    kind = job["ResourceConfig"].get("InstanceType", "")
    group = {"instance_group_name": "homogeneousCluster", "instance_type": kind, "hosts": hosts}
    return {
        "current_host": host,
        "current_instance_type": kind,
        "current_group_name": "homogeneousCluster",
        "hosts": hosts,
        "instance_groups": [group],
        "network_interface_name": "lo",
    }


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(path.is_file() for path in folder.rglob("*"))


def _beside(key: str, name: str) -> str:
    return key.rpartition("/")[0] + "/" + name
