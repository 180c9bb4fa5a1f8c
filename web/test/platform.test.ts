import { expect, test } from "vitest";
import { sign } from "../src/platform/aws";
import { curvesOf, polyline } from "../src/platform/metrics";
import { texts } from "../src/platform/texts";

test("requests are signed as AWS's own signer signs them", async () => {
  const key = { id: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
  const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": "SageMaker.ListModels" };
  const signed = await sign(key, "sagemaker", "127.0.0.1:9000", "/", headers, "{}", "20261127T120000Z");
  // By botocore's SigV4Auth with the same key, time, headers and body.
  expect(signed.authorization).toBe(
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261127/us-east-1/sagemaker/aws4_request, " +
      "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=ed2e50bd62a4ae0c15518d5040df72e9e60ab7308dd8049fd715d3453aaa0986",
  );
});

test("curves are read out of BlazingText's lines", () => {
  const curves = curvesOf([
    "Read 1M words",
    "##### Alpha: 0.0499  Progress: 0.12%  Million Words/sec: 0.16 #####",
    "##### Alpha: 0.0250  Progress: 50.00%  Million Words/sec: 2.00 #####",
    "Validation accuracy: 0.5",
    "Validation accuracy: 0.75",
  ]);
  expect(curves).toEqual([
    { name: "million words/s", points: [[0.12, 0.16], [50, 2]] },
    { name: "learning rate", points: [[0.12, 0.0499], [50, 0.025]] },
    { name: "validation accuracy", points: [[1, 0.5], [2, 0.75]] },
  ]);
  expect(curvesOf(["nothing"])).toEqual([]);
  expect(polyline([[0, 1], [10, 2]], 100, 50)).toBe("0.0,25.0 100.0,0.0");
});

test("both languages say the same things", () => {
  expect(Object.keys(texts.pt)).toEqual(Object.keys(texts.en));
});
