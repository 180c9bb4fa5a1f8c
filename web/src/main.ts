import "./style.css";
import { App } from "./app";
import { EmbeddedSource, embedded } from "./embedded";
import { HttpSource } from "./http";

const data = embedded(document);
const root = document.getElementById("app");
if (root !== null) {
  void new App(root, data === null ? new HttpSource() : new EmbeddedSource(data)).start();
}
