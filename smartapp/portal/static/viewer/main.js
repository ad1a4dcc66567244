/** Starts the viewers of a page: one, or two to compare. Without this script the page's links lead to plain pages. */

import { Api } from "./api.js";
import { Cine } from "./cine.js";
import { bindControls, bindKeys } from "./controls.js";
import { Link } from "./link.js";
import { Panel } from "./panel.js";
import { bindPointers, bindWheel, DragMode } from "./pointers.js";
import { Viewer } from "./viewer.js";

/** One viewer. Its series are chosen from the links of the same side of the page. */
function start(root) {
  const config = JSON.parse(root.querySelector("[data-config]").textContent);
  const canvas = root.querySelector("canvas");
  const panel = new Panel(root, config.words);
  const viewer = new Viewer({ api: new Api(config, (seconds) => panel.pausing(seconds)), canvas, panel });
  const cine = new Cine(viewer, panel);
  bindControls(root, viewer, cine);
  bindKeys(canvas, viewer, cine);
  bindWheel(canvas, viewer);
  bindPointers(canvas, viewer, new DragMode(root.querySelectorAll("[data-mode]")));
  viewer.listen(({ by }) => by === "open" && panel.filming(false, 1000 / viewer.interval));
  root.hidden = false;
  const roomy = root.querySelector("[data-roomy]");
  if (roomy) roomy.open = matchMedia("(min-width: 60rem)").matches; // on a phone both pictures are to be seen at once
  root.parentElement.querySelector("[data-missing]")?.remove();
  chooseSeries(root.closest("[data-side]") ?? document, viewer, canvas);
  return viewer;
}

/** The list of series becomes the viewer's switch; the first one with pictures is opened. */
function chooseSeries(side, viewer, canvas) {
  const links = [...side.querySelectorAll("[data-series-link]")];
  const open = (link) => {
    for (const other of links) other.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    viewer.open({ uid: link.dataset.seriesLink, label: link.dataset.label });
  };
  for (const link of links) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open(link);
      canvas.focus();
    });
  }
  if (links.length > 0) open(links[0]);
}

const viewers = [...document.querySelectorAll("[data-viewer]")].map(start);
const link = document.querySelector("[data-link]");
if (link && viewers.length === 2) {
  link.hidden = false;
  new Link(viewers, link.querySelector("button"), link.querySelector("[data-note]"), JSON.parse(link.dataset.words));
}
