// Starts OHIF for the study that a code stands for. The code is taken out of the address before anything else is done;
// the token lives in this module's memory and leaves it in Authorization headers only, to the address that came with it.
import { ohifConfig } from "./config.js";
import { Pass } from "./pass.js";

const told = JSON.parse(document.getElementById("told").textContent);
const code = new URLSearchParams(location.hash.slice(1)).get("code");
history.replaceState(null, "", "/open");

function show(id) {
  for (const each of ["opening", "closed"]) document.getElementById(each).hidden = each !== id;
}

function load(element) {
  return new Promise((resolve, reject) => {
    element.onload = resolve;
    element.onerror = reject;
    document.head.append(element);
  });
}

async function start() {
  const pass = new Pass(told.app);
  const study = await pass.redeem(code);
  // A new page, without memory of any study: pictures do not stay on a screen whose session has ended.
  pass.keep(() => location.replace("/open"));
  history.replaceState(null, "", `/viewer?${new URLSearchParams({ StudyInstanceUIDs: study })}`);
  window.PUBLIC_URL = "/";
  window.browserImportFunction = (name) => import(name);
  window.config = ohifConfig(pass);
  await load(Object.assign(document.createElement("link"), { rel: "stylesheet", href: told.style }));
  await load(Object.assign(document.createElement("script"), { src: told.script }));
  document.documentElement.dataset.ohif = "";
  show(null);
}

if (code === null) {
  show("closed");
} else {
  show("opening");
  start().catch(() => show("closed"));
}
