// Two comforts on top of pages that work without: finding a service while typing, and an order that moves by itself.
"use strict";

const find = document.querySelector("[data-find]");
if (find) {
  const picks = [...document.querySelectorAll("[data-key]")];
  const groups = [...document.querySelectorAll(".group:not([data-others])")];
  const homes = Object.fromEntries(groups.map((group) => group.querySelector(".picks")).map((box) => [box.dataset.kind, box]));
  const others = document.querySelector("[data-others]");
  const order = document.querySelector("[data-order]");
  const plain = (text) => text.normalize("NFKC").toLowerCase().replace(/\s/g, "");
  const ticked = (pick) => pick.querySelector("input").checked;
  picks.sort((one, other) => one.dataset.place - other.dataset.place);

  const count = () => {
    const chosen = picks.filter(ticked).length;
    const words = chosen === 0 ? "zero" : chosen === 1 ? "one" : "many";
    order.textContent = order.dataset[words].replace("{count}", chosen);
    order.form.elements.count.value = chosen;
    others.querySelector("[data-count]").textContent = [...others.querySelectorAll("[data-key]")].filter(ticked).length;
  };
  const filter = () => {
    const wanted = plain(find.value);
    for (const pick of picks) {
      const found = pick.dataset.key.includes(wanted);
      // What is chosen and not looked for stays to be seen, further below.
      (found || !ticked(pick) ? homes[pick.dataset.kind] : others.querySelector(".picks")).append(pick);
      pick.hidden = !found && !ticked(pick);
    }
    for (const group of groups) group.hidden = !group.querySelector("[data-key]:not([hidden])");
    others.hidden = !others.querySelector("[data-key]");
    document.querySelector("[data-none]").hidden = !wanted || picks.some((pick) => pick.dataset.key.includes(wanted));
    count();
  };
  find.addEventListener("input", filter);
  find.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  order.form.addEventListener("change", count);
  filter(); // also where a browser has put back the ticks of an earlier visit
}

const live = document.querySelector("[data-live]");
if (live) watch(live.dataset.live);

function watch(address) {
  const news = document.getElementById("news");
  const QUIET = 40000, AGAIN = 3000, PATIENCE = 6000; // ms: the server says something every 15 s
  let source, last = new Date(), silence, doubt;

  function tell(words) {
    const time = last.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    news.textContent = news.dataset[words].replace("{time}", time);
    news.hidden = false;
  }

  function heard() {
    last = new Date();
    news.hidden = true;
    clearTimeout(doubt);
    doubt = undefined;
    clearTimeout(silence);
    silence = setTimeout(lost, QUIET);
  }

  // A stream also breaks when its time is over, and comes back at once; only one that stays away is worth a word.
  function lost() {
    source.close();
    doubt ??= setTimeout(() => tell("lost"), Math.max(0, PATIENCE - (new Date() - last)));
    clearTimeout(silence);
    silence = setTimeout(begin, AGAIN);
  }

  async function begin() {
    const asking = new AbortController();
    try {
      const answer = await fetch(address, { headers: { Accept: "text/event-stream" }, signal: asking.signal });
      asking.abort();
      if (answer.status === 401) return ended();
      if (!answer.ok) return lost();
    } catch {
      return lost();
    }
    listen();
  }

  function ended() {
    clearTimeout(doubt);
    tell("ended");
    const link = document.createElement("a");
    link.href = `/renew/sign-in?to=${news.dataset.door}`;
    link.textContent = news.dataset.signIn;
    news.append(" ", link);
  }

  function listen() {
    source = new EventSource(address);
    source.addEventListener("rows", (event) => {
      heard();
      for (const [id, html] of Object.entries(JSON.parse(event.data))) {
        const part = document.getElementById(id);
        // The server has escaped what partners wrote. What has the reader's focus is left alone.
        if (part && part.innerHTML.trim() !== html.trim() && !part.contains(document.activeElement)) part.innerHTML = html;
      }
    });
    source.addEventListener("alive", heard);
    source.addEventListener("end", () => {
      source.close();
      clearTimeout(silence);
      clearTimeout(doubt);
      news.hidden = true;
      document.querySelector("[data-now]").remove(); // it stands as it stands
    });
    source.addEventListener("error", lost);
  }

  silence = setTimeout(lost, QUIET);
  listen();
}
