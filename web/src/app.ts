// The page: its head, the views, and the state that they share.

import { fill, h } from "./dom";
import { rememberKey } from "./http";
import { Text, preferred } from "./i18n";
import { failure } from "./parts";
import type { Info, ModelInfo, Source } from "./source";
import { decode, encode } from "./state";
import type { State, View } from "./state";
import { analogies, compare } from "./relations";
import { classify } from "./classify";
import { mapView } from "./map";
import { words } from "./words";

/** A view draws itself once; `leave` ends what it has running. */
export interface Drawn {
  element: HTMLElement;
  leave?: () => void;
}

const drawers: Record<View, (app: App, model: ModelInfo) => Drawn> = {
  words,
  analogies,
  compare,
  map: mapView,
  classify,
};

export class App {
  state: State = decode(location.hash);
  text: Text = new Text("en");
  private info: Info | null = null;
  private leave: (() => void) | undefined;

  constructor(
    private readonly root: HTMLElement,
    readonly source: Source,
  ) {}

  async start(): Promise<void> {
    addEventListener("hashchange", () => {
      if (location.hash.slice(1) === encode(this.state)) return;
      this.state = decode(location.hash);
      void this.render();
    });
    addEventListener("keydown", (event) => this.key(event));
    await this.render();
  }

  /** Change the state and the address, without drawing anew. */
  note(change: Partial<State>): void {
    Object.assign(this.state, change);
    history.replaceState(null, "", `#${encode(this.state)}`);
  }

  /** Change the state, and draw. */
  go(change: Partial<State>): void {
    Object.assign(this.state, change);
    const hash = `#${encode(this.state)}`;
    if (hash !== location.hash) history.pushState(null, "", hash);
    void this.render();
  }

  enter(key: string): void {
    rememberKey(key);
    void this.render();
  }

  async render(): Promise<void> {
    this.leave?.();
    this.leave = undefined;
    const language = this.state.language || preferred(navigator.languages);
    this.text = new Text(language === "pt" ? "pt" : "en");
    document.documentElement.lang = this.text.language === "pt" ? "pt-BR" : "en";
    if (this.state.theme) document.documentElement.dataset.theme = this.state.theme;
    else delete document.documentElement.dataset.theme;
    try {
      this.info ??= await this.source.info();
    } catch (error) {
      fill(this.root, this.head(null), h("main", {}, failure(this, error)));
      return;
    }
    const models = this.info.models;
    const model = models.find((one) => one.name === this.state.model) ?? models[0];
    if (model === undefined) {
      fill(this.root, this.head(null), h("main", {}, h("p", { class: "message" }, this.text.say("noModels"))));
      return;
    }
    this.state.model = model.name;
    const views = viewsOf(model);
    if (!views.includes(this.state.view)) this.state.view = views[0] ?? "words";
    document.title = [this.state.word, model.name, "brasa"].filter(Boolean).join(" · ");
    const drawn = drawers[this.state.view](this, model);
    this.leave = drawn.leave;
    const main = h("main", { class: this.state.view, id: "main" }, drawn.element);
    fill(this.root, this.head(model), main, this.foot(model));
    main.querySelector<HTMLElement>(".main")?.focus({ preventScroll: true });
  }

  private head(model: ModelInfo | null): HTMLElement {
    const say = this.text.say.bind(this.text);
    const models = this.info?.models ?? [];
    const choose = h(
      "select",
      {
        "aria-label": say("model"),
        onchange: (event: Event) => this.go({ model: (event.target as HTMLSelectElement).value }),
      },
      ...models.map((one) => h("option", { value: one.name, selected: one === model }, one.name)),
    );
    const tabs =
      model === null
        ? []
        : viewsOf(model).map((view) =>
            h(
              "button",
              {
                type: "button",
                "aria-current": view === this.state.view ? "page" : undefined,
                onclick: () => this.go({ view }),
              },
              say(view === "classify" ? "classify" : view),
            ),
          );
    const theme = h("button", { type: "button", class: "plain", title: `${say("theme")} (T)`, "aria-label": say("theme"), onclick: () => this.switchTheme() }, "◐");
    const other = this.text.language === "pt" ? "EN" : "PT";
    const language = h("button", { type: "button", class: "plain", title: `${say("language")} (L)`, "aria-label": say("language"), onclick: () => this.switchLanguage() }, other);
    const help = h("button", { type: "button", class: "plain", title: `${say("shortcuts")} (?)`, "aria-label": say("shortcuts"), onclick: () => this.help() }, "?");
    return h(
      "header",
      {},
      h("span", { class: "mark" }, h("span", { class: "ember", "aria-hidden": "true" }), "brasa"),
      h("nav", { "aria-label": "brasa" }, ...tabs),
      h(
        "span",
        { class: "tools" },
        models.length > 1 && choose,
        model !== null && models.length === 1 && h("span", { class: "model", title: model.name }, model.name),
        language,
        theme,
        help,
      ),
    );
  }

  private foot(model: ModelInfo): HTMLElement {
    const say = this.text.say.bind(this.text);
    const parts = [say("dims", { words: model.words, dim: model.vector_dim })];
    if (model.subwords) parts.push(say("withSubwords"));
    if (!this.source.isLive) parts.push(say("exported", { n: model.words }));
    return h("footer", {}, `${parts.join(" · ")} · brasa ${this.info?.version ?? ""}`);
  }

  private switchTheme(): void {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = this.state.theme || (dark ? "dark" : "light");
    this.note({ theme: now === "dark" ? "light" : "dark" });
    void this.render();
  }

  private switchLanguage(): void {
    this.note({ language: this.text.language === "pt" ? "en" : "pt" });
    void this.render();
  }

  private help(): void {
    const close = h("button", { type: "button", class: "main", onclick: () => dialog.close() }, this.text.say("close"));
    const dialog = h(
      "dialog",
      { "aria-label": this.text.say("shortcuts"), onclose: () => dialog.remove() },
      h("h2", {}, this.text.say("shortcuts")),
      h("p", {}, this.text.say("shortcutsList")),
      close,
    );
    document.body.append(dialog);
    dialog.showModal();
  }

  private key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const isTyping = ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && isTyping) target.blur();
    if (isTyping || document.querySelector("dialog[open]")) return;
    const model = this.info?.models.find((one) => one.name === this.state.model);
    const view = model && /^[1-9]$/.test(event.key) ? viewsOf(model)[Number(event.key) - 1] : undefined;
    const actions: Record<string, () => void> = {
      t: () => this.switchTheme(),
      l: () => this.switchLanguage(),
      "?": () => this.help(),
      "/": () => this.root.querySelector<HTMLElement>("main input, main textarea")?.focus(),
    };
    const action = view ? () => this.go({ view }) : actions[event.key.toLowerCase()];
    if (action === undefined) return;
    event.preventDefault(); // or the box that is drawn next gets the letter
    action();
  }
}

function viewsOf(model: ModelInfo): View[] {
  return model.kind === "classifier" ? ["classify"] : ["words", "analogies", "compare", "map"];
}
