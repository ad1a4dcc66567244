/** The viewer: one series on the screen, which picture of it, through which window, how large and where. */

import { Frames } from "./frames.js";
import { fitScale } from "./geometry.js";
import { picturesOf } from "./metadata.js";
import { Screen } from "./screen.js";
import { CT_PRESETS, draggedWindow, fullWindow } from "./window.js";

const WHOLE = Object.freeze({ zoom: 1, x: 0, y: 0 });
const ZOOM = { least: 1, most: 16 };
const MEBIBYTE = 2 ** 20;
const ENDS = new Set(["signedOut", "otherRecord"]); // nothing of the record may stay on the screen then

export class Viewer {
  #api;
  #panel;
  #screen;
  #frames = null;
  #series = null;
  #pictures = [];
  #wanted = 0;
  #shown = -1;
  #window = null; // null: as each picture brings it along
  #preset = "own";
  #view = WHOLE;
  #listeners = [];

  /** `panel` says what is on the screen (panel.js); it never changes what is. */
  constructor({ api, canvas, panel }) {
    this.#api = api;
    this.#panel = panel;
    this.#screen = new Screen(canvas);
    new ResizeObserver(() => this.#draw()).observe(canvas);
  }

  /** How many pictures the open series has. */
  get count() {
    return this.#pictures.length;
  }

  /** Which picture was asked for last, from 0. */
  get index() {
    return this.#wanted;
  }

  /** The picture that was asked for last, as metadata.js describes it; undefined while no series is open. */
  get picture() {
    return this.#pictures[this.#wanted];
  }

  /** First and last index of what belongs together as a film: the frames of one object, else the whole series. */
  get clip() {
    if (!this.picture?.clip) return [0, this.count - 1];
    const same = (index) => this.#pictures[index]?.sop === this.picture.sop;
    let [start, end] = [this.#wanted, this.#wanted];
    while (same(start - 1)) start -= 1;
    while (same(end + 1)) end += 1;
    return [start, end];
  }

  /** How long this picture stays in a film, in milliseconds. */
  get interval() {
    return this.picture?.interval ?? 100;
  }

  /** Whether picture `index` is here; why it is not to be had. */
  has(index) {
    return this.#frames?.get(index) !== undefined;
  }

  failure(index) {
    return this.#frames?.failure(index);
  }

  /** The index of the picture that lies nearest to `place` (mm along the normal). */
  nearest(place) {
    const far = (index) => Math.abs(this.#pictures[index].place - place);
    return this.#pictures.reduce((best, _, index) => (far(index) < far(best) ? index : best), 0);
  }

  /** `listener({by})` is called when another picture is asked for, by `person`, `film`, `link`, or as a series opens. */
  listen(listener) {
    this.#listeners.push(listener);
  }

  /** Fetches the whole series from now on. */
  fetchAll() {
    this.#frames?.fetchAll();
  }

  /** Opens a series ({uid, …} from the page's list) at its middle picture. */
  async open(series) {
    this.#begin(series);
    try {
      const pictures = picturesOf(await this.#api.seriesMetadata(series.uid));
      if (this.#series !== series) return; // another one was opened meanwhile
      if (pictures.length === 0) {
        this.#panel.failed("unrenderable");
        return;
      }
      this.#pictures = pictures;
      this.#frames = this.#framesOf(series, pictures);
      this.#panel.opened(series, pictures);
      this.show(pictures[0].clip && pictures[0].place === null ? 0 : Math.floor((pictures.length - 1) / 2), "open");
    } catch (error) {
      if (this.#series === series) this.#failed(error.kind ?? "unavailable");
    }
  }

  #begin(series) {
    this.#frames?.close();
    this.#frames = null;
    this.#series = series;
    this.#pictures = [];
    this.#wanted = 0;
    this.#shown = -1;
    this.#window = null;
    this.#preset = "own";
    this.#view = WHOLE;
    this.#screen.clear();
    this.#panel.opening(series);
  }

  #framesOf(series, pictures) {
    const budget = ((globalThis.navigator.deviceMemory ?? 4) < 4 ? 96 : 192) * MEBIBYTE;
    const onChange = (index) => this.#arrived(index);
    return new Frames({ api: this.#api, series: series.uid, pictures, budget, onChange });
  }

  /** Tries again what failed: the picture, or the whole series when not even its list came. */
  retry() {
    if (!this.#frames) {
      if (this.#series) this.open(this.#series);
      return;
    }
    this.#frames.retry();
    this.show(this.#wanted);
  }

  /** Shows picture `index` as soon as it is here; indexes past either end mean that end. `by`: as for `listen`. */
  show(index, by = "person") {
    if (!this.#frames) return;
    this.#wanted = Math.min(this.count - 1, Math.max(0, index));
    this.#frames.lookAt(this.#wanted);
    this.#draw();
    for (const listener of this.#listeners) listener({ by });
  }

  /** Moves on by `steps` pictures. */
  step(steps) {
    this.show(this.#wanted + steps);
  }

  /** A named window for CT, or `own`: the one that the picture brings along. */
  preset(name) {
    if (name !== "own" && !this.#pictures[this.#wanted]?.windowPresets) return;
    this.#preset = name;
    this.#window = name === "own" ? null : CT_PRESETS[name];
    this.#draw();
  }

  /** Changes contrast and brightness as a drag by (dx, dy) pixels does. */
  dragWindow(dx, dy) {
    const picture = this.#pictures[this.#shown];
    if (!picture?.grey) return;
    this.#window = draggedWindow(this.#windowOf(this.#shown), dx, dy);
    this.#preset = null;
    this.#draw();
  }

  /** Enlarges by `factor`; the point (x, y), in CSS pixels from the middle of the canvas, stays where it is. */
  zoomBy(factor, x = 0, y = 0) {
    const zoom = Math.min(ZOOM.most, Math.max(ZOOM.least, this.#view.zoom * factor));
    const ratio = zoom / this.#view.zoom;
    this.#view = { zoom, x: x + (this.#view.x - x) * ratio, y: y + (this.#view.y - y) * ratio };
    this.panBy(0, 0);
  }

  /** Moves the picture, never so far that it leaves the screen. */
  panBy(dx, dy) {
    const { width, height } = this.#screen.size;
    const { zoom } = this.#view;
    const hold = (value, room) => Math.min(room, Math.max(-room, value)) || 0;
    const room = zoom === 1 ? 0 : zoom / 2;
    this.#view = { zoom, x: hold(this.#view.x + dx, width * room), y: hold(this.#view.y + dy, height * room) };
    this.#draw();
  }

  /** Back to the whole picture, with its own window. */
  reset() {
    this.#view = WHOLE;
    this.preset("own");
  }

  #arrived(index) {
    const failure = this.#frames.failure(index);
    if (ENDS.has(failure)) {
      this.#failed(failure);
      return;
    }
    this.#panel.progress(this.#frames.count, this.#frames.goal);
    if (index === this.#wanted) this.#draw();
  }

  #windowOf(index) {
    const picture = this.#pictures[index];
    if (!picture.grey) return null;
    if (this.#window) return this.#window;
    picture.window ??= fullWindow(this.#frames.get(index), picture.format);
    return picture.window;
  }

  /** Draws what was asked for if it is here; says so if it is still to come; shows nothing if it cannot be had. */
  #draw() {
    if (!this.#frames || this.count === 0) return;
    const index = this.#wanted;
    const pixels = this.#frames.get(index);
    if (!pixels) {
      this.#absent(index);
      return;
    }
    this.#shown = index;
    const picture = this.#pictures[index];
    const window = this.#windowOf(index);
    const key = `${picture.sop}/${picture.frame}`;
    this.#screen.draw({ key, picture, pixels, window, view: this.#view });
    const { zoom } = this.#view;
    const scale = this.#scale(picture);
    this.#panel.showing({ picture, index, count: this.count, window, preset: this.#preset, zoom, scale });
  }

  #absent(index) {
    const failure = this.#frames.failure(index);
    if (failure) this.#failed(failure, index);
    else this.#panel.waiting(index, this.count);
  }

  /** Nothing is shown. When the right to look has ended, nothing is kept either. */
  #failed(kind, index) {
    this.#shown = -1;
    this.#screen.clear();
    this.#panel.failed(kind, index, this.count);
    if (!ENDS.has(kind)) return;
    this.#frames?.close();
    this.#frames = null;
    // The page's own watch (session/care.js) asks the server, and clears everything if the session is over.
    const channel = new BroadcastChannel("session-care");
    channel.postMessage("over");
    channel.close();
  }

  /** CSS pixels per millimetre in the body, or null when the picture does not know. */
  #scale(picture) {
    if (!picture.spacing) return null;
    const { width, height } = this.#screen.size;
    return (fitScale(picture, width, height).x / picture.spacing[1]) * this.#view.zoom;
  }
}
