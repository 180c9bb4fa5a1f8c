import { expect, test } from "vitest";
import { EmbeddedSource, hash, ngramsOf } from "../src/embedded";
import type { Embedded } from "../src/embedded";
import { Text, preferred } from "../src/i18n";
import { decode, encode, initial } from "../src/state";
import { weightOf } from "../src/classify";

test("n-grams are fastText's", () => {
  expect(ngramsOf("où", 2, 3)).toEqual(["<o", "<où", "où", "où>", "ù>"]);
  expect(ngramsOf("ab", 1, 2)).toEqual(["<a", "a", "ab", "b", "b>"]);
});

test("hashes are FNV-1a of bytes taken as signed, as fastText's", () => {
  expect(hash("")).toBe(2166136261);
  expect(hash("a")).toBe(0xe40c292c);
  expect(hash("foobar")).toBe(0xbf9cf968);
  // From the definition, with the byte's sign carried into the upper bits.
  expect(hash("\u00e9")).toBe(Number(BigInt.asUintN(32, signed([0xc3, 0xa9]))));
});

function signed(bytes: number[]): bigint {
  let value = 2166136261n;
  for (const byte of bytes) {
    value = BigInt.asUintN(32, value ^ BigInt.asUintN(32, BigInt.asIntN(8, BigInt(byte))));
    value = BigInt.asUintN(32, value * 16777619n);
  }
  return value;
}

function base64(array: ArrayBufferView): string {
  return btoa(String.fromCharCode(...new Uint8Array(array.buffer)));
}

const rows = (values: number[], n: number) => ({
  bytes: base64(Int8Array.from(values)),
  scales: base64(new Float32Array(n).fill(0.5)),
});
const id = hash("<zu") % 100;
const data: Embedded = {
  version: "1",
  model: {
    name: "m", kind: "word_vectors", words: 3, vector_dim: 2, subwords: true, labels: [], has_counts: true,
  },
  words: ["east", "north", "northeast"],
  counts: [9, 8, 7],
  vectors: rows([100, 0, 0, 100, 70, 70], 3),
  ngrams: { ...rows([0, 50], 1), ids: base64(Uint32Array.of(id)), min: 3, max: 3, buckets: 100 },
  maps: {},
};

test("an exported page answers as the server does", async () => {
  const source = new EmbeddedSource(data);
  const { known, neighbors } = await source.neighbors("m", "east", 2);
  expect(known).toBe(true);
  expect(neighbors.map((item) => item.word)).toEqual(["northeast", "north"]);
  expect(neighbors[0]?.cosine).toBeCloseTo(Math.SQRT1_2);
  expect(await source.similarity("m", "east", "north")).toBeCloseTo(0);
  expect((await source.words("m", "north", 5)).map((item) => item.rank)).toEqual([1, 2]);
  const [first] = await source.analogy("m", "east", "northeast", "north", 1);
  expect(first?.word).toBeUndefined(); // none is left
});

test("an unseen word is made of the n-grams that are kept", async () => {
  const source = new EmbeddedSource(data);
  const { known, neighbors } = await source.neighbors("m", "zu", 1);
  expect(known).toBe(false);
  expect(neighbors[0]?.word).toBe("north");
  const parts = await source.subwords("m", "zu");
  expect(parts.find((part) => part.ngram === "<zu")).toMatchObject({ known: true, bucket: id });
  expect(parts.reduce((sum, part) => sum + part.share, 0)).toBeCloseTo(1);
  await expect(new EmbeddedSource({ ...data, ngrams: null }).neighbors("m", "zu", 1)).rejects.toThrow("vocabulary");
});

test("an address keeps the view", () => {
  const state = { ...initial, word: "a&b=#", camera: [0.1, -2, 3], view: "map" as const, method: "umap" as const };
  expect(decode(`#${encode(state)}`)).toEqual(state);
  expect(encode(initial)).toBe("");
});

test("any address is a view", () => {
  for (const hash of ["#view=x&camera=1_2&method=3&theme=%", "#%00", "#camera=NaN_1_2", "#a=b=c"]) {
    expect(decode(hash).view).toBe("words");
    expect(decode(hash).camera).toEqual([]);
  }
});

test("numbers and words are of the language", () => {
  expect(preferred(["pt-BR", "en"])).toBe("pt");
  expect(preferred([])).toBe("en");
  expect(new Text("pt").number(1234.5, 1)).toBe("1.234,5");
  expect(new Text("en").say("points", { n: 1234 })).toBe("1,234 words");
});

test("runs of words share their weight", () => {
  const features = [
    { kind: "word" as const, text: "great", weight: 2 },
    { kind: "word_ngram" as const, text: "a great", weight: 1 },
    { kind: "character_ngram" as const, text: "<gre", weight: -0.5 },
  ];
  expect(weightOf("great", features)).toBe(2);
  expect(weightOf("a", features)).toBe(0.5);
});
