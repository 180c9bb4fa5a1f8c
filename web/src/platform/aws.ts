// AWS's protocols as a browser can speak them: JSON 1.1 and SageMaker Runtime, signed with SigV4
// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). The key
// stays in the tab's session.

export interface Key {
  id: string;
  secret: string;
}

export class AwsError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

const encoder = new TextEncoder();
const REGION = "us-east-1";

function hex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function sha256(text: string): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

async function hmac(key: BufferSource, text: string): Promise<ArrayBuffer> {
  const usable = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return crypto.subtle.sign("HMAC", usable, encoder.encode(text));
}

/** The headers of a signed POST; `now` as 20261127T120000Z. */
export async function sign(
  key: Key, service: string, host: string, path: string, headers: Record<string, string>, body: string, now: string,
): Promise<Record<string, string>> {
  const all: Record<string, string> = { ...headers, host, "x-amz-date": now };
  const names = Object.keys(all).sort();
  const canonical = [
    "POST",
    path.split("/").map(encodeURIComponent).join("/"),
    "",
    ...names.map((name) => `${name}:${all[name]?.trim()}`),
    "",
    names.join(";"),
    await sha256(body),
  ].join("\n");
  const day = now.slice(0, 8);
  const scope = `${day}/${REGION}/${service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", now, scope, await sha256(canonical)].join("\n");
  let signing: BufferSource = encoder.encode(`AWS4${key.secret}`);
  for (const part of [day, REGION, service, "aws4_request"]) signing = await hmac(signing, part);
  const signature = hex(await hmac(signing, text));
  const { host: _, ...sent } = all;
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${key.id}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
  };
}

export class Aws {
  constructor(private readonly key: Key | null) {}

  async call<T>(service: "sagemaker" | "logs", operation: string, values: object = {}): Promise<T> {
    const prefix = service === "logs" ? "Logs_20140328" : "SageMaker";
    const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": `${prefix}.${operation}` };
    const answer = await this.post(service, "/", headers, JSON.stringify(values));
    const text = await answer.text();
    const value = (text ? JSON.parse(text) : {}) as T & { __type?: string; message?: string };
    if (!answer.ok) throw new AwsError(value.__type ?? "Error", value.message ?? answer.statusText, answer.status);
    return value;
  }

  async invoke(endpoint: string, body: string): Promise<string> {
    const path = `/endpoints/${encodeURIComponent(endpoint)}/invocations`;
    const answer = await this.post("sagemaker", path, { "content-type": "application/json" }, body);
    const text = await answer.text();
    if (!answer.ok) {
      const said = JSON.parse(text || "{}") as { __type?: string; message?: string; OriginalMessage?: string };
      throw new AwsError(said.__type ?? "ModelError", said.OriginalMessage ?? said.message ?? text, answer.status);
    }
    return text;
  }

  private async post(service: string, path: string, headers: Record<string, string>, body: string): Promise<Response> {
    const now = `${new Date().toISOString().replace(/[-:]|\.\d+/g, "")}`;
    const signed = this.key === null ? headers : await sign(this.key, service, location.host, path, headers, body, now);
    try {
      return await fetch(`.${path}`, { method: "POST", headers: signed, body });
    } catch {
      throw new AwsError("Unreachable", "", 0);
    }
  }
}
