// Where answers come from: the server, or the data in an exported page. All shapes are the server's.

export interface ModelInfo {
  name: string;
  kind: "word_vectors" | "classifier";
  words: number;
  vector_dim: number;
  subwords: boolean;
  labels: string[];
  has_counts: boolean;
}

export interface Info {
  version: string;
  default: string | null;
  models: ModelInfo[];
}

export interface Found {
  word: string;
  cosine: number;
}

export interface Neighbors {
  word: string;
  known: boolean;
  neighbors: Found[];
}

export interface Subword {
  ngram: string;
  bucket: number | null;
  known: boolean;
  share: number;
}

export interface Completion {
  word: string;
  count: number;
  rank: number;
}

export interface Labels {
  label: string[];
  prob: number[];
}

export interface Feature {
  kind: "word" | "word_ngram" | "character_ngram";
  text: string;
  weight: number;
}

export interface Explanation {
  text: string;
  label: string;
  probability: number;
  features: Feature[];
}

export type Method = "pca" | "umap";

export interface MapState {
  method: Method;
  state: "ready" | "computing" | "failed";
  progress: number;
  points: number;
  clusters: number;
  error: string | null;
  version: string;
}

export interface MapPoints {
  xy: Float32Array; // x, y of each point, within [-1, 1]
  cluster: Uint8Array;
}

export interface MapWords {
  start: number;
  words: string[];
  counts: number[];
}

export interface Source {
  /** Whether it is a server, which can compute what a page cannot. */
  readonly isLive: boolean;
  info(): Promise<Info>;
  words(model: string, prefix: string, k: number): Promise<Completion[]>;
  neighbors(model: string, word: string, k: number): Promise<Neighbors>;
  subwords(model: string, word: string): Promise<Subword[]>;
  analogy(model: string, a: string, b: string, c: string, k: number): Promise<Found[]>;
  similarity(model: string, a: string, b: string): Promise<number>;
  labels(model: string, text: string, k: number): Promise<Labels>;
  explain(model: string, text: string, label: string, k: number): Promise<Explanation>;
  map(model: string, method: Method): Promise<MapState>;
  mapPoints(model: string, method: Method, state: MapState): Promise<MapPoints>;
  mapWords(model: string, start: number, stop: number): Promise<MapWords>;
}

/** An answer that says no; `type` is the server's `error_type`. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly type: string,
  ) {
    super(message);
  }
}
