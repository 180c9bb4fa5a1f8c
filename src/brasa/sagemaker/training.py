"""``train``: what a SageMaker training container does, from hyperparameters to artifacts."""

from __future__ import annotations

import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brasa.config import TextClassifierConfig
from brasa.errors import BrasaError, ConfigError, CorpusError, HostsError, ModelFormatError
from brasa.sagemaker import artifacts, hyperparameters
from brasa.sagemaker.channels import sources
from brasa.sagemaker.checkpoints import Checkpoints, fingerprint, share_done
from brasa.sagemaker.hosts import Hosts
from brasa.sagemaker.job import Job
from brasa.sagemaker.kinds import ClassifierKind, VectorsKind
from brasa.sagemaker.models import incoming
from brasa.sagemaker.stopping import Stop
from brasa.sagemaker.watch import Watch

if TYPE_CHECKING:
    from brasa.sagemaker.folders import Folders
    from brasa.sagemaker.job import Log
    from brasa.sagemaker.kinds import Kind

_FAILED = 1


def run(folders: Folders, log: Log) -> int:
    """Train as the folders ask for; the exit code.

    What goes wrong is written to ``output/failure``: ``ClientError:`` for what the user can mend,
    ``AlgorithmError:`` for the rest. SIGTERM ends the training with what there is, a valid model,
    if anything was trained, and exit code 0.
    """
    stop = Stop()
    stop.listen()
    try:
        _run(folders, log, stop)
    except HostsError as error:
        return _failed(folders, log, f"AlgorithmError: {error}")
    except BrasaError as error:
        return _failed(folders, log, f"ClientError: {error}")
    except MemoryError:
        reason = "ClientError: not enough memory: lower vector_dim or buckets, or take more memory"
        return _failed(folders, log, reason)
    except Exception as error:
        log.print(traceback.format_exc())
        return _failed(folders, log, f"AlgorithmError: {type(error).__name__}: {error}")
    finally:
        stop.ignore()
    return 0


def _failed(folders: Folders, log: Log, reason: str) -> int:
    log.print(reason)
    folders.fail(reason)
    return _FAILED


def _run(folders: Folders, log: Log, stop: Stop) -> None:
    log.print("Arguments: train")
    asked = folders.configuration("hyperparameters.json", required=True)
    config = hyperparameters.parse(asked)
    resources = folders.configuration("resourceconfig.json")
    hosts = Hosts.of(resources, asked)
    instance = str(resources.get("current_instance_type") or "")
    hyperparameters.check_machine(config.mode, len(hosts.names), instance, n_gpus=0)
    if len(hosts.names) > 1:
        log.print(f"Number of hosts: {len(hosts.names)}, this is {hosts.own}")
    artifacts.check_room(folders.model)
    with tempfile.TemporaryDirectory(prefix="brasa-") as spool:
        job = Job(folders, log, stop, Path(spool), hosts)
        given = hyperparameters.values_of(asked)
        try:
            stop.interrupt_at_once()
            before = incoming(folders, job.spool)
            if isinstance(config, TextClassifierConfig):
                _train(job, ClassifierKind(job, config, given, before), before)
            else:
                _train(job, VectorsKind(job, config, given, before), before)
        except KeyboardInterrupt:
            log.print("The job is stopped before anything was trained: there is no model")
        finally:
            stop.at_once = False


def _train(job: Job, kind: Kind[Any, Any], before: Path | None) -> None:
    """Train, from a checkpoint if one fits, and leave what was trained when SIGTERM comes."""
    checkpoints = None
    if job.folders.checkpoints.is_dir() and job.hosts.is_first:
        name = fingerprint(sources(job.folders, kind.channels), before)
        checkpoints = Checkpoints(job.folders.checkpoints, name, job.log.print)
    found = None if checkpoints is None else checkpoints.load()
    resumption = None
    if found is not None and checkpoints is not None:
        try:
            resumption = kind.resumption(found)
            job.log.print(f"Resuming from the checkpoint at {share_done(found):.1%}")
        except (ConfigError, ModelFormatError) as error:
            checkpoints.pass_over(error)
    watch = Watch(job, checkpoints)
    try:
        kind.read()
        try:
            model = kind.train(resumption, watch)
        except (ConfigError, CorpusError, ModelFormatError) as error:
            if resumption is None or checkpoints is None:
                raise
            checkpoints.pass_over(error)  # of another text, which shows when it has been read
            resumption = None
            job.stop.interrupt_at_once()
            model = kind.train(None, watch)
    except KeyboardInterrupt:
        if resumption is None or found is None:
            raise
        model = kind.model_of(found)
    job.stop.at_once = False
    if job.hosts.is_first:
        kind.write(model)
