// Names of the points in view: the most frequent first, as many as do not overlap.

import type { App } from "./app";

const CHUNK = 1000;
const LOOKED_AT = 20_000; // of the most frequent words, per drawing: some 10 ms
const MOST = 90;

export class Labels {
  private readonly chunks = new Map<number, Promise<{ words: string[]; counts: number[] }>>();
  private readonly ready = new Map<number, { words: string[]; counts: number[] }>();
  private marked: number[] = [];
  private frame = 0;

  constructor(
    private readonly app: App,
    private readonly model: string,
    private readonly canvas: HTMLCanvasElement,
    private readonly n: number,
    private readonly place: (i: number) => [number, number] | undefined,
  ) {}

  async word(i: number): Promise<{ word: string; count: number }> {
    const { words, counts } = await this.chunk(Math.floor(i / CHUNK));
    return { word: words[i % CHUNK] ?? "", count: counts[i % CHUNK] ?? 0 };
  }

  mark(points: number[]): void {
    this.marked = points;
    this.draw();
  }

  draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.drawNow());
  }

  private drawNow(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ratio = devicePixelRatio;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const context = this.canvas.getContext("2d");
    if (context === null || width === 0) return;
    const style = getComputedStyle(this.canvas);
    context.scale(ratio, ratio);
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 3;
    const taken: [number, number, number, number][] = [];
    const missing = new Set<number>();
    let placed = 0;
    const put = (i: number, isMarked: boolean): void => {
      const [x, y] = this.place(i) ?? [-1, -1];
      if (x < 0 || y < 0 || x > width || y > height) return;
      const found = this.ready.get(Math.floor(i / CHUNK));
      if (found === undefined) {
        if (missing.size < 4) missing.add(Math.floor(i / CHUNK));
        return;
      }
      const word = (found.words[i % CHUNK] ?? "").slice(0, 30);
      context.font = `${isMarked ? "600 14px" : "12px"} ${style.fontFamily}`;
      const box: [number, number, number, number] = [x + 5, y - 8, x + 9 + context.measureText(word).width, y + 8];
      const overlaps = taken.some((one) => box[0] < one[2] && box[2] > one[0] && box[1] < one[3] && box[3] > one[1]);
      if (overlaps && !isMarked) return;
      taken.push(box);
      placed++;
      context.strokeStyle = style.getPropertyValue("--stage");
      context.fillStyle = style.getPropertyValue(isMarked ? "--ember-text" : "--text");
      context.strokeText(word, x + 6, y);
      context.fillText(word, x + 6, y);
    };
    for (const i of this.marked) put(i, true);
    const isFew = this.marked.length > 0;
    for (let i = 0; i < Math.min(this.n, LOOKED_AT) && placed < (isFew ? 40 : MOST); i++) {
      if (!this.marked.includes(i)) put(i, false);
    }
    for (const chunk of missing) void this.chunk(chunk).then(() => this.draw(), () => undefined);
  }

  private chunk(number: number): Promise<{ words: string[]; counts: number[] }> {
    let found = this.chunks.get(number);
    if (found === undefined) {
      const start = number * CHUNK;
      found = this.app.source.mapWords(this.model, start, Math.min(start + CHUNK, this.n));
      this.chunks.set(number, found);
      found.then((words) => this.ready.set(number, words), () => this.chunks.delete(number));
    }
    return found;
  }
}
