// Words beside each other: analogies, and the cosine of two.

import type { App, Drawn } from "./app";
import { fill, h, latest } from "./dom";
import { bars, failure, wordBox } from "./parts";
import type { ModelInfo } from "./source";

const K = 10;

export function analogies(app: App, model: ModelInfo): Drawn {
  const say = app.text.say.bind(app.text);
  const answer = h("div", { class: "answer", "aria-live": "polite" });
  const ask = latest(
    150,
    async () => {
      const { a, b, c } = app.state;
      return a && b && c ? app.source.analogy(model.name, a, b, c, K) : null;
    },
    (found) =>
      fill(
        answer,
        found &&
          h(
            "section",
            {},
            h("h2", {}, say("answers")),
            bars(
              app,
              found.map((item) => ({
                name: item.word,
                value: item.cosine,
                length: item.cosine,
                go: () => app.go({ view: "words", word: item.word }),
              })),
              say("answers"),
            ),
          ),
      ),
    (error) => fill(answer, failure(app, error)),
  );
  const box = (name: "a" | "b" | "c", label: string) =>
    wordBox(app, {
      value: app.state[name],
      label,
      placeholder: name.toUpperCase(),
      isMain: name === "a",
      change: (word) => {
        app.note({ [name]: word });
        ask();
      },
    });
  ask(true);
  const sentence = h(
    "p",
    { class: "sentence" },
    box("a", "A"),
    h("span", {}, say("analogyIs")),
    box("b", "B"),
    h("span", {}, say("analogyAs")),
    box("c", "C"),
    h("span", {}, say("analogyTo")),
  );
  return { element: h("div", {}, sentence, answer) };
}

export function compare(app: App, model: ModelInfo): Drawn {
  const say = app.text.say.bind(app.text);
  const answer = h("div", { class: "answer", "aria-live": "polite" });
  const ask = latest(
    120,
    async () => {
      const { a, b } = app.state;
      return a && b ? { a, b, cosine: await app.source.similarity(model.name, a, b) } : null;
    },
    (found) =>
      fill(
        answer,
        found &&
          h(
            "section",
            { class: "gauge" },
            h("p", { class: "figure" }, app.text.number(found.cosine, 3)),
            h("p", { class: "about" }, `${say("cosine")} · ${found.a} ${say("and")} ${found.b}`),
            gauge(found.cosine),
          ),
      ),
    (error) => fill(answer, failure(app, error)),
  );
  const box = (name: "a" | "b", label: string) =>
    wordBox(app, {
      value: app.state[name],
      label,
      placeholder: label,
      isMain: name === "a",
      change: (word) => {
        app.note({ [name]: word });
        ask();
      },
    });
  ask(true);
  return {
    element: h(
      "div",
      {},
      h("h1", {}, say("compareTwo")),
      h("p", { class: "sentence" }, box("a", "A"), h("span", {}, say("and")), box("b", "B")),
      answer,
    ),
  };
}

function gauge(cosine: number): HTMLElement {
  const place = `left:${(Math.max(-1, Math.min(1, cosine)) + 1) * 50}%`;
  return h(
    "div",
    { class: "scale", role: "img", "aria-label": String(cosine) },
    h("span", { class: "dot", style: place }),
    ...["−1", "0", "1"].map((mark) => h("span", { class: "tick" }, mark)),
  );
}
