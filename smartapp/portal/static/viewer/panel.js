/** Says in words and attributes what the canvas shows: position, window, directions, scale, progress, trouble. */

import { edgeLetters, placeText, scaleBar } from "./geometry.js";

const REST_MS = 400; // a screen reader hears the position when scrolling rests, not two hundred times

export class Panel {
  #root;
  #canvas;
  #words;
  #resting = 0;
  #waitsUntil = 0;
  #counting = 0;

  /** `words` are the page's sentences, with {n}, {total}, {centre}, {width}, {length} to fill in. */
  constructor(root, words) {
    this.#root = root;
    this.#canvas = root.querySelector("canvas");
    this.#words = words;
  }

  /** A series was asked for; nothing of it is here yet. */
  opening(series) {
    this.#state("loading");
    this.#canvas.dataset.series = series.uid;
    delete this.#canvas.dataset.slice;
    delete this.#canvas.dataset.window;
    this.#text("[data-series-name]", series.label);
    for (const part of ["[data-position]", "[data-place]", "[data-window-text]"]) this.#text(part, "");
    this.#edges(null);
    this.#bar(null);
    this.#find("[data-film]").hidden = true;
    this.#busy();
    this.#progress(0, 0);
  }

  /** The series' list of pictures has come. */
  opened(series, pictures) {
    const slider = this.#find('input[type="range"]');
    slider.max = String(pictures.length);
    slider.disabled = pictures.length < 2;
    this.#find("[data-presets]").hidden = !pictures[0].windowPresets;
    this.#find("[data-window-tools]").hidden = !pictures[0].grey;
    this.#find("[data-film]").hidden = pictures.length < 2;
    this.#progress(0, pictures.length);
  }

  /** `picture` is on the screen, complete. */
  showing({ picture, index, count, window, preset, zoom, scale }) {
    this.#state("ready");
    this.#canvas.dataset.slice = String(index + 1);
    this.#canvas.dataset.zoom = zoom.toFixed(2);
    this.#position(index, count);
    this.#window(window);
    this.#pressed(preset);
    this.#text("[data-place]", placeText(picture));
    this.#edges(edgeLetters(picture));
    this.#bar(scaleBar(scale, this.#canvas.clientWidth / 4));
    this.#message("");
  }

  /** Picture `index` was asked for and is on its way; what is still on the screen is dimmed. */
  waiting(index, count) {
    this.#state("loading");
    this.#position(index, count);
    this.#busy();
  }

  /** The server asked to wait so many seconds; then the pictures are asked for again. */
  pausing(seconds) {
    this.#waitsUntil = performance.now() + seconds * 1000;
    if (this.#canvas.dataset.state === "loading") this.#busy();
  }

  /** A film plays, or stands; so many pictures a second. */
  filming(playing, rate) {
    this.#canvas.dataset.playing = String(playing);
    this.#text('[data-action="play"]', playing ? this.#words.pause : this.#words.play);
    this.#text("[data-rate]", fill(this.#words.rate, { rate: rate < 10 ? rate.toFixed(1) : Math.round(rate) }));
  }

  /** The picture cannot be had; the screen is empty. `kind` names the sentence. */
  failed(kind, index, count) {
    this.#state("error");
    delete this.#canvas.dataset.slice;
    this.#text("[data-place]", "");
    this.#edges(null);
    this.#bar(null);
    if (count && index !== undefined) this.#position(index, count);
    const signedOut = kind === "signedOut" || kind === "otherRecord";
    this.#message(this.#words.errors[kind] ?? this.#words.errors.unavailable, { signedOut, again: !signedOut });
  }

  /** `here` of the `count` pictures that are being fetched have come. */
  progress(here, count) {
    this.#progress(here, count);
  }

  #state(state) {
    this.#canvas.dataset.state = state;
    this.#root.dataset.state = state;
  }

  #position(index, count) {
    const text = fill(this.#words.position, { n: index + 1, total: count });
    this.#text("[data-position]", text);
    const slider = this.#find('input[type="range"]');
    slider.value = String(index + 1);
    slider.setAttribute("aria-valuetext", text);
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.#text("[data-live]", text), REST_MS);
  }

  #window(window) {
    if (!window) {
      delete this.#canvas.dataset.window;
      this.#text("[data-window-text]", "");
      return;
    }
    const [centre, width] = window.map((value) => Math.round(value * 10) / 10);
    this.#canvas.dataset.window = `${centre},${width}`;
    this.#text("[data-window-text]", fill(this.#words.window, { centre: Math.round(centre), width: Math.round(width) }));
  }

  #pressed(preset) {
    for (const button of this.#root.querySelectorAll("[data-preset]")) {
      button.setAttribute("aria-pressed", String(button.dataset.preset === preset));
    }
  }

  #edges(letters) {
    for (const side of ["left", "right", "top", "bottom"]) {
      this.#text(`[data-edge="${side}"]`, letters?.[side] ?? "");
    }
    this.#canvas.dataset.orientation = letters ? [letters.left, letters.right, letters.top, letters.bottom].join(",") : "";
  }

  #bar(bar) {
    const element = this.#find("[data-scale-bar]");
    element.hidden = !bar;
    if (!bar) return;
    element.style.width = `${bar.pixels}px`;
    const long = bar.millimetres >= 10;
    const length = long ? `${bar.millimetres / 10} cm` : `${bar.millimetres} mm`;
    this.#text("[data-scale-length]", length);
  }

  #progress(here, count) {
    const element = this.#find("progress");
    element.hidden = count < 2 || here >= count;
    element.max = Math.max(1, count);
    element.value = here;
  }

  /** Something is on its way, or will be asked for again: then the seconds are counted down. */
  #busy() {
    const left = () => Math.ceil((this.#waitsUntil - performance.now()) / 1000);
    clearInterval(this.#counting);
    if (left() <= 0) {
      this.#message(this.#words.loading, { busy: true });
      return;
    }
    const tick = () => {
      if (left() > 0) this.#text("[data-countdown]", fill(this.#words.countdown, { seconds: left() }));
      else this.#busy();
    };
    this.#message(this.#words.offline, { busy: true });
    this.#counting = setInterval(tick, 500);
    tick();
  }

  #message(text, { busy = false, again = false, signedOut = false } = {}) {
    if (text !== this.#words.offline) {
      clearInterval(this.#counting);
      this.#text("[data-countdown]", "");
    }
    const box = this.#find(".stage-message");
    box.hidden = text === "";
    box.dataset.busy = String(busy);
    this.#text(".stage-message [data-text]", text);
    this.#find('[data-action="retry"]').hidden = !again;
    this.#find("[data-sign-in]").hidden = !signedOut;
  }

  #find(selector) {
    return this.#root.querySelector(selector);
  }

  #text(selector, text) {
    const element = this.#find(selector);
    if (element.textContent !== text) element.textContent = text;
  }
}

/** `fill("Picture {n} of {total}", {n: 1, total: 2})`. */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
