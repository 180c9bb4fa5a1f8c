// A classifier: labels of a text, and the words that pushed them.

import type { App, Drawn } from "./app";
import { fill, h, latest } from "./dom";
import { bars, failure } from "./parts";
import type { Explanation, Feature, Labels, ModelInfo } from "./source";
import { Refusal } from "./source";

const K = 10;

interface Answer {
  labels: Labels;
  why: Explanation | null;
}

export function classify(app: App, model: ModelInfo): Drawn {
  const say = app.text.say.bind(app.text);
  const answer = h("div", { class: "answer", "aria-live": "polite" });
  let chosen = "";
  const ask = latest(
    150,
    async (): Promise<Answer | null> => {
      const text = app.state.text;
      if (!text.trim()) return null;
      const labels = await app.source.labels(model.name, text, K);
      const label = labels.label.includes(chosen) ? chosen : labels.label[0];
      if (label === undefined) return { labels, why: null };
      try {
        return { labels, why: await app.source.explain(model.name, text, label, 40) };
      } catch (error) {
        if (error instanceof Refusal && error.status === 404) return { labels, why: null };
        throw error;
      }
    },
    (found) =>
      fill(
        answer,
        found === null
          ? h("p", { class: "empty" }, say(app.source.isLive ? "empty" : "emptyExported"))
          : shown(app, found, (label) => {
              chosen = label;
              ask(true);
            }),
      ),
    (error) => fill(answer, failure(app, error)),
  );
  const box = h("textarea", {
    class: "main",
    rows: 3,
    "aria-label": say("textHint"),
    placeholder: say("textHint"),
    spellcheck: "false",
    oninput: (event: Event) => {
      app.note({ text: (event.target as HTMLTextAreaElement).value });
      ask();
    },
  });
  box.value = app.state.text;
  ask(true);
  return { element: h("div", {}, box, answer) };
}

function shown(app: App, found: Answer, choose: (label: string) => void): HTMLElement {
  const say = app.text.say.bind(app.text);
  if (found.labels.label.length === 0) return h("p", { class: "message" }, say("nothing"));
  const list = found.labels.label.map((label, i) => ({
    name: plain(label),
    value: found.labels.prob[i] ?? 0,
    length: found.labels.prob[i] ?? 0,
    go: () => choose(label),
  }));
  return h(
    "div",
    { class: "columns" },
    h("section", {}, h("h2", {}, say("labels")), bars(app, list, say("labels"))),
    found.why !== null && because(app, found.why),
  );
}

function because(app: App, why: Explanation): HTMLElement {
  const say = app.text.say.bind(app.text);
  const largest = Math.max(...why.features.map((part) => Math.abs(part.weight)), 1e-9);
  const list = why.features.slice(0, 15).map((part) => ({
    name: part.text,
    value: part.weight,
    length: part.weight / largest,
  }));
  const title = say("why", { label: plain(why.label) });
  return h(
    "section",
    {},
    h("h2", {}, title),
    h("p", { class: "about" }, say("whyHint")),
    marked(app, why),
    bars(app, list, title),
  );
}

/** The text, each word colored by what it and its n-grams add. */
function marked(app: App, why: Explanation): HTMLElement {
  const tokens = why.text.split(/(\s+)/);
  const weights = tokens.map((token) => weightOf(token, why.features));
  const largest = Math.max(...weights.map(Math.abs), 1e-9);
  return h(
    "p",
    { class: "marked" },
    ...tokens.map((token, i) => {
      const weight = (weights[i] ?? 0) / largest;
      if (!token.trim() || Math.abs(weight) < 0.05) return token;
      const side = weight > 0 ? "towards" : "away";
      const title = `${app.text.say(side)}: ${app.text.number(weights[i] ?? 0, 3)}`;
      return h("mark", { class: side, style: `--strength:${Math.abs(weight).toFixed(2)}`, title }, token);
    }),
  );
}

/** A run of words gives each of its words an equal part; a character n-gram all to its word. */
export function weightOf(token: string, features: readonly Feature[]): number {
  let sum = 0;
  for (const { kind, text, weight } of features) {
    if (kind === "word" && text === token) sum += weight;
    if (kind === "word_ngram") {
      const run = text.split(" ");
      if (run.includes(token)) sum += weight / run.length;
    }
    if (kind === "character_ngram" && `<${token}>`.includes(text)) sum += weight;
  }
  return sum;
}

function plain(label: string): string {
  return label.replace(/^__label__/, "");
}
