/** Mouse, pen and fingers on the canvas. */

const NOTCH = 50; // wheels turn by 100 or more a notch; touch pads send many small turns that are added up
const LINE = 16;

/**
 * What dragging does: `scroll`, `window` or `pan`. A finger scrolls and a mouse windows until a button says otherwise.
 */
export class DragMode {
  #chosen = null;

  constructor(buttons) {
    this.buttons = buttons;
    for (const button of buttons) button.addEventListener("click", () => this.choose(button.dataset.mode));
    this.#press(matchMedia("(pointer: coarse)").matches ? "scroll" : "window");
  }

  choose(mode) {
    this.#chosen = mode;
    this.#press(mode);
  }

  of(pointerType) {
    return this.#chosen ?? (pointerType === "touch" ? "scroll" : "window");
  }

  #press(mode) {
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
  }
}

/** Wheel: pictures; with Ctrl (and a touch pad's pinch): size. */
export function bindWheel(canvas, viewer) {
  let turned = 0;
  const onWheel = (event) => {
    event.preventDefault();
    const delta = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * LINE * 3;
    if (event.ctrlKey || event.metaKey) {
      const { x, y } = fromMiddle(canvas, event);
      viewer.zoomBy(Math.exp(-delta / 400), x, y);
      return;
    }
    turned = Math.sign(delta) === Math.sign(turned) ? turned + delta : delta;
    if (Math.abs(turned) < NOTCH) return;
    viewer.step(Math.sign(turned));
    turned = 0;
  };
  canvas.addEventListener("wheel", onWheel, { passive: false });
}

/** Drag with one pointer, pinch with two. */
export function bindPointers(canvas, viewer, mode) {
  const down = new Map();
  let scrolled = 0;
  const moveOne = (event, dx, dy) => {
    const asked = event.shiftKey || event.buttons === 4 ? "pan" : mode.of(event.pointerType);
    if (asked === "pan") viewer.panBy(dx, dy);
    else if (asked === "window") viewer.dragWindow(dx, dy);
    else scrolled = scrollBy(canvas, viewer, scrolled + dy);
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, fromMiddle(canvas, event));
    scrolled = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    const now = fromMiddle(canvas, event);
    if (down.size === 1) moveOne(event, now.x - before.x, now.y - before.y);
    if (down.size === 2) pinch(viewer, [...down].find(([id]) => id !== event.pointerId)[1], before, now);
    down.set(event.pointerId, now);
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => down.delete(event.pointerId));
}

/** Turns a drag into steps: the whole height leafs through a long series, but no step is shorter than 4 pixels. */
function scrollBy(canvas, viewer, distance) {
  const step = Math.min(24, Math.max(4, canvas.clientHeight / Math.max(1, viewer.count)));
  const steps = Math.trunc(distance / step);
  if (steps !== 0) viewer.step(steps);
  return distance - steps * step;
}

function pinch(viewer, still, before, now) {
  const apart = (a, b) => Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
  const middle = { x: (still.x + now.x) / 2, y: (still.y + now.y) / 2 };
  viewer.panBy((now.x - before.x) / 2, (now.y - before.y) / 2);
  viewer.zoomBy(apart(still, now) / apart(still, before), middle.x, middle.y);
}

function fromMiddle(canvas, event) {
  const box = canvas.getBoundingClientRect();
  return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
}
