/** Plays a film: the frames of one object, or the pictures of a series that has one picture an object. */

export class Cine {
  #viewer;
  #panel;
  #speed = 1;
  #frame = 0;
  #due = 0;

  constructor(viewer, panel) {
    this.#viewer = viewer;
    this.#panel = panel;
    // Whoever leafs, or opens another series, looks for themselves.
    viewer.listen(({ by }) => by !== "film" && by !== "link" && this.stop());
  }

  get playing() {
    return this.#frame !== 0;
  }

  toggle() {
    if (this.playing) this.stop();
    else this.#start();
  }

  /** 2 is twice as fast as the film was taken. */
  set speed(factor) {
    this.#speed = factor;
    this.#panel.filming(this.playing, this.#rate());
  }

  stop() {
    if (!this.playing) return;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#panel.filming(false, this.#rate());
  }

  #start() {
    if (this.#viewer.count < 2) return;
    this.#viewer.fetchAll();
    this.#due = performance.now() + this.#interval();
    this.#panel.filming(true, this.#rate());
    this.#frame = requestAnimationFrame((now) => this.#tick(now));
  }

  #tick(now) {
    this.#frame = requestAnimationFrame((later) => this.#tick(later));
    if (now < this.#due) return;
    const [start, end] = this.#viewer.clip;
    const next = this.#viewer.index >= end ? start : this.#viewer.index + 1;
    if (this.#viewer.failure(next)) {
      this.#viewer.show(next); // which says what is wrong, and stops the film
      return;
    }
    // A picture that has not come yet is waited for. Only the first one may have gone again, for want of room.
    if (!this.#viewer.has(next) && next !== start) return;
    this.#viewer.show(next, "film");
    this.#due = Math.max(this.#due + this.#interval(), now);
  }

  #interval() {
    return this.#viewer.interval / this.#speed;
  }

  #rate() {
    return 1000 / this.#interval();
  }
}
