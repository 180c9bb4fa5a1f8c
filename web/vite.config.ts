// Three builds: the page that the server has, in files with stable names; the template of an exported
// page, one file with a place for its data; and the platform's page, one file too.
import { defineConfig } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

const output = "../src/brasa/serving/static";

const single: Record<string, string> = { export: "export.html", platform: "platform.html" };

export default defineConfig(({ mode }) => ({
  base: "./",
  plugins: mode in single ? [viteSingleFile({ removeViteModuleLoader: true })] : [],
  server: { proxy: proxied("http://127.0.0.1:8080") },
  build: {
    outDir: mode in single ? `build-${mode}` : output,
    emptyOutDir: true,
    modulePreload: false,
    chunkSizeWarningLimit: 1000,
    rollupOptions: {
      input: single[mode] ?? "index.html",
      output: {
        entryFileNames: "explorer.js",
        chunkFileNames: "[name].js",
        assetFileNames: "[name][extname]",
      },
    },
  },
}));

function proxied(server: string) {
  const paths = ["info", "words", "neighbors", "analogy", "similarity", "subwords", "map"];
  return Object.fromEntries([...paths, "explain", "invocations"].map((path) => [`/${path}`, server]));
}
