/** Buttons, slider and keys. Everything that a drag does can be done by them as well (WCAG 2.2, 2.5.7). */

import { bindFullScreen } from "./fullscreen.js";

const NUDGE = 24;

const ACTIONS = {
  previous: (viewer) => viewer.step(-1),
  next: (viewer) => viewer.step(1),
  "zoom-in": (viewer) => viewer.zoomBy(1.25),
  "zoom-out": (viewer) => viewer.zoomBy(0.8),
  reset: (viewer) => viewer.reset(),
  retry: (viewer) => viewer.retry(),
  play: (_, cine) => cine.toggle(),
  brighter: (viewer) => viewer.dragWindow(0, -NUDGE),
  darker: (viewer) => viewer.dragWindow(0, NUDGE),
  "more-contrast": (viewer) => viewer.dragWindow(-NUDGE, 0),
  "less-contrast": (viewer) => viewer.dragWindow(NUDGE, 0),
  "move-left": (viewer) => viewer.panBy(-NUDGE, 0),
  "move-right": (viewer) => viewer.panBy(NUDGE, 0),
  "move-up": (viewer) => viewer.panBy(0, -NUDGE),
  "move-down": (viewer) => viewer.panBy(0, NUDGE),
};

const KEYS = {
  ArrowUp: ACTIONS.previous,
  ArrowLeft: ACTIONS.previous,
  ArrowDown: ACTIONS.next,
  ArrowRight: ACTIONS.next,
  PageUp: (viewer) => viewer.step(-10),
  PageDown: (viewer) => viewer.step(10),
  Home: (viewer) => viewer.show(0),
  End: (viewer) => viewer.show(viewer.count - 1),
  "+": ACTIONS["zoom-in"],
  "=": ACTIONS["zoom-in"],
  "-": ACTIONS["zoom-out"],
  0: ACTIONS.reset,
  1: (viewer) => viewer.preset("lung"),
  2: (viewer) => viewer.preset("bone"),
  3: (viewer) => viewer.preset("soft"),
  4: (viewer) => viewer.preset("brain"),
  5: (viewer) => viewer.preset("own"),
  " ": (_, cine) => cine.toggle(),
};

const SHIFTED = {
  ArrowUp: ACTIONS["move-up"],
  ArrowLeft: ACTIONS["move-left"],
  ArrowDown: ACTIONS["move-down"],
  ArrowRight: ACTIONS["move-right"],
};

/** The buttons, the slider and the speed of the viewer. */
export function bindControls(root, viewer, cine) {
  for (const button of root.querySelectorAll("[data-action]")) {
    button.addEventListener("click", () => ACTIONS[button.dataset.action](viewer, cine));
  }
  const speed = root.querySelector("[data-speed]");
  speed.addEventListener("change", () => {
    cine.speed = Number(speed.value);
  });
  bindFullScreen(root, root.querySelector("[data-full-screen]"));
  for (const button of root.querySelectorAll("[data-preset]")) {
    button.addEventListener("click", () => viewer.preset(button.dataset.preset));
  }
  const slider = root.querySelector('input[type="range"]');
  slider.addEventListener("input", () => viewer.show(Number(slider.value) - 1));
}

/** Keys, on the canvas alone: elsewhere single letters and arrows belong to the page (WCAG 2.2, 2.1.4). */
export function bindKeys(canvas, viewer, cine) {
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const act = (event.shiftKey && SHIFTED[event.key]) || KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act(viewer, cine);
  });
}
