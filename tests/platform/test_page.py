"""The platform's page in a real browser: the key, a job's log and curve, an endpoint to try."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def trained(platform: Any) -> str:
    """The name of a job that has ended."""
    platform.put_text("page/text")
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://texts/page"}
    channel = {"ChannelName": "train", "DataSource": {"S3DataSource": source}}
    request = platform.training_job("watched", InputDataConfig=[channel])
    request["HyperParameters"] |= {"epochs": "60"}
    platform.client("sagemaker").create_training_job(**request)
    assert platform.wait_for("watched")["TrainingJobStatus"] == "Completed"
    return "watched"


def _enter(page: Page, platform: Any, secret: str | None = None) -> None:
    page.get_by_label("AWS_ACCESS_KEY_ID").fill(platform.variables["AWS_ACCESS_KEY_ID"])
    given = platform.variables["AWS_SECRET_ACCESS_KEY"] if secret is None else secret
    page.get_by_label("AWS_SECRET_ACCESS_KEY").fill(given)
    page.get_by_role("button", name="Enter").click()


def test_the_page_wants_the_platforms_key(open_page: OpenPage, platform: Any, trained: str) -> None:
    page = open_page(platform.url)
    expect(page.get_by_text("This platform wants its key")).to_be_visible()
    _enter(page, platform, "wrong")
    expect(page.get_by_text("does not take this key")).to_be_visible()
    _enter(page, platform)
    expect(page.get_by_role("link", name=trained)).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name=trained)).to_be_visible()


def test_a_job_is_watched(open_page: OpenPage, platform: Any, trained: str) -> None:
    page = open_page(f"{platform.url}/#jobs/{trained}")
    _enter(page, platform)
    expect(page.get_by_role("heading", name=trained)).to_be_visible()
    log = page.get_by_label("Log")
    expect(log).to_contain_text("Arguments: train")
    expect(log).to_contain_text("Training finished!")
    expect(page.locator("figure").first).to_contain_text("million words/s")
    expect(page.get_by_role("row", name="vector_dim 10")).to_be_visible()
    expect(page.get_by_text(f"{trained}/output/model.tar.gz")).to_be_visible()
    assert page.get_by_role("button", name="Stop").count() == 0


def test_a_running_job_is_stopped(open_page: OpenPage, platform: Any) -> None:
    platform.put_text("long/text", b"some words to train on for a while\n" * 20_000)
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://texts/long"}
    channel = {"ChannelName": "train", "DataSource": {"S3DataSource": source}}
    request = platform.training_job("stopped-by-hand", InputDataConfig=[channel])
    request["HyperParameters"] |= {"epochs": "5000"}
    platform.client("sagemaker").create_training_job(**request)
    page = open_page(f"{platform.url}/#jobs/stopped-by-hand")
    page.on("dialog", lambda dialog: dialog.accept())
    _enter(page, platform)
    expect(page.get_by_label("Log")).to_contain_text("Alpha")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped", exact=True)).to_be_visible()


def test_an_endpoint_is_tried_and_deleted(open_page: OpenPage, platform: Any, trained: str) -> None:
    sagemaker = platform.client("sagemaker")
    job = sagemaker.describe_training_job(TrainingJobName=trained)
    container = {
        "Image": job["AlgorithmSpecification"]["TrainingImage"],
        "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
    }
    sagemaker.create_model(
        ModelName="tried", PrimaryContainer=container, ExecutionRoleArn=job["RoleArn"]
    )
    variant = {"VariantName": "AllTraffic", "ModelName": "tried", "InitialInstanceCount": 1}
    variant["InstanceType"] = "ml.m5.large"
    sagemaker.create_endpoint_config(EndpointConfigName="tried", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="tried", EndpointConfigName="tried")
    page = open_page(f"{platform.url}/#endpoints", locale="pt-BR")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_label("AWS_ACCESS_KEY_ID").fill(platform.variables["AWS_ACCESS_KEY_ID"])
    secret = platform.variables["AWS_SECRET_ACCESS_KEY"]
    page.get_by_label("AWS_SECRET_ACCESS_KEY").fill(secret)
    page.get_by_role("button", name="Entrar").click()
    page.get_by_label("Experimente: tried").fill("awesome\nawweeesome")
    own = page.locator("section.endpoint").filter(has=page.get_by_text("tried", exact=True))
    own.get_by_role("button", name="Enviar").click()
    expect(own.locator("pre.said")).to_contain_text('"word": "awweeesome"')
    own.get_by_role("button", name="Apagar").click()
    expect(own).to_have_count(0)
    sagemaker.delete_endpoint_config(EndpointConfigName="tried")
    sagemaker.delete_model(ModelName="tried")


def test_only_browsers_get_the_page(platform: Any) -> None:
    answer = httpx.get(platform.url, headers={"accept": "text/html,*/*"})
    assert answer.status_code == 200
    assert "default-src 'none'; script-src 'sha256-" in answer.headers["content-security-policy"]
    refused = httpx.get(platform.url)
    assert refused.status_code == 403
    assert b"<Error>" in refused.content
