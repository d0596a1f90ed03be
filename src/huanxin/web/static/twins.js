/* The report carries both languages; this shows the reader's, or the one in the address (#en), which remembers a choice. */
(function () {
  "use strict";
  var twins = Array.prototype.slice.call(document.querySelectorAll("[data-twin]"));

  function show(tag) {
    var wanted = twins.find(function (twin) { return twin.lang === tag; });
    if (!wanted) { return; }
    twins.forEach(function (twin) { twin.hidden = twin !== wanted; });
    document.documentElement.lang = tag;
    document.title = wanted.dataset.title;
    document.dispatchEvent(new Event("huanxin:shown"));
  }

  document.addEventListener("click", function (event) {
    var link = event.target.closest("[data-show]");
    if (!link) { return; }
    event.preventDefault();
    history.replaceState(null, "", "#" + link.dataset.show);
    show(link.dataset.show);
    window.scrollTo(0, 0);
    document.querySelector("[data-twin]:not([hidden]) main").focus();
  });

  /* The first of the browser's languages that the report speaks; without one it stays as it was written. */
  function spoken() {
    var tags = twins.map(function (twin) { return twin.lang; });
    return Array.prototype.slice.call(navigator.languages || []).map(function (wanted) {
      return tags.find(function (tag) { return tag.slice(0, 2) === wanted.slice(0, 2); });
    }).find(Boolean);
  }
  show(location.hash.slice(1) || spoken());
})();
