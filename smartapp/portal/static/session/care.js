/**
 * Warns before the session ends, keeps it when somebody presses the button, and clears the page when it is over.
 *
 * The server decides: a page asks it before it warns and before it goes, since another tab may have been used. Asking
 * moves no limit; only the press does.
 */

import { clock, stage } from "./time.js";

const dialog = document.getElementById("session-care");
const told = dialog.dataset;
const channel = new BroadcastChannel("session-care");
const PATIENCE_MS = 5_000;

let endsAt = Date.now() + Number(told.seconds) * 1000;
let final = told.final === "true";
let asking = false;
let dismissed = false;
let gone = false;

/** Takes what the server said, here or in another tab. An end that moved away closes the warning. */
function learn(answer) {
  endsAt = answer.endsAt;
  final = answer.final;
  tick();
}

/** What is left, by the server; `null` when the session is over, `undefined` when the server cannot be asked. */
async function ask(url, options = {}) {
  try {
    const answer = await fetch(url, { cache: "no-store", redirect: "error", signal: AbortSignal.timeout(PATIENCE_MS), ...options });
    if (answer.status >= 500) return undefined;
    if (!answer.ok) return null;
    const said = await answer.json();
    return { endsAt: Date.now() + said.seconds * 1000, final: said.final };
  } catch {
    return undefined;
  }
}

/** Nothing of the record stays on the screen, nor in this page's memory of itself. Who signs out is on the way already. */
function leave() {
  if (gone) return;
  gone = true;
  document.body.replaceChildren();
  document.title = "";
  channel.postMessage("over");
  location.replace(told.over);
}

async function stay() {
  const answer = await ask(told.stay, { method: "POST", headers: { "X-CSRF-Token": told.csrf } });
  if (answer === null) return leave();
  if (answer === undefined) return undefined; // the button is still there, and so is the clock
  channel.postMessage(answer);
  return learn(answer);
}

/** Asks once before what the clock says is done. */
async function check() {
  if (asking) return;
  asking = true;
  const answer = await ask(told.left);
  asking = false;
  if (answer === null) return void leave();
  if (answer !== undefined) {
    endsAt = answer.endsAt;
    final = answer.final;
  }
  const now = stage(endsAt - Date.now(), Number(told.warn) * 1000);
  if (now === "over") leave();
  if (now === "warn") warn();
}

function warn() {
  for (const element of dialog.querySelectorAll("[data-when]")) {
    element.hidden = element.dataset.when !== (final ? "final" : "idle");
  }
  if (!dialog.open && !dismissed) dialog.showModal();
}

function tick() {
  if (gone) return;
  const left = endsAt - Date.now();
  for (const element of dialog.querySelectorAll(".clock")) element.textContent = clock(left);
  const now = stage(left, Number(told.warn) * 1000);
  if (now === "over" || (now === "warn" && !dialog.open && !dismissed)) check();
  if (now === "fine" && dialog.open) dialog.close();
}

dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  dialog.querySelector("[data-when]:not([hidden])[type=button]").click();
});
dialog.querySelector("button[data-when=idle]").addEventListener("click", stay);
dialog.querySelector("button[data-when=final]").addEventListener("click", () => {
  dismissed = true;
  dialog.close();
});
for (const form of document.querySelectorAll("[data-signs-out]")) {
  form.addEventListener("submit", () => {
    gone = true;
  });
}
channel.addEventListener("message", ({ data }) => (data === "over" ? check() : learn(data)));
channel.postMessage({ endsAt, final }); // this page was just asked for: the others' end has moved as well
document.addEventListener("visibilitychange", tick);
window.addEventListener("pageshow", tick);
setInterval(tick, 1000);
