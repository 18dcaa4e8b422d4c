/* Takes along what a program would be told: each button copies the text beside it, or its own.
   The buttons stand in the page all the while; without this file, or where the browser lets no
   page copy, nobody sees them, and the text is there to be marked. */
"use strict";
(() => {
  if (!navigator.clipboard) return;
  const SAID_MS = 1500;
  const said = document.createElement("p");
  said.className = "hush";
  said.setAttribute("role", "status");
  document.body.append(said);
  document.documentElement.classList.add("copies");

  const textOf = (button) => button.dataset.copy ?? button.previousElementSibling.textContent;
  const say = (button, words) => {
    said.textContent = words;
    button.classList.add("done");
    setTimeout(() => {
      said.textContent = "";
      button.classList.remove("done");
    }, SAID_MS);
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(textOf(button));
      say(button, "Copied");
    } catch {
      said.textContent = "The browser did not let it be copied";
    }
  });
})();
