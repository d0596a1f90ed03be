/* Whoever writes a reason sees before it is sent how pages will show it: phone numbers masked. The server masks by the numbering
   plans (domain/numbers.py); here only what nearly everybody types is recognised. Without this script the hint says the same. */
(function () {
  "use strict";
  var PHONE = /(?<!\d)(?:\+?86[\s-]?)?1[3-9]\d(?:[\s-]?\d){8}(?!\d)/g;

  function masked(text) {
    return text.replace(PHONE, function (found) {
      var digits = found.replace(/\D/g, "").slice(-11);
      return digits.slice(0, 3) + "****" + digits.slice(-4);
    });
  }

  document.querySelectorAll("[data-masked]").forEach(function (field) {
    var shown = document.createElement("p");
    shown.className = "hint";
    shown.setAttribute("aria-live", "polite");
    field.after(shown);
    function say() {
      var text = masked(field.value);
      shown.textContent = text === field.value ? "" : field.dataset.masked + text;
    }
    field.addEventListener("input", say);
    say();
  });
})();
