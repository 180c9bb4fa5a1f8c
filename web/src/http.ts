// Answers of the server that the page came from.

import { Refusal } from "./source";
import type {
  Completion, Explanation, Found, Info, Labels, MapPoints, MapState, MapWords, Method, Neighbors,
  Source, Subword,
} from "./source";

const KEY = "brasa-key";
type Query = Record<string, string | number>;

export function rememberKey(key: string): void {
  sessionStorage.setItem(KEY, key);
}

export class HttpSource implements Source {
  readonly isLive = true;

  info = () => this.get<Info>("info", {});

  words = async (model: string, prefix: string, k: number) =>
    (await this.get<{ words: Completion[] }>("words", { model, prefix, k })).words;

  neighbors = (model: string, word: string, k: number) =>
    this.get<Neighbors>("neighbors", { model, word, k });

  subwords = async (model: string, word: string) =>
    (await this.get<{ subwords: Subword[] }>("subwords", { model, word })).subwords;

  analogy = async (model: string, a: string, b: string, c: string, k: number) =>
    (await this.get<{ answers: Found[] }>("analogy", { model, a, b, c, k })).answers;

  similarity = async (model: string, a: string, b: string) =>
    (await this.get<{ cosine: number }>("similarity", { model, a, b })).cosine;

  labels = async (model: string, text: string, k: number) => {
    const body = { instances: [text], configuration: { k } };
    const found = await this.post<Labels[]>(`invocations?${new URLSearchParams({ model })}`, body);
    return found[0] ?? { label: [], prob: [] };
  };

  explain = (model: string, text: string, label: string, k: number) =>
    this.post<Explanation>("explain", { model, text, label, k });

  map = (model: string, method: Method) => this.get<MapState>("map", { model, method });

  mapPoints = async (model: string, method: Method, state: MapState): Promise<MapPoints> => {
    const query = { model, method, version: state.version };
    const buffer = await (await this.fetch("map/points", query)).arrayBuffer();
    const floats = 8 * state.points;
    return {
      xy: new Float32Array(buffer.slice(0, floats)),
      cluster: new Uint8Array(buffer.slice(floats)),
    };
  };

  mapWords = (model: string, start: number, stop: number) =>
    this.get<MapWords>("map/words", { model, start, stop });

  private async get<T>(path: string, query: Query): Promise<T> {
    return (await this.fetch(path, query)).json() as Promise<T>;
  }

  private async post<T>(path: string, body: unknown): Promise<T> {
    const headers = { "content-type": "application/json" };
    const answer = await this.fetch(path, {}, { method: "POST", headers, body: JSON.stringify(body) });
    return answer.json() as Promise<T>;
  }

  private async fetch(path: string, query: Query, options: RequestInit = {}): Promise<Response> {
    const search = new URLSearchParams(Object.entries(query).map(([k, v]) => [k, String(v)]));
    const headers = new Headers(options.headers);
    const key = sessionStorage.getItem(KEY);
    if (key !== null) headers.set("authorization", `Bearer ${key}`);
    let answer: Response;
    try {
      answer = await fetch(search.size ? `./${path}?${search}` : `./${path}`, { ...options, headers });
    } catch {
      throw new Refusal("", 0, "unreachable");
    }
    if (answer.ok) return answer;
    const said = (await answer.json().catch(() => null)) as Record<string, string> | null;
    throw new Refusal(said?.error ?? answer.statusText, answer.status, said?.error_type ?? "error");
  }
}
