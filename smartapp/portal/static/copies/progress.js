/**
 * Says on the page how far a copy is. The browser saves the file by itself and leaves the page where it stands.
 *
 * The server counts; without this script the same sentence is there after a reload.
 */

const EVERY_MS = 2_000;
const BEGINNING = 60;

const box = document.getElementById("copying");
const text = box.querySelector("[aria-live]");
const bar = box.querySelector("progress");
let begun = Number(box.dataset.begun);
let waits = 0;
let following = false;

/** What the server says, or `null` when it says nothing (yet, or any more). */
async function ask() {
  try {
    const answer = await fetch(box.dataset.address, { cache: "no-store", redirect: "error", signal: AbortSignal.timeout(10_000) });
    return answer.status === 200 ? await answer.json() : null;
  } catch {
    return null;
  }
}

/** Only how it ended is read aloud: a number every other second would talk over everything else. */
function show(told) {
  text.setAttribute("aria-live", told.running ? "off" : "polite");
  if (text.textContent !== told.text) text.textContent = told.text;
  bar.hidden = told.percent === null;
  if (told.percent !== null) bar.value = told.percent;
  box.hidden = false;
}

/** Asks until the copy has ended; while a new one is not there yet, what is said of the one before is passed over. */
async function follow() {
  const told = await ask();
  const news = told !== null && told.begun !== begun;
  waits = news ? 0 : waits + 1;
  if (news) show(told);
  if (news && !told.running) begun = told.begun;
  following = news ? told.running : waits < BEGINNING;
  if (following) setTimeout(follow, EVERY_MS);
}

function start() {
  waits = 0;
  if (following) return;
  following = true;
  setTimeout(follow, EVERY_MS / 4);
}

box.querySelector("[data-reload]")?.remove();
if (box.dataset.running === "true") {
  begun = 0;
  start();
}
document.querySelector("form.copy").addEventListener("submit", start);
