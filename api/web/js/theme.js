"use strict";

// The colour scheme that was chosen here, or the system's. Runs before the first paint, so that
// nothing flashes; main.js joins the button to it.

globalThis.latentdbTheme = (() => {
  const KEY = "latentdb.theme";
  const CHOICES = ["system", "light", "dark"];

  function stored() {
    try {
      const found = localStorage.getItem(KEY);
      return CHOICES.includes(found) ? found : "system";
    } catch {
      // storage may be shut off
      return "system";
    }
  }

  function apply(choice) {
    if (choice === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    // The map and other canvases draw with the scheme's colours.
    dispatchEvent(new CustomEvent("themechange", { detail: choice }));
  }

  function choose(choice) {
    try {
      if (choice === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, choice);
    } catch {
      /* it holds for this page then */
    }
    apply(choice);
  }

  apply(stored());
  return {
    stored,
    choose,
    next: (choice) => CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length],
  };
})();
