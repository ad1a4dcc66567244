/** The whole screen for the pictures; where a browser cannot give it (iPhones), the whole window. */

export function bindFullScreen(root, button) {
  const filled = () => document.fullscreenElement === root || root.hasAttribute("data-filled");
  const tell = () => button.setAttribute("aria-pressed", String(filled()));
  const leave = () => {
    root.removeAttribute("data-filled");
    if (document.fullscreenElement === root) document.exitFullscreen();
    tell();
  };
  const enter = async () => {
    try {
      await root.requestFullscreen();
    } catch {
      root.setAttribute("data-filled", "");
    }
    tell();
  };
  const toggle = () => (filled() ? leave() : enter());
  button.addEventListener("click", toggle);
  document.addEventListener("fullscreenchange", tell);
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && root.hasAttribute("data-filled")) leave();
    const typed = event.target.matches("input, select");
    if (event.key === "f" && !typed && !event.ctrlKey && !event.metaKey && !event.altKey) toggle();
  });
}
