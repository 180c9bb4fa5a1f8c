// The platform's page: jobs with their logs and curves, models, endpoints to try. It asks the
// platform's own API, as any client of AWS's does, with the platform's key.

import "../style.css";
import "./platform.css";
import { fill, h } from "../dom";
import { preferred } from "../i18n";
import { Aws, AwsError } from "./aws";
import type { Key as AwsKey } from "./aws";
import { curvesOf, polyline } from "./metrics";
import { texts } from "./texts";
import type { Key } from "./texts";

const POLL_MS = 2000;
const KEY = "brasa-platform-key";
const MOST_LINES = 2000;

interface Job {
  name: string;
  status: string;
  created: number;
}

type View = "jobs" | "tuning" | "transforms" | "models" | "endpoints";
const LISTS: Record<View, { operation: string; list: string; name: string; status: string }> = {
  jobs: { operation: "ListTrainingJobs", list: "TrainingJobSummaries", name: "TrainingJobName", status: "TrainingJobStatus" },
  tuning: {
    operation: "ListHyperParameterTuningJobs", list: "HyperParameterTuningJobSummaries",
    name: "HyperParameterTuningJobName", status: "HyperParameterTuningJobStatus",
  },
  transforms: {
    operation: "ListTransformJobs", list: "TransformJobSummaries", name: "TransformJobName", status: "TransformJobStatus",
  },
  models: { operation: "ListModels", list: "Models", name: "ModelName", status: "" },
  endpoints: { operation: "ListEndpoints", list: "Endpoints", name: "EndpointName", status: "EndpointStatus" },
};
const VIEWS = Object.keys(LISTS) as View[];

class Page {
  private language: "en" | "pt" = preferred(navigator.languages);
  private theme = "";
  private aws = new Aws(rememberedKey());
  private timer = 0;
  private round = 0; // answers of an earlier view are dropped

  constructor(private readonly root: HTMLElement) {}

  start(): void {
    addEventListener("hashchange", () => this.draw());
    this.draw();
  }

  private say(key: Key, values: Record<string, string | number> = {}): string {
    return texts[this.language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
  }

  private place(): { view: View; name: string } {
    const [view = "", ...rest] = location.hash.slice(1).split("/");
    const known = VIEWS.includes(view as View) ? (view as View) : "jobs";
    return { view: known, name: decodeURIComponent(rest.join("/")) };
  }

  private draw(): void {
    clearTimeout(this.timer);
    const round = ++this.round;
    document.documentElement.lang = this.language === "pt" ? "pt-BR" : "en";
    if (this.theme) document.documentElement.dataset.theme = this.theme;
    const { view, name } = this.place();
    document.title = [name, this.say(view), "brasa platform"].filter(Boolean).join(" · ");
    const main = h("main", { class: "platform" });
    fill(this.root, this.head(view), main);
    const show = name && view === "jobs" ? this.job(main, name) : this.list(main, view);
    const poll = async (): Promise<void> => {
      try {
        await show();
      } catch (error) {
        if (round === this.round) this.fail(main, error);
        if (!(error instanceof AwsError) || error.code !== "Unreachable") return;
      }
      if (round === this.round) this.timer = window.setTimeout(() => void poll(), POLL_MS);
    };
    void poll();
  }

  private head(view: View): HTMLElement {
    const tabs = VIEWS.map((one) =>
      h(
        "button",
        { type: "button", "aria-current": one === view ? "page" : undefined, onclick: () => (location.hash = one) },
        this.say(one),
      ),
    );
    const theme = () => {
      const dark = matchMedia("(prefers-color-scheme: dark)").matches;
      this.theme = (this.theme || (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
      this.draw();
    };
    const language = () => {
      this.language = this.language === "pt" ? "en" : "pt";
      this.draw();
    };
    return h(
      "header",
      {},
      h("span", { class: "mark" }, h("span", { class: "ember", "aria-hidden": "true" }), "brasa platform"),
      h("nav", { "aria-label": "brasa platform" }, ...tabs),
      h(
        "span",
        { class: "tools" },
        h("button", { type: "button", class: "plain", "aria-label": this.say("language"), onclick: language }, this.language === "pt" ? "EN" : "PT"),
        h("button", { type: "button", class: "plain", "aria-label": this.say("theme"), onclick: theme }, "◐"),
      ),
    );
  }

  private list(main: HTMLElement, view: View): () => Promise<void> {
    const { operation, list, name, status } = LISTS[view];
    let before = "";
    return async () => {
      const answer = await this.aws.call<Record<string, Record<string, unknown>[]>>("sagemaker", operation, { MaxResults: 100 });
      const now = JSON.stringify(answer);
      if (now === before) return; // what somebody types into an endpoint's box stays
      before = now;
      const jobs = (answer[list] ?? []).map((item): Job => ({
        name: String(item[name]),
        status: String(item[status] ?? ""),
        created: Number(item.CreationTime ?? 0),
      }));
      fill(
        main,
        h("h1", {}, this.say(view)),
        jobs.length === 0 && h("p", { class: "about" }, this.say("none")),
        ...jobs.map((job) => (view === "endpoints" ? this.endpoint(job) : this.row(view, job))),
      );
    };
  }

  private row(view: View, job: Job): HTMLElement {
    const link = h("a", { href: `#${view}/${encodeURIComponent(job.name)}` }, job.name);
    const stops: Partial<Record<View, string>> = {
      jobs: "StopTrainingJob", tuning: "StopHyperParameterTuningJob", transforms: "StopTransformJob",
    };
    const stop = stops[view];
    const canStop = stop !== undefined && job.status === "InProgress";
    return h(
      "div",
      { class: "item" },
      view === "jobs" ? link : h("span", {}, job.name),
      this.status(job.status),
      h("span", { class: "when" }, this.when(job.created)),
      canStop && this.act("stop", "surestop", job.name, () => this.aws.call("sagemaker", stop, { [LISTS[view].name]: job.name })),
      view === "models" && this.act("remove", "sure", job.name, () => this.aws.call("sagemaker", "DeleteModel", { ModelName: job.name })),
    );
  }

  private endpoint(job: Job): HTMLElement {
    const box = h("textarea", { rows: 2, placeholder: this.say("hint"), "aria-label": `${this.say("tryIt")}: ${job.name}` });
    const answer = h("pre", { class: "said", hidden: true });
    const send = async () => {
      const instances = box.value.split("\n").filter((line) => line.trim());
      answer.hidden = false;
      try {
        const found = await this.aws.invoke(job.name, JSON.stringify({ instances }));
        answer.textContent = shortened(found);
      } catch (error) {
        answer.textContent = error instanceof Error ? error.message : String(error);
      }
    };
    return h(
      "section",
      { class: "endpoint" },
      h(
        "div",
        { class: "item" },
        h("b", {}, job.name),
        this.status(job.status),
        h("span", { class: "when" }, this.when(job.created)),
        this.act("remove", "sure", job.name, () => this.aws.call("sagemaker", "DeleteEndpoint", { EndpointName: job.name })),
      ),
      job.status === "InService" &&
        h("div", { class: "try" }, box, h("button", { type: "button", class: "chip", onclick: () => void send() }, this.say("send"))),
      answer,
    );
  }

  private job(main: HTMLElement, name: string): () => Promise<void> {
    const title = h("div");
    const details = h("div");
    const curves = h("div", { class: "curves" });
    const log = h("pre", { class: "said log", tabindex: "0", "aria-label": this.say("log") }, this.say("waiting"));
    const lines: string[] = [];
    const tokens = new Map<string, string>();
    fill(main, h("p", {}, h("a", { href: "#jobs" }, `← ${this.say("back")}`)), title, curves, h("h2", {}, this.say("log")), log, details);
    return async () => {
      const job = await this.aws.call<Record<string, unknown>>("sagemaker", "DescribeTrainingJob", { TrainingJobName: name });
      const status = String(job.TrainingJobStatus);
      const seconds = job.TrainingTimeInSeconds as number | undefined;
      fill(
        title,
        h(
          "div",
          { class: "item" },
          h("h1", {}, name),
          this.status(status),
          seconds !== undefined && h("span", { class: "when" }, this.say("took", { s: seconds })),
          status === "InProgress" &&
            this.act("stop", "surestop", name, () => this.aws.call("sagemaker", "StopTrainingJob", { TrainingJobName: name })),
        ),
        job.FailureReason !== undefined && h("p", { class: "message", role: "alert" }, String(job.FailureReason)),
      );
      const metrics = ((job.FinalMetricDataList ?? []) as { MetricName: string; Value: number }[]).map(
        (one): [string, string] => [one.MetricName, one.Value.toFixed(4)],
      );
      const artifact = (job.ModelArtifacts as { S3ModelArtifacts?: string } | undefined)?.S3ModelArtifacts;
      fill(
        details,
        metrics.length > 0 && h("h2", {}, this.say("metrics")),
        table(metrics),
        h("h2", {}, this.say("hyperparameters")),
        table(Object.entries((job.HyperParameters ?? {}) as Record<string, string>)),
        artifact && h("h2", {}, this.say("artifact")),
        artifact && h("p", { class: "about" }, artifact),
      );
      if (!(await this.logged(name, lines, tokens))) return;
      const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 30;
      log.textContent = lines.slice(-MOST_LINES).join("\n") || this.say("waiting");
      if (atEnd) log.scrollTop = log.scrollHeight;
      fill(curves, ...curvesOf(lines).map(({ name, points }) => figure(name, points)));
    };
  }

  /** Reads on in the job's log; whether there was more. */
  private async logged(name: string, lines: string[], tokens: Map<string, string>): Promise<boolean> {
    const group = { logGroupName: "/aws/sagemaker/TrainingJobs" };
    let streams: { logStreamName: string }[] = [];
    try {
      const query = { ...group, logStreamNamePrefix: `${name}/` };
      streams = (await this.aws.call<{ logStreams: typeof streams }>("logs", "DescribeLogStreams", query)).logStreams;
    } catch (error) {
      if (error instanceof AwsError && error.code.endsWith("ResourceNotFoundException")) return false;
      throw error;
    }
    const before = lines.length;
    for (const { logStreamName } of streams) {
      for (;;) {
        const nextToken = tokens.get(logStreamName);
        const query = { ...group, logStreamName, startFromHead: true, ...(nextToken ? { nextToken } : {}) };
        const found = await this.aws.call<{ events: { message: string }[]; nextForwardToken: string }>("logs", "GetLogEvents", query);
        lines.push(...found.events.map((event) => event.message));
        tokens.set(logStreamName, found.nextForwardToken);
        if (found.events.length === 0) break;
      }
    }
    return lines.length > before;
  }

  private act(label: Key, question: Key, name: string, run: () => Promise<unknown>): HTMLElement {
    const go = async () => {
      if (!confirm(this.say(question, { name }))) return;
      try {
        await run();
      } catch (error) {
        alert(error instanceof Error ? error.message : String(error));
      }
      this.draw();
    };
    return h("button", { type: "button", class: "chip", onclick: () => void go() }, this.say(label));
  }

  private status(status: string): HTMLElement | false {
    const kind = /Failed/.test(status) ? "bad" : /InProgress|Creating|Updating|Stopping/.test(status) ? "busy" : "";
    return status !== "" && h("span", { class: `status ${kind}` }, status);
  }

  private when(seconds: number): string {
    return seconds ? new Date(seconds * 1000).toLocaleString(this.language === "pt" ? "pt-BR" : "en-US") : "";
  }

  private fail(main: HTMLElement, error: unknown): void {
    if (error instanceof AwsError && [400, 401, 403].includes(error.status) && /Signature|Token|Auth|Access|Credential|InvalidClient/i.test(error.code)) {
      fill(main, this.keyForm());
      return;
    }
    const said = error instanceof AwsError && error.code === "Unreachable" ? this.say("unreachable") : error instanceof Error ? error.message : String(error);
    fill(main, h("p", { class: "message", role: "alert" }, said));
  }

  private keyForm(): HTMLElement {
    const id = h("input", { type: "text", "aria-label": this.say("keyId"), placeholder: this.say("keyId"), autocomplete: "off", spellcheck: "false" });
    const secret = h("input", { type: "password", "aria-label": this.say("secret"), placeholder: this.say("secret"), autocomplete: "off" });
    const submit = (event: Event) => {
      event.preventDefault();
      const key: AwsKey = { id: id.value.trim(), secret: secret.value.trim() };
      sessionStorage.setItem(KEY, JSON.stringify(key));
      this.aws = new Aws(key);
      this.draw();
    };
    const isWrong = rememberedKey() !== null;
    return h(
      "form",
      { class: "message", onsubmit: submit },
      h("p", {}, this.say(isWrong ? "wrongKey" : "keyNeeded")),
      !isSecureContext && h("p", {}, this.say("insecure")),
      id,
      secret,
      h("button", { type: "submit" }, this.say("enter")),
    );
  }
}

function rememberedKey(): AwsKey | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null") as AwsKey | null;
  } catch {
    return null;
  }
}

/** An answer with vectors cut to their first numbers, so that it can be read. */
function shortened(json: string): string {
  const value = JSON.parse(json) as unknown;
  const cut = (_: string, one: unknown) =>
    Array.isArray(one) && one.length > 8 && typeof one[0] === "number" ? [...one.slice(0, 8), `… ${one.length}`] : one;
  return JSON.stringify(JSON.parse(JSON.stringify(value, cut)), null, 1).replace(/\n\s+(?=[-\d"…\]])/g, " ");
}

function table(rows: [string, string][]): HTMLElement | false {
  return (
    rows.length > 0 &&
    h("table", {}, h("tbody", {}, ...rows.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value)))))
  );
}

function figure(name: string, points: [number, number][]): HTMLElement {
  const [width, height] = [300, 80];
  const last = points[points.length - 1]?.[1] ?? 0;
  const box = h("figure", {}, h("figcaption", {}, `${name}: ${last}`));
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", `0 -4 ${width} ${height + 8}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", name);
  const line = document.createElementNS(space, "polyline");
  line.setAttribute("points", polyline(points, width, height));
  svg.append(line);
  box.append(svg);
  return box;
}

const root = document.getElementById("app");
if (root !== null) new Page(root).start();
