/* What little the pages do beyond links and forms. Every page works without it. */
"use strict";
(() => {
  const search = () => document.querySelector("input[data-search]");

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const field = search();
    if (field) {
      event.preventDefault();
      field.focus();
      field.select();
    }
  });

  // Copies the text of the element that the button names; there is no button without a clipboard.
  if (navigator.clipboard) {
    for (const button of document.querySelectorAll("button[data-copy]")) {
      button.hidden = false;
      button.addEventListener("click", async () => {
        const source = document.getElementById(button.dataset.copy);
        await navigator.clipboard.writeText(source.textContent.trim());
        const said = button.textContent;
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = said; }, 1500);
      });
    }
  }

  // Rows of a long table by what is typed; the search without script is the browser's own.
  for (const field of document.querySelectorAll("input[data-filter]")) {
    field.closest(".filter").hidden = false;
    field.addEventListener("input", () => {
      const wanted = field.value.trim().toLowerCase();
      for (const row of document.querySelectorAll(field.dataset.filter)) {
        row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
      }
    });
  }
})();
