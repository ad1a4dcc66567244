/** The pictures of one series: fetched nearest first, a few at a time, kept within a bound of memory. */

import { ViewerError } from "./api.js";

const PARALLEL = 4; // browsers open six connections to a host; two stay free for what the person asks for next
const TRIES = 2;
const FIRST_REACH = 24; // pictures each way before anybody has scrolled: many look at one picture and read on
const SPARING_REACH = 4; // each way, always, for people who asked their browser to save data

export class Frames {
  #api;
  #series;
  #pictures;
  #budget;
  #kept = new Map();
  #running = new Map();
  #failed = new Map();
  #stop = new AbortController();
  #centre = null;
  #reach = sparing() ? SPARING_REACH : FIRST_REACH;
  #onChange;

  /** `budget` in bytes; `onChange(index)` is called when a picture has come or failed. */
  constructor({ api, series, pictures, budget, onChange }) {
    this.#api = api;
    this.#series = series;
    this.#pictures = pictures;
    this.#budget = budget;
    this.#onChange = onChange;
  }

  /** The picture's pixels, or undefined while they are not here. */
  get(index) {
    return this.#kept.get(index);
  }

  /** Why the picture could not be had, or undefined. */
  failure(index) {
    return this.#failed.get(index);
  }

  /** How many pictures are here. */
  get count() {
    return this.#kept.size;
  }

  /** How many pictures are here or about to be, as long as nobody scrolls. */
  get goal() {
    const before = Math.min(this.#reach, this.#centre);
    const after = Math.min(this.#reach, this.#pictures.length - 1 - this.#centre);
    return Math.max(this.count, Math.min(this.#room, before + 1 + after));
  }

  /** Looks at `index`: fetches it and then its neighbours; all of them once somebody scrolls. */
  lookAt(index) {
    if (this.#centre !== null && index !== this.#centre && !sparing()) this.#reach = this.#pictures.length;
    this.#centre = index;
    this.#fill();
  }

  /** Fetches all pictures from now on: somebody plays them as a film. */
  fetchAll() {
    this.#reach = this.#pictures.length;
    this.#fill();
  }

  /** Forgets that a picture failed and asks for it again. */
  retry() {
    this.#failed.clear();
    this.#fill();
  }

  /** Ends every request: another series is on the screen. */
  close() {
    this.#stop.abort();
    this.#kept.clear();
  }

  #fill() {
    if (this.#stop.signal.aborted) return;
    // What is being looked at does not queue behind its neighbours.
    if (this.#wanted(this.#centre) && !this.#running.has(this.#centre)) this.#fetch(this.#centre);
    for (const index of this.#nearest()) {
      if (this.#running.size >= PARALLEL) return;
      if (this.#wanted(index) && !this.#running.has(index)) this.#fetch(index);
    }
  }

  #wanted(index) {
    return !this.#kept.has(index) && !this.#failed.has(index);
  }

  /** How many pictures the budget holds, at least the one that is looked at. */
  get #room() {
    return Math.max(1, Math.floor(this.#budget / sizeOf(this.#pictures[this.#centre])));
  }

  /** Indexes by distance from the one looked at, within reach, as many as there is room for. */
  *#nearest() {
    let left = this.#room - 1;
    for (let step = 1; left > 0 && step <= this.#reach; step += 1) {
      for (const index of [this.#centre + step, this.#centre - step]) {
        if (index < 0 || index >= this.#pictures.length || left === 0) continue;
        left -= 1;
        yield index;
      }
    }
  }

  async #fetch(index) {
    this.#running.set(index, true);
    try {
      this.#keep(index, await this.#load(this.#pictures[index]));
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#failed.set(index, error.kind ?? "unavailable");
    } finally {
      this.#running.delete(index);
    }
    if (this.#stop.signal.aborted) return;
    this.#onChange(index);
    // A dead session or a hospital that is away fails all alike: no storm of requests that cannot succeed.
    if (!this.#failed.has(index)) this.#fill();
  }

  async #load(picture, attempt = 1) {
    const { signal } = this.#stop;
    try {
      if (!picture.grey) return await this.#api.drawnFrame(this.#series, picture, signal);
      const bytes = await this.#api.rawFrame(this.#series, picture, signal);
      const pixels = picture.rows * picture.columns;
      return picture.format.bitsAllocated === 8 ? new Uint8Array(bytes, 0, pixels) : new Uint16Array(bytes, 0, pixels);
    } catch (error) {
      if (error instanceof ViewerError && error.kind === "cut" && attempt < TRIES) return this.#load(picture, attempt + 1);
      throw error;
    }
  }

  #keep(index, pixels) {
    this.#kept.set(index, pixels);
    let size = [...this.#kept.keys()].reduce((sum, kept) => sum + sizeOf(this.#pictures[kept]), 0);
    const far = [...this.#kept.keys()].sort((a, b) => Math.abs(b - this.#centre) - Math.abs(a - this.#centre));
    for (const candidate of far) {
      if (size <= this.#budget || candidate === this.#centre) return;
      this.#kept.delete(candidate);
      size -= sizeOf(this.#pictures[candidate]);
    }
  }
}

function sparing() {
  return globalThis.navigator.connection?.saveData === true;
}

function sizeOf(picture) {
  const bytes = picture.grey ? picture.format.bitsAllocated / 8 : 4;
  return picture.rows * picture.columns * bytes;
}
