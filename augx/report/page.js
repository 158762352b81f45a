"use strict";
(() => {
  const figures = [...document.querySelectorAll(".gallery figure")];
  const selects = [...document.querySelectorAll(".filters select")];
  const count = document.querySelector("#shown");
  const has = (figure, name, value) => !value || (figure.dataset[name] || "").split("\n").includes(value);
  const show = () => {
    let shown = 0;
    for (const figure of figures) {
      figure.hidden = !selects.every((select) => has(figure, select.name, select.value));
      shown += figure.hidden ? 0 : 1;
    }
    count.textContent = `${shown} of ${figures.length} pictures`;
  };
  for (const select of selects) select.addEventListener("change", show);
  document.querySelector("#all").addEventListener("click", () => {
    for (const select of selects) select.value = "";
    show();
  });
  for (const button of document.querySelectorAll("button[data-verdict]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      for (const select of selects) select.value = select.name === "verdicts" ? button.dataset.verdict : "";
      show();
      document.querySelector("#gallery").scrollIntoView();
      selects[0].focus({ preventScroll: true });
    });
  }
  document.querySelector(".filters").hidden = false;
  show();
})();
