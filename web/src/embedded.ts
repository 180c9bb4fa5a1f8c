// Answers from the data of an exported page. `brasa.serving.export` writes what is described here.

import { Refusal } from "./source";
import type {
  Completion, Explanation, Info, Labels, MapPoints, MapState, MapWords, Method, ModelInfo, Neighbors,
  Source, Subword,
} from "./source";

/** Rows of bytes: row i is `bytes[i]` times `scales[i]`. Both are base64, numbers little-endian. */
export interface Rows {
  bytes: string; // int8
  scales: string; // float32
}

export interface Embedded {
  version: string;
  model: ModelInfo;
  words: string[]; // by descending count
  counts: number[];
  vectors: Rows;
  /** Rows of n-grams, for unseen words; null without subwords. */
  ngrams: (Rows & { min: number; max: number; buckets: number; ids: string }) | null; // ids: uint32, ascending
  maps: Partial<Record<Method, { xy: string; cluster: string; clusters: number }>>; // float32; uint8
}

export function embedded(page: Document): Embedded | null {
  const text = page.getElementById("brasa-data")?.textContent;
  return text ? (JSON.parse(text) as Embedded) : null;
}

export function bytesOf(base64: string): ArrayBuffer {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer;
}

class Matrix {
  private readonly bytes: Int8Array;
  private readonly scales: Float32Array;

  constructor(
    rows: Rows,
    readonly dim: number,
  ) {
    this.bytes = new Int8Array(bytesOf(rows.bytes));
    this.scales = new Float32Array(bytesOf(rows.scales));
  }

  get length(): number {
    return this.scales.length;
  }

  row(i: number): Float64Array {
    const scale = this.scales[i] ?? 0;
    return Float64Array.from(this.bytes.subarray(i * this.dim, (i + 1) * this.dim), (x) => x * scale);
  }
}

/** FNV-1a of a string's UTF-8 bytes, which fastText takes for signed ones. */
export function hash(text: string): number {
  let value = 2166136261;
  for (const byte of new TextEncoder().encode(text)) {
    value = Math.imul(value ^ ((byte << 24) >> 24), 16777619) >>> 0;
  }
  return value;
}

/** The n-grams of a word in fastText's order: by where they start, then by length. */
export function ngramsOf(word: string, min: number, max: number): string[] {
  const characters = [...`<${word}>`];
  const found: string[] = [];
  for (let start = 0; start < characters.length; start++) {
    for (let n = 1; n <= max && start + n <= characters.length; n++) {
      const isEnd = n === 1 && (start === 0 || start + n === characters.length);
      if (n >= min && !isEnd) found.push(characters.slice(start, start + n).join(""));
    }
  }
  return found;
}

export function cosine(a: Float64Array, b: Float64Array): number {
  let [product, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0];
    product += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa > 0 && bb > 0 ? product / Math.sqrt(aa * bb) : 0;
}

export class EmbeddedSource implements Source {
  readonly isLive = false;
  private readonly places: Map<string, number>;
  private readonly vectors: Matrix;
  private readonly ngrams: Matrix | null;
  private readonly buckets: Map<number, number>;

  constructor(private readonly data: Embedded) {
    const dim = data.model.vector_dim;
    this.places = new Map(data.words.map((word, i) => [word, i]));
    this.vectors = new Matrix(data.vectors, dim);
    this.ngrams = data.ngrams && new Matrix(data.ngrams, dim);
    const ids = data.ngrams ? new Uint32Array(bytesOf(data.ngrams.ids)) : [];
    this.buckets = new Map([...ids].map((id, i) => [id, i]));
  }

  async info(): Promise<Info> {
    const { version, model } = this.data;
    return { version, default: model.name, models: [model] };
  }

  async words(_: string, prefix: string, k: number): Promise<Completion[]> {
    const found: Completion[] = [];
    for (const [rank, word] of this.data.words.entries()) {
      if (word.startsWith(prefix)) found.push({ word, rank, count: this.data.counts[rank] ?? 0 });
      if (found.length === k) break;
    }
    return found;
  }

  async neighbors(_: string, word: string, k: number): Promise<Neighbors> {
    const known = this.places.has(word);
    return { word, known, neighbors: this.nearest(this.vector(word), k, new Set([word])) };
  }

  async subwords(_: string, word: string): Promise<Subword[]> {
    const ngrams = this.data.ngrams;
    if (ngrams === null || this.ngrams === null) return [];
    const parts = ngramsOf(word, ngrams.min, ngrams.max).map((ngram) => {
      const bucket = hash(ngram) % ngrams.buckets;
      return { ngram, bucket: bucket as number | null, place: this.buckets.get(bucket) };
    });
    const rows = parts.map(({ place }) => (place === undefined ? null : this.ngrams!.row(place)));
    const vector = this.vector(word);
    const total = vector.map((x) => x * (parts.length + (this.places.has(word) ? 1 : 0)));
    const squared = dot(total, total);
    const shares = rows.map((row) => (row === null || squared === 0 ? 0 : dot(row, total) / squared));
    const found = parts.map(({ ngram, bucket, place }, i) => ({
      ngram, bucket, known: place !== undefined, share: shares[i] ?? 0,
    }));
    if (!this.places.has(word)) return found;
    // The word's own row is what its n-grams leave of its vector.
    const own = 1 - shares.reduce((sum, share) => sum + share, 0);
    return [{ ngram: word, bucket: null, known: true, share: own }, ...found];
  }

  async analogy(_: string, a: string, b: string, c: string, k: number) {
    const [x, y, z] = [a, b, c].map((word) => unit(this.vector(word)));
    const target = y!.map((value, i) => value - (x![i] ?? 0) + (z![i] ?? 0));
    return this.nearest(target, k, new Set([a, b, c]));
  }

  async similarity(_: string, a: string, b: string): Promise<number> {
    return cosine(this.vector(a), this.vector(b));
  }

  async labels(): Promise<Labels> {
    throw new Refusal("an exported page has no classifier", 404, "wrong_kind_of_model");
  }

  async explain(): Promise<Explanation> {
    throw new Refusal("an exported page has no classifier", 404, "wrong_kind_of_model");
  }

  async map(_: string, method: Method): Promise<MapState> {
    const found = this.data.maps[method];
    const error = found ? null : `this page was exported without ${method.toUpperCase()}`;
    return {
      method,
      state: found ? "ready" : "failed",
      progress: 1,
      points: this.data.words.length,
      clusters: found?.clusters ?? 0,
      error,
      version: "",
    };
  }

  async mapPoints(_: string, method: Method): Promise<MapPoints> {
    const found = this.data.maps[method];
    return {
      xy: new Float32Array(bytesOf(found?.xy ?? "")),
      cluster: new Uint8Array(bytesOf(found?.cluster ?? "")),
    };
  }

  async mapWords(_: string, start: number, stop: number): Promise<MapWords> {
    return { start, words: this.data.words.slice(start, stop), counts: this.data.counts.slice(start, stop) };
  }

  private vector(word: string): Float64Array {
    const place = this.places.get(word);
    if (place !== undefined) return this.vectors.row(place);
    const ngrams = this.data.ngrams;
    if (ngrams === null || this.ngrams === null) {
      throw new Refusal(`'${word}' is not in the vocabulary`, 404, "unknown_word");
    }
    const sum = new Float64Array(this.data.model.vector_dim);
    const parts = ngramsOf(word, ngrams.min, ngrams.max);
    for (const ngram of parts) {
      const row = this.buckets.get(hash(ngram) % ngrams.buckets);
      if (row !== undefined) this.ngrams.row(row).forEach((x, i) => (sum[i] = (sum[i] ?? 0) + x / parts.length));
    }
    if (sum.every((x) => x === 0)) throw new Refusal("its vector is zero", 400, "invalid_request");
    return sum;
  }

  private nearest(target: Float64Array, k: number, without: Set<string>) {
    const scored = this.data.words.map((word, i) => ({ word, cosine: cosine(target, this.vectors.row(i)) }));
    return scored
      .filter((item) => !without.has(item.word))
      .sort((one, other) => other.cosine - one.cosine)
      .slice(0, k);
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
}

function unit(vector: Float64Array): Float64Array {
  const length = Math.sqrt(dot(vector, vector)) || 1;
  return vector.map((x) => x / length);
}
