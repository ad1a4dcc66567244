/** Draws one picture on the visible canvas: sharp on dense screens, smooth between pixels, black around. */

import { fitScale } from "./geometry.js";
import { greyTable, paintGrey } from "./window.js";

export class Screen {
  #canvas;
  #picture = document.createElement("canvas");
  #painted = "";
  #table = { key: "", values: null };

  constructor(canvas) {
    this.#canvas = canvas;
  }

  /** The drawing area in CSS pixels. */
  get size() {
    return { width: this.#canvas.clientWidth, height: this.#canvas.clientHeight };
  }

  /** Nothing is on the screen: better than a picture that is not the one asked for. */
  clear() {
    this.#fitToScreen();
    const context = this.#canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  /**
   * Draws `pixels` (raw samples, or an ImageBitmap of a picture that the server drew) through `window`.
   * `key` names the picture; `view` is {zoom, x, y} with the shift in CSS pixels.
   */
  draw({ key, picture, pixels, window, view }) {
    const source = picture.grey ? this.#paint(key, picture, pixels, window) : pixels;
    this.clear();
    const { width, height } = this.size;
    const fit = fitScale(picture, width, height);
    const wide = picture.columns * fit.x * view.zoom;
    const high = picture.rows * fit.y * view.zoom;
    const context = this.#canvas.getContext("2d");
    const density = this.#canvas.width / Math.max(1, width);
    context.setTransform(density, 0, 0, density, 0, 0);
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(source, (width - wide) / 2 + view.x, (height - high) / 2 + view.y, wide, high);
  }

  #fitToScreen() {
    const { width, height } = this.size;
    const density = globalThis.devicePixelRatio || 1;
    const [wide, high] = [Math.round(width * density), Math.round(height * density)];
    if (this.#canvas.width !== wide) this.#canvas.width = wide;
    if (this.#canvas.height !== high) this.#canvas.height = high;
  }

  #paint(key, picture, pixels, window) {
    const tableKey = JSON.stringify([picture.format, window]);
    const painted = `${key} ${tableKey}`;
    if (painted === this.#painted) return this.#picture;
    if (tableKey !== this.#table.key) this.#table = { key: tableKey, values: greyTable(picture.format, window) };
    this.#picture.width = picture.columns;
    this.#picture.height = picture.rows;
    const context = this.#picture.getContext("2d");
    const image = context.createImageData(picture.columns, picture.rows);
    paintGrey(pixels, this.#table.values, new Uint32Array(image.data.buffer));
    context.putImageData(image, 0, 0);
    this.#painted = painted;
    return this.#picture;
  }
}
