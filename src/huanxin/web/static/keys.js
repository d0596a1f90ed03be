/* Shortcuts of the console, for people who keep their hands on the keyboard; every page does without them.
   They rest while somebody types, with Ctrl, Alt or Meta, and for good where they were turned off (WCAG 2.1.4). */
(function () {
  "use strict";
  var STORED = "huanxin-shortcuts";
  var PATIENCE = 1500; // ms from g to the letter of a room
  var TYPED = "input:not([type=checkbox]):not([type=radio]):not([type=file]), textarea, select, [contenteditable]";
  var box = document.querySelector("dialog.shortcuts");
  var going = 0;

  function stored() {
    try { return localStorage.getItem(STORED); } catch { return null; }
  }

  function store(on) {
    try { localStorage.setItem(STORED, on ? "on" : "off"); } catch { /* a private window: until the page is left */ }
  }

  /* The rows that lead somewhere, as far as they are to be seen: each by its first link. */
  function links() {
    var rows = Array.prototype.slice.call(document.querySelectorAll("main tbody tr"));
    return rows.map(function (row) { return row.querySelector("a[href]"); })
      .filter(function (link) { return link && link.checkVisibility(); });
  }

  function step(by) {
    var all = links();
    var row = document.activeElement.closest("main tbody tr");
    var at = all.findIndex(function (link) { return link.closest("tr") === row; });
    var next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
    if (!next) { return; }
    next.focus({ preventScroll: true, focusVisible: true });
    next.closest("tr").scrollIntoView({ block: "nearest" });
  }

  function search() {
    var field = document.querySelector("#number") || document.querySelector("#numbers");
    var room = document.querySelector('nav [data-key="n"]');
    if (field) { field.focus(); } else if (room) { location.assign(room.href); }
  }

  function go(key) {
    var room = document.querySelector('nav [data-key="' + key + '"]');
    if (room) { location.assign(room.href); }
    return Boolean(room);
  }

  var DOES = {
    "/": search, j: function () { step(1); }, k: function () { step(-1); },
    g: function () { going = Date.now(); }, "?": function () { box.showModal(); }
  };

  function pressed(event) {
    var since = Date.now() - going;
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) { return; }
    if (box.open || stored() === "off" || event.target.closest(TYPED)) { return; }
    going = 0;
    if (since < PATIENCE && /^[a-z]$/.test(event.key) && go(event.key)) { event.preventDefault(); return; }
    if (!Object.prototype.hasOwnProperty.call(DOES, event.key)) { return; }
    event.preventDefault();
    DOES[event.key]();
  }

  var found = document.getElementById("found");
  if (found) { found.focus(); }
  if (!box) { return; }
  var on = box.querySelector("input");
  on.checked = stored() !== "off";
  on.addEventListener("change", function () { store(on.checked); });
  document.querySelector(".keys button").addEventListener("click", function () { box.showModal(); });
  document.querySelector(".keys").hidden = false;
  document.addEventListener("keydown", pressed);
})();
