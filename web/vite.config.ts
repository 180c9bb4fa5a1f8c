// Two builds of one source: the page that the server has, in files with stable names, and the
// template of an exported page, one file with a place for its data.
import { defineConfig } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

const output = "../src/brasa/serving/static";

export default defineConfig(({ mode }) => ({
  base: "./",
  plugins: mode === "export" ? [viteSingleFile({ removeViteModuleLoader: true })] : [],
  server: { proxy: proxied("http://127.0.0.1:8080") },
  build: {
    outDir: mode === "export" ? "build-export" : output,
    emptyOutDir: true,
    modulePreload: false,
    chunkSizeWarningLimit: 1000,
    rollupOptions: {
      input: mode === "export" ? "export.html" : "index.html",
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
