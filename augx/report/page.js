"use strict";
(() => {
  const figures = [...document.querySelectorAll(".gallery figure")];
  const selects = [...document.querySelectorAll(".filters select")];
  const count = document.querySelector("#shown");
  const more = document.querySelector("#more");
  const AT_ONCE = 48;
  let most = AT_ONCE;
  const has = (figure, name, value) => !value || (figure.dataset[name] || "").split("\n").includes(value);
  const show = () => {
    const fitting = figures.filter((figure) => selects.every((select) => has(figure, select.name, select.value)));
    const shown = new Set(fitting.slice(0, most));
    for (const figure of figures) figure.hidden = !shown.has(figure);
    count.textContent = `${fitting.length} of ${figures.length} pictures`;
    more.hidden = fitting.length <= most;
    more.textContent = `show ${fitting.length - most} more`;
  };
  const anew = () => {
    most = AT_ONCE;
    show();
  };
  more.addEventListener("click", () => {
    most = figures.length;
    show();
  });
  for (const select of selects) select.addEventListener("change", anew);
  document.querySelector("#all").addEventListener("click", () => {
    for (const select of selects) select.value = "";
    anew();
  });
  for (const button of document.querySelectorAll("button[data-verdict]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      for (const select of selects) select.value = select.name === "verdicts" ? button.dataset.verdict : "";
      anew();
      document.querySelector("#gallery").scrollIntoView();
      selects[0].focus({ preventScroll: true });
    });
  }
  document.querySelector(".filters").hidden = false;
  show();
})();
