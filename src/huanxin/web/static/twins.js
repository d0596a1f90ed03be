/* The report carries both languages; this shows one of them, and remembers it in the address (#en). */
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
  show(location.hash.slice(1));
})();
