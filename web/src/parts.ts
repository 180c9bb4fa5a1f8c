// Pieces that several views are made of: bars, word boxes with completion, messages.

import { fill, h, latest } from "./dom";
import type { App } from "./app";
import { Refusal } from "./source";

export interface Bar {
  name: string;
  value: number; // what is shown as a number
  length: number; // of the bar, from -1 to 1
  isFaded?: boolean;
  go?: () => void;
}

export function bars(app: App, list: Bar[], label: string): HTMLElement {
  return h(
    "ol",
    { class: "bars", "aria-label": label },
    ...list.map((bar) => {
      const width = `${Math.min(Math.abs(bar.length), 1) * 100}%`;
      const value = app.text.number(bar.value, 3);
      const content = [
        h("span", { class: "name", title: bar.name }, bar.name),
        h("span", { class: bar.length < 0 ? "track negative" : "track" }, h("span", { class: "bar", style: `width:${width}` })),
        h("span", { class: "value" }, value),
      ];
      const classes = bar.isFaded ? "row faded" : "row";
      return h(
        "li",
        {},
        bar.go === undefined
          ? h("div", { class: classes }, ...content)
          : h("button", { class: classes, type: "button", onclick: bar.go }, ...content),
      );
    }),
  );
}

let boxes = 0;

/** An input that completes words of the model. */
export function wordBox(
  app: App,
  options: { value: string; label: string; placeholder: string; change: (word: string) => void; isMain?: boolean },
): HTMLElement {
  const id = `box-${++boxes}`;
  const list = h("datalist", { id });
  const input = h("input", {
    type: "text", list: id, value: options.value, placeholder: options.placeholder,
    "aria-label": options.label, autocomplete: "off", autocapitalize: "off", spellcheck: "false",
    enterkeyhint: "search", class: options.isMain ? "word main" : "word",
  });
  const complete = latest(
    80,
    () => app.source.words(app.state.model, input.value.trim(), 8),
    (found) => fill(list, ...found.map((item) => h("option", { value: item.word }))),
    () => fill(list),
  );
  input.addEventListener("input", () => {
    complete();
    options.change(input.value.trim());
  });
  return h("span", { class: "box" }, input, list);
}

export function failure(app: App, error: unknown): HTMLElement {
  if (!(error instanceof Refusal)) {
    console.error(error);
    return h("p", { class: "message", role: "alert" }, String(error));
  }
  if (error.status === 401) return keyForm(app);
  if (error.type === "unreachable") {
    const again = h("button", { type: "button", onclick: () => app.render() }, app.text.say("retry"));
    return h("p", { class: "message", role: "alert" }, app.text.say("unreachable"), " ", again);
  }
  return h("p", { class: "message", role: "alert" }, error.message);
}

function keyForm(app: App): HTMLElement {
  const input = h("input", { type: "password", autocomplete: "off", "aria-label": app.text.say("key") });
  const submit = (event: Event) => {
    event.preventDefault();
    app.enter(input.value);
  };
  return h(
    "form",
    { class: "message", onsubmit: submit },
    h("p", {}, app.text.say("keyNeeded")),
    input,
    h("button", { type: "submit" }, app.text.say("enter")),
  );
}
