/** Starts the viewer on a study page. Without this script the page's links lead to plain pages of pictures. */

import { Api } from "./api.js";
import { bindControls, bindKeys } from "./controls.js";
import { Panel } from "./panel.js";
import { bindPointers, bindWheel, DragMode } from "./pointers.js";
import { Viewer } from "./viewer.js";

function start() {
  const root = document.querySelector("#viewer");
  const config = JSON.parse(document.querySelector("#viewer-config").textContent);
  const canvas = root.querySelector("#viewer-canvas");
  const panel = new Panel(root, config.words);
  const viewer = new Viewer({ api: new Api(config), canvas, panel });
  bindControls(root, viewer);
  bindKeys(canvas, viewer);
  bindWheel(canvas, viewer);
  bindPointers(canvas, viewer, new DragMode(root.querySelectorAll("[data-mode]")));
  root.hidden = false;
  chooseSeries(viewer, canvas);
}

/** The list of series becomes the viewer's switch; the first one with pictures is opened. */
function chooseSeries(viewer, canvas) {
  const links = [...document.querySelectorAll("[data-series-link]")];
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

start();
