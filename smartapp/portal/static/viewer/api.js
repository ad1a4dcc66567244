/**
 * Talks to our own server: the five-minute token of this page (kept in memory only), metadata and pictures.
 *
 * The token is asked for when a request needs it and never by a timer: looking at a picture that is already here
 * does not keep a forgotten session alive.
 */

/**
 * What went wrong, as a `kind` that has a sentence in the page's words: signedOut, unavailable, unrenderable, cut.
 * `seconds`: the server said that it will be back after so long (RFC 9110 §10.2.3), else null.
 */
export class ViewerError extends Error {
  constructor(kind, seconds = null) {
    super(kind);
    this.kind = kind;
    this.seconds = seconds;
  }
}

const KIND_BY_STATUS = { 401: "signedOut", 403: "signedOut", 404: "gone", 409: "otherRecord", 422: "unrenderable" };
const RENEW_BEFORE_MS = 20_000;
const TRIES = 6;
const LONGEST_WAIT = 120; // seconds; who is told to come back later than that is better told so by a person's click

export class Api {
  #token = null;
  #asking = null;
  #config;
  #onPause;
  #opens = 0;

  /** `config`: {tokenUrl, csrf, study}; all addresses are of this origin. `onPause(seconds)`: the server asked to wait. */
  constructor(config, onPause) {
    this.#config = config;
    this.#onPause = onPause;
  }

  /** The DICOM JSON of every instance of a series. */
  async seriesMetadata(series, signal) {
    const answer = await this.#get(`series/${series}/metadata`, "application/dicom+json", signal);
    return answer.json();
  }

  /** The raw little-endian pixels of one frame. Raises `cut` unless there are exactly as many bytes as the picture has. */
  async rawFrame(series, picture, signal) {
    const accept = "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1";
    const answer = await this.#get(framePath(series, picture), accept, signal);
    const bytes = await answer.arrayBuffer();
    const expected = picture.rows * picture.columns * (picture.format.bitsAllocated / 8);
    // PS3.5 §8.1.1: a value of odd length is padded by one byte.
    if (bytes.byteLength !== expected && bytes.byteLength !== expected + (expected % 2)) throw new ViewerError("cut");
    return bytes;
  }

  /** One frame as drawn by the server. A JPEG that does not decode to the picture's shape is refused, not shown. */
  async drawnFrame(series, picture, signal) {
    const answer = await this.#get(`${framePath(series, picture)}/rendered`, "image/jpeg", signal);
    try {
      return await createImageBitmap(await answer.blob());
    } catch {
      throw new ViewerError("cut");
    }
  }

  /** As `#once`, waiting as long as the server asks for, a few times. All requests wait together. */
  async #get(path, accept, signal) {
    for (let attempt = 1; ; attempt += 1) {
      await pause(this.#opens - performance.now(), signal);
      try {
        return await this.#once(path, accept, signal);
      } catch (error) {
        if (!error.seconds || attempt === TRIES) throw error;
        this.#opens = Math.max(this.#opens, performance.now() + error.seconds * 1000);
        this.#onPause((this.#opens - performance.now()) / 1000);
      }
    }
  }

  async #once(path, accept, signal) {
    const token = await this.#bearer();
    let answer = await this.#send(token, path, accept, signal);
    if (answer.status === 401) {
      if (this.#token === token) this.#token = null;
      answer = await this.#send(await this.#bearer(), path, accept, signal);
    }
    if (!answer.ok) throw refusal(answer);
    return answer;
  }

  async #send(token, path, accept, signal) {
    const address = `${token.dicomweb}/studies/${this.#config.study}/${path}`;
    const headers = { Accept: accept, Authorization: `Bearer ${token.value}` };
    return guarded(fetch(address, { headers, signal, credentials: "omit", redirect: "error", cache: "no-store" }));
  }

  async #bearer() {
    if (this.#token && this.#token.until - performance.now() > RENEW_BEFORE_MS) return this.#token;
    // Many frames may find the token old at once: one of them asks, all wait for it.
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #ask() {
    const headers = { Accept: "application/json", "X-CSRF-Token": this.#config.csrf };
    const answer = await guarded(
      fetch(this.#config.tokenUrl, { method: "POST", headers, credentials: "same-origin", redirect: "error" }),
    );
    if (!answer.ok) throw refusal(answer);
    const { token, expires_in: seconds, dicomweb } = await answer.json();
    this.#token = { value: token, until: performance.now() + seconds * 1000, dicomweb: sameOrigin(dicomweb) };
    return this.#token;
  }
}

function framePath(series, picture) {
  return `series/${series}/instances/${picture.sop}/frames/${picture.frame}`;
}

function refusal(answer) {
  const seconds = answer.status === 503 ? Number(answer.headers.get("Retry-After")) : 0;
  const worthIt = seconds > 0 && seconds <= LONGEST_WAIT;
  return new ViewerError(KIND_BY_STATUS[answer.status] ?? "unavailable", worthIt ? seconds : null);
}

/** Resolves after `milliseconds`, at once for none; rejects as `fetch` does when `signal`, if any, is aborted. */
function pause(milliseconds, signal) {
  if (!(milliseconds > 0)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** The token goes to the origin that gave the page and to no other. */
function sameOrigin(address) {
  const url = new URL(address, location.origin);
  if (url.origin !== location.origin) throw new ViewerError("unavailable");
  return url.href.replace(/\/$/, "");
}

async function guarded(request) {
  try {
    return await request;
  } catch (error) {
    throw error.name === "AbortError" ? error : new ViewerError("unavailable");
  }
}
