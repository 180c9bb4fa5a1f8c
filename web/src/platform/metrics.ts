// Curves of a job, out of the lines that it logs.

export interface Curve {
  name: string;
  points: [number, number][]; // part of the job that is done or number of the epoch; value
}

const PROGRESS = /Alpha: ([\d.]+)\s+Progress: ([\d.]+)%\s+Million Words\/sec: ([\d.]+)/;
const ACCURACY = /^Validation accuracy: ([\d.]+)/;

export function curvesOf(lines: readonly string[]): Curve[] {
  const speed: [number, number][] = [];
  const alpha: [number, number][] = [];
  const accuracy: [number, number][] = [];
  for (const line of lines) {
    const done = PROGRESS.exec(line);
    if (done) {
      alpha.push([Number(done[2]), Number(done[1])]);
      speed.push([Number(done[2]), Number(done[3])]);
    }
    const found = ACCURACY.exec(line);
    if (found) accuracy.push([accuracy.length + 1, Number(found[1])]);
  }
  return [
    { name: "million words/s", points: speed },
    { name: "learning rate", points: alpha },
    { name: "validation accuracy", points: accuracy },
  ].filter((curve) => curve.points.length > 1);
}

/** The points of an SVG polyline within width and height. */
export function polyline(points: readonly [number, number][], width: number, height: number): string {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const top = Math.max(...ys, 1e-9);
  return points
    .map(([x, y]) => `${(((x - left) / (right - left || 1)) * width).toFixed(1)},${(height - (y / top) * height).toFixed(1)}`)
    .join(" ");
}
