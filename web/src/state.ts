// What the page shows, as its address has it: a link brings the same view back.

import type { Method } from "./source";

export type View = "words" | "analogies" | "compare" | "map" | "classify";
export type Coloring = "cluster" | "frequency";

export interface State {
  model: string;
  view: View;
  word: string;
  a: string;
  b: string;
  c: string;
  text: string;
  method: Method;
  coloring: Coloring;
  camera: number[]; // x, y, zoom of the map
  language: string; // "" is the browser's
  theme: string; // "" is the system's
}

export const initial: State = {
  model: "", view: "words", word: "", a: "", b: "", c: "", text: "", method: "pca",
  coloring: "cluster", camera: [], language: "", theme: "",
};

const views: readonly string[] = ["words", "analogies", "compare", "map", "classify"];

export function encode(state: State): string {
  const pairs: [string, string][] = [];
  for (const [name, value] of Object.entries(state)) {
    const text = Array.isArray(value) ? value.map((x: number) => +x.toFixed(4)).join("_") : String(value);
    if (text !== String(initial[name as keyof State])) pairs.push([name, text]);
  }
  return new URLSearchParams(pairs).toString();
}

/** Anything that an address holds is a state: what is not understood is left out. */
export function decode(hash: string): State {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const text = (name: keyof State) => given.get(name)?.slice(0, 2000) ?? (initial[name] as string);
  const camera = text("camera").toString().split("_").map(Number);
  const view = text("view");
  return {
    model: text("model"),
    view: (views.includes(view) ? view : "words") as View,
    word: text("word"),
    a: text("a"),
    b: text("b"),
    c: text("c"),
    text: text("text"),
    method: given.get("method") === "umap" ? "umap" : "pca",
    coloring: given.get("coloring") === "frequency" ? "frequency" : "cluster",
    camera: camera.length === 3 && camera.every((x) => Number.isFinite(x)) ? camera : [],
    language: ["en", "pt"].includes(text("language")) ? text("language") : "",
    theme: ["light", "dark"].includes(text("theme")) ? text("theme") : "",
  };
}
