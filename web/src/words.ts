// One word: its neighbors, and what its vector is made of.

import type { App, Drawn } from "./app";
import { fill, h, latest, refill } from "./dom";
import { bars, failure, wordBox } from "./parts";
import type { Completion, ModelInfo, Neighbors, Subword } from "./source";
import { Refusal } from "./source";

const K = 20;
const MOST_PARTS = 200;

interface Answer {
  neighbors: Neighbors;
  parts: Subword[];
  own: Completion | undefined;
}

export function words(app: App, model: ModelInfo): Drawn {
  const say = app.text.say.bind(app.text);
  const answer = h("div", { class: "answer", "aria-live": "polite" });
  const ask = latest(
    120,
    async (): Promise<Answer | null> => {
      const word = app.state.word;
      if (!word) return null;
      const [neighbors, parts, completions] = await Promise.all([
        app.source.neighbors(model.name, word, K),
        model.subwords ? app.source.subwords(model.name, word) : Promise.resolve([]),
        app.source.words(model.name, word, 1),
      ]);
      return { neighbors, parts, own: completions.find((item) => item.word === word) };
    },
    (found) => refill(answer, found === null ? examples(app, model) : shown(app, model, found)),
    (error) => fill(answer, refused(app, error)),
  );
  const box = wordBox(app, {
    value: app.state.word,
    label: say("search"),
    placeholder: say("search"),
    isMain: true,
    change: (word) => {
      app.note({ word });
      ask();
    },
  });
  ask(true);
  return { element: h("div", {}, h("div", { class: "search" }, box), answer) };
}

function examples(app: App, model: ModelInfo): HTMLElement {
  const list = h("p", { class: "examples" });
  void app.source.words(model.name, "", 60).then((found) => {
    const chosen = found.filter((item) => /^\p{L}{4,}$/u.test(item.word)).slice(0, 8);
    fill(list, ...chosen.map((item) => chip(item.word, () => app.go({ word: item.word }))));
  }, () => undefined);
  return h("div", { class: "empty" }, h("p", {}, app.text.say(app.source.isLive ? "empty" : "emptyExported")), list);
}

export function chip(word: string, go: () => void): HTMLElement {
  return h("button", { type: "button", class: "chip", onclick: go }, word);
}

function shown(app: App, model: ModelInfo, found: Answer): HTMLElement {
  const say = app.text.say.bind(app.text);
  const { word, known, neighbors } = found.neighbors;
  const own = found.own;
  const about = !known
    ? say("unseen")
    : own === undefined
      ? ""
      : model.has_counts
        ? say("seen", { rank: own.rank + 1, count: own.count })
        : say("seenRank", { rank: own.rank + 1 });
  const list = neighbors.map((item) => ({
    name: item.word,
    value: item.cosine,
    length: item.cosine,
    go: () => app.go({ word: item.word }),
  }));
  const map = h("button", { type: "button", class: "link", onclick: () => app.go({ view: "map", camera: [] }) }, say("find"));
  return h(
    "div",
    { class: "columns" },
    h(
      "section",
      {},
      h("h1", {}, word),
      h("p", { class: "about" }, about, " ", map),
      h("h2", {}, say("neighbors")),
      bars(app, list, say("neighbors")),
    ),
    found.parts.length > 0 && madeOf(app, found.parts),
  );
}

function madeOf(app: App, parts: Subword[]): HTMLElement {
  const say = app.text.say.bind(app.text);
  const largest = Math.max(...parts.map((part) => Math.abs(part.share)), 1e-9);
  const list = [...parts]
    .sort((one, other) => other.share - one.share)
    .slice(0, MOST_PARTS)
    .map((part) => ({
      name: part.bucket === null ? `${part.ngram} (${say("wholeWord")})` : part.ngram,
      value: part.share,
      length: part.share / largest,
      isFaded: !part.known,
    }));
  return h(
    "section",
    { class: "made-of" },
    h("h2", {}, say("madeOf")),
    h("p", { class: "about" }, say("madeOfHint")),
    bars(app, list, say("madeOf")),
    parts.length > MOST_PARTS && h("p", { class: "about" }, say("andMore", { n: parts.length - MOST_PARTS })),
  );
}

function refused(app: App, error: unknown): HTMLElement {
  if (error instanceof Refusal && error.type === "unknown_word") {
    return h("p", { class: "message" }, app.text.say("unknown", { word: app.state.word }));
  }
  if (error instanceof Refusal && error.status === 400 && app.state.word) {
    return h("p", { class: "message" }, app.text.say("noPart"));
  }
  return failure(app, error);
}
