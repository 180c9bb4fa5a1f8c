// The map: all words as points, those in view named.

import createScatterplot from "regl-scatterplot";
import type { App, Drawn } from "./app";
import { fill, h } from "./dom";
import { failure, wordBox } from "./parts";
import { Labels } from "./map-labels";
import type { MapPoints, MapState, Method, ModelInfo } from "./source";
import type { Coloring } from "./state";

const POLL_MS = 700;
// Twelve hues that are told apart on both backgrounds, by people without red or green, too.
const CLUSTERS = [
  "#e4572e", "#3b8ea5", "#c9a227", "#7b6cc2", "#4f9d69", "#d16ba5", "#8a7f72", "#5579c6",
  "#b8582c", "#2f9c95", "#a7a539", "#a35bb0",
];
const FREQUENCY = ["#7d766f", "#a0694a", "#c85c33", "#ec5a24", "#ff8a3d", "#ffc26e"];

export function mapView(app: App, model: ModelInfo): Drawn {
  const say = app.text.say.bind(app.text);
  const canvas = h("canvas", { "aria-label": say("map"), tabindex: "0", role: "img" });
  const labels = h("canvas", { class: "names", "aria-hidden": "true" });
  const note = h("p", { class: "note", role: "status" });
  const tip = h("div", { class: "tip", hidden: true });
  const stage = h("div", { class: "stage" }, canvas, labels, tip, note);
  const selection = h("span", { class: "selection" });
  let end = () => undefined as void;
  let isGone = false;

  const search = wordBox(app, {
    value: app.state.word,
    label: say("search"),
    placeholder: say("search"),
    change: (word) => {
      app.note({ word });
      void show();
    },
  });
  let show: () => Promise<void> = async () => undefined;
  let paint: () => void = () => undefined;
  const choice = <T extends string>(name: string, values: [T, string][], now: T, pick: (value: T) => void) =>
    h(
      "fieldset",
      { class: "choice" },
      h("legend", {}, name),
      ...values.map(([value, text]) =>
        h(
          "label",
          {},
          h("input", { type: "radio", name, value, checked: value === now, onchange: () => pick(value) }),
          text,
        ),
      ),
    );
  const lasso = h("button", { type: "button", title: say("lassoHint"), "aria-pressed": "false" }, say("lasso"));
  const reset = h("button", { type: "button" }, say("reset"));
  const bar = h(
    "div",
    { class: "bar" },
    search,
    choice<Method>("", [["pca", "PCA"], ["umap", "UMAP"]], app.state.method, (method) =>
      app.go({ method, camera: [] }),
    ),
    choice<Coloring>(
      say("colorBy"),
      [["cluster", say("byCluster")], ...(model.has_counts ? [["frequency", say("byFrequency")] as [Coloring, string]] : [])],
      app.state.coloring,
      (coloring) => {
        app.note({ coloring });
        paint();
      },
    ),
    lasso,
    reset,
    selection,
  );

  if (!hasWebgl()) {
    return { element: h("p", { class: "message" }, say("noWebgl")) };
  }

  const wait = async (): Promise<void> => {
    const state = await app.source.map(model.name, app.state.method);
    if (isGone) return;
    if (state.state === "failed") {
      note.textContent = say("mapFailed", { error: state.error ?? "" });
      return;
    }
    if (state.state === "computing") {
      const percent = state.progress > 0 ? ` ${app.text.number(state.progress * 100)} %` : "";
      note.textContent = `${say("computing", { method: state.method.toUpperCase() })}${percent} ${say("computingHint")}`;
      setTimeout(() => void wait().catch(failed), POLL_MS);
      return;
    }
    note.textContent = "";
    const points = await app.source.mapPoints(model.name, app.state.method, state);
    if (!isGone) draw(state, points);
  };
  const failed = (error: unknown) => fill(note, failure(app, error));

  function draw(state: MapState, { xy, cluster }: MapPoints): void {
    const n = state.points;
    const plot = createScatterplot({
      canvas,
      width: "auto",
      height: "auto",
      pointSize: n > 50_000 ? 2 : n > 5_000 ? 4 : 6,
      pointSizeSelected: 4,
      opacity: n > 50_000 ? 0.35 : 0.75,
      lassoColor: [0.93, 0.35, 0.14, 1],
      lassoInitiator: false,
      backgroundColor: background(),
      pointColorActive: "#ff5a1f",
      pointColorHover: "#ff5a1f",
      pointOutlineWidth: 2,
    });
    const x = Float32Array.from({ length: n }, (_, i) => xy[2 * i] ?? 0);
    const y = Float32Array.from({ length: n }, (_, i) => xy[2 * i + 1] ?? 0);
    const category = Array.from(cluster, (c) => c % CLUSTERS.length);
    // Rank on a logarithmic scale: words are by descending count.
    const rarity = Float32Array.from({ length: n }, (_, i) => 1 - Math.log1p(i) / Math.log1p(Math.max(n - 1, 1)));
    const names = new Labels(app, model.name, labels, n, (i) => plot.getScreenPosition(i));
    let isLasso = false;

    paint = () => {
      const byCluster = app.state.coloring === "cluster";
      plot.set({ colorBy: byCluster ? "category" : "value", pointColor: byCluster ? CLUSTERS : FREQUENCY });
    };
    show = async () => {
      const word = app.state.word;
      if (!word) {
        plot.deselect({ preventEvent: true });
        return;
      }
      const own = (await app.source.words(model.name, word, 1)).find((item) => item.word === word);
      const found = await app.source.neighbors(model.name, word, 12);
      const ranks = await Promise.all(
        found.neighbors.map(async (item) =>
          (await app.source.words(model.name, item.word, 1)).find((one) => one.word === item.word)?.rank),
      );
      const near = ranks.filter((rank): rank is number => rank !== undefined && rank < n);
      const isOnMap = own !== undefined && own.rank < n;
      note.textContent = isOnMap ? "" : say("notOnMap", { word });
      const marked = isOnMap ? [own.rank, ...near] : near;
      if (marked.length === 0 || isGone) return;
      names.mark(marked);
      plot.select(marked, { preventEvent: true });
      await plot.zoomToPoints(marked, { padding: 0.6, transition: !reducedMotion(), transitionDuration: 600 });
    };
    const moved = () => {
      names.draw();
      const { view } = cameraOf(plot);
      app.note({ camera: view });
    };
    const selected = (ids: number[]) => {
      if (ids.length === 0) return clear();
      fill(
        selection,
        say("selected", { n: ids.length }),
        " ",
        h("button", { type: "button", onclick: () => void save(ids) }, say("exportCsv")),
        h("button", { type: "button", onclick: () => plot.deselect() }, say("clear")),
      );
    };
    const clear = () => {
      names.mark([]);
      fill(selection, say("points", { n }));
    };
    const save = async (ids: number[]) => {
      const rows = await Promise.all(
        ids.map(async (i) => {
          const { word, count } = await names.word(i);
          const field = /[",\n]/.test(word) ? `"${word.replaceAll('"', '""')}"` : word;
          return [field, count, x[i]?.toFixed(5), y[i]?.toFixed(5), cluster[i]].join(",");
        }),
      );
      const text = `word,count,x,y,cluster\n${rows.join("\n")}\n`;
      const link = h("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: `${model.name}.csv` });
      link.click();
      URL.revokeObjectURL(link.href);
    };
    plot.subscribe("view", moved);
    plot.subscribe("select", ({ points }) => {
      if (points.length === 1) {
        void names.word(points[0] ?? 0).then(({ word }) => app.go({ view: "words", word }));
      } else selected(points);
    });
    plot.subscribe("deselect", clear);
    plot.subscribe("pointOver", (i) => {
      const [left, top] = plot.getScreenPosition(i) ?? [0, 0];
      void names.word(i).then(({ word, count }) => {
        tip.hidden = false;
        tip.style.translate = `${left + 12}px ${top - 12}px`;
        fill(tip, h("b", {}, word), model.has_counts && ` ${app.text.number(count)}`);
      });
    });
    plot.subscribe("pointOut", () => (tip.hidden = true));
    lasso.onclick = () => {
      isLasso = !isLasso;
      lasso.setAttribute("aria-pressed", String(isLasso));
      plot.set({ mouseMode: isLasso ? "lasso" : "panZoom" });
    };
    reset.onclick = () => {
      app.note({ camera: [], word: "" });
      plot.deselect();
      void plot.reset();
      names.draw();
    };
    canvas.addEventListener("keydown", (event) => {
      const steps: Record<string, [number, number, number]> = {
        ArrowLeft: [-0.2, 0, 1], ArrowRight: [0.2, 0, 1], ArrowUp: [0, 0.2, 1], ArrowDown: [0, -0.2, 1],
        "+": [0, 0, 0.7], "=": [0, 0, 0.7], "-": [0, 0, 1.4],
      };
      const step = steps[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const [cx = 0, cy = 0, distance = 1] = cameraOf(plot).view;
      void plot.zoomToLocation([cx + step[0] * distance, cy + step[1] * distance], distance * step[2]);
    });
    const resized = new ResizeObserver(() => names.draw());
    resized.observe(stage);
    end = () => {
      resized.disconnect();
      plot.destroy();
    };
    paint();
    clear();
    const camera = app.state.camera;
    void plot.draw({ x, y, z: category, w: rarity }, { zDataType: "categorical", wDataType: "continuous" }).then(async () => {
      if (isGone) return;
      if (camera.length === 3) {
        await plot.zoomToLocation([camera[0] ?? 0, camera[1] ?? 0], camera[2] ?? 1);
      } else await show().catch(failed);
      names.draw();
    });
  }

  void wait().catch(failed);
  return {
    element: h("div", { class: "map-page" }, bar, stage),
    leave: () => {
      isGone = true;
      end();
    },
  };
}

type Plot = ReturnType<typeof createScatterplot>;

function cameraOf(plot: Plot): { view: number[] } {
  const [x = 0, y = 0] = plot.get("cameraTarget") as number[];
  return { view: [x, y, plot.get("cameraDistance") as number] };
}

function hasWebgl(): boolean {
  const context = document.createElement("canvas").getContext("webgl");
  return context !== null && context.getExtension("OES_texture_float") !== null;
}

function background(): string {
  return getComputedStyle(document.documentElement).getPropertyValue("--stage").trim() || "#ffffff";
}

function reducedMotion(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
