// Two comforts on top of pages that work without: finding a service while typing, and an order that moves by itself.
"use strict";

const find = document.querySelector("[data-find]");
if (find) {
  const picks = [...document.querySelectorAll("[data-key]")];
  const plain = (text) => text.normalize("NFKC").toLowerCase().replace(/\s/g, "");
  const filter = () => {
    const wanted = plain(find.value);
    for (const pick of picks) pick.hidden = !pick.dataset.key.includes(wanted);
    document.querySelector("[data-none]").hidden = picks.some((pick) => !pick.hidden);
    for (const group of document.querySelectorAll(".group")) group.hidden = !group.querySelector("[data-key]:not([hidden])");
  };
  find.addEventListener("input", filter);
  find.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
}

const live = document.querySelector("[data-live]");
if (live) {
  const source = new EventSource(live.dataset.live);
  source.addEventListener("rows", (event) => {
    for (const [id, html] of Object.entries(JSON.parse(event.data))) {
      const part = document.getElementById(id);
      // The server has escaped what partners wrote. What has the reader's focus is left alone.
      if (part && part.innerHTML.trim() !== html.trim() && !part.contains(document.activeElement)) part.innerHTML = html;
    }
  });
  source.addEventListener("end", () => source.close());
}
