// Shows what the form reaches while it is filled in. Without this script a button does the same.

const PAUSE = 350; // milliseconds without a change before it is asked

const form = document.querySelector("form[data-preview]");
const reach = document.getElementById("reach");
let waiting;
let asking;

function tick(name, value) {
  const box = form.querySelector(`input[name="${name}"][value="${value}"]`);
  if (box) box.checked = true;
}

function settle(field) {
  if (field.matches("[data-plain]") && field.checked) tick("studies", "chosen");
  if (field.name === "studies" && field.value === "all") {
    for (const box of form.querySelectorAll("[data-plain]")) box.checked = false;
  }
}

async function show() {
  asking?.abort();
  asking = new AbortController();
  reach.setAttribute("aria-busy", "true");
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.dataset.preview, { method: "POST", body, signal: asking.signal });
    if (answer.ok) reach.innerHTML = await answer.text();
    reach.removeAttribute("aria-busy");
  } catch (error) {
    if (error.name !== "AbortError") reach.removeAttribute("aria-busy");
  }
}

form.addEventListener("input", ({ target }) => {
  settle(target);
  clearTimeout(waiting);
  waiting = setTimeout(show, PAUSE);
});
for (const button of form.querySelectorAll("[data-day]")) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    form.elements.expires.value = button.dataset.day;
  });
}
for (const button of form.querySelectorAll("[data-shows]")) button.hidden = true;
