/** Two viewers side by side that scroll together: by place in the body where they share one, else by share of the way. */

import { comparable } from "./geometry.js";

export class Link {
  #viewers;
  #button;
  #note;
  #words;
  #on = true;
  #apart = { place: 0, share: 0 };

  /** `words`: {byPlace, byShare, off}, for `note`, which says how they are linked. */
  constructor(viewers, button, note, words) {
    this.#viewers = viewers;
    this.#button = button;
    this.#note = note;
    this.#words = words;
    for (const [at, viewer] of viewers.entries()) {
      viewer.listen(({ by }) => this.#moved(at, by));
    }
    button.addEventListener("click", () => this.#toggle());
  }

  /** Linked again after a person set one against the other, they keep that distance. */
  #toggle() {
    this.#on = !this.#on;
    this.#button.setAttribute("aria-pressed", String(this.#on));
    if (this.#on) this.#apart = { place: this.#difference("place"), share: this.#difference("share") };
    this.#tell();
  }

  #difference(what) {
    const [left, right] = this.#viewers.map((viewer) => (what === "share" ? shareOf(viewer) : viewer.picture?.place));
    return (right ?? 0) - (left ?? 0);
  }

  #moved(at, by) {
    if (by === "open") this.#apart = { place: 0, share: 0 };
    this.#tell();
    if (!this.#on || by === "link" || by === "open") return;
    const [from, to] = [this.#viewers[at], this.#viewers[1 - at]];
    const sign = at === 0 ? 1 : -1;
    if (to.count > 0) to.show(this.#target(from, to, sign), "link");
  }

  #target(from, to, sign) {
    if (!this.#byPlace()) {
      return Math.round((shareOf(from) + sign * this.#apart.share) * (to.count - 1));
    }
    return to.nearest(from.picture.place + sign * this.#apart.place);
  }

  #byPlace() {
    return comparable(this.#viewers[0].picture, this.#viewers[1].picture);
  }

  #tell() {
    const text = this.#on ? this.#words[this.#byPlace() ? "byPlace" : "byShare"] : this.#words.off;
    if (this.#note.textContent !== text) this.#note.textContent = text;
    this.#note.dataset.linked = this.#on ? (this.#byPlace() ? "place" : "share") : "";
  }
}

function shareOf(viewer) {
  return viewer.count > 1 ? viewer.index / (viewer.count - 1) : 0;
}
