// The token of this page: got for a code, renewed a minute before its end, and given up with the session.
const AHEAD = 60;
const AGAIN = 10;

export class Pass {
  #app;
  #token = null;
  #ends = 0;
  dicomweb = null;

  constructor(app) {
    this.#app = app;
  }

  /** Trades the code for a token; the UID of the study to open. Throws if the code does not count (any more). */
  async redeem(code) {
    const answer = await this.#ask("token", { "Content-Type": "application/json" }, JSON.stringify({ code }));
    if (!answer.ok) throw new Error("refused");
    return this.#take(await answer.json()).study;
  }

  /** Renews the token from now on; calls `ended` once, when that is no longer possible. */
  keep(ended) {
    const wait = Math.max(this.#ends - AHEAD - seconds(), 0);
    setTimeout(() => this.#renew(ended), wait * 1000);
  }

  /** The header for a request to our DICOMweb. */
  get header() {
    return { Authorization: `Bearer ${this.#token}` };
  }

  async #renew(ended) {
    const answer = await this.#ask("renew", this.header).catch(() => null);
    if (answer?.ok) {
      this.#take(await answer.json());
      this.keep(ended);
    } else if (answer?.status === 401 || seconds() > this.#ends) {
      ended();
    } else {
      setTimeout(() => this.#renew(ended), AGAIN * 1000); // a part of ours, or the network, is away for a moment
    }
  }

  #ask(what, headers, body) {
    const how = { method: "POST", headers, body, credentials: "omit", cache: "no-store", redirect: "error" };
    return fetch(`${this.#app}/ohif/${what}`, how);
  }

  #take(answer) {
    this.#token = answer.access_token;
    this.#ends = seconds() + answer.expires_in;
    this.dicomweb = answer.dicomweb;
    return answer;
  }
}

function seconds() {
  return performance.now() / 1000;
}
