/* A form with a large file says how far it is. Without this script the browser sends it the plain way. */
(function () {
  "use strict";

  function say(box, text, share) {
    var bar = box.querySelector("progress");
    box.hidden = false;
    box.querySelector("p").textContent = text;
    bar.hidden = share === null;
    if (share === undefined) { bar.removeAttribute("value"); } else if (share !== null) { bar.value = share; }
  }

  function send(form, box, button) {
    var request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "text/html");
    request.upload.addEventListener("progress", function (event) {
      if (!event.lengthComputable) { return; }
      var share = Math.floor(100 * event.loaded / event.total);
      say(box, box.dataset.sending + ": " + share + "%", share);
    });
    request.upload.addEventListener("load", function () { say(box, box.dataset.reading); });
    request.addEventListener("load", function () {
      // The server sent us on to the page that says what became of it; anything else is a page of its own.
      if (request.responseURL && request.responseURL !== form.action) {
        window.location.assign(request.responseURL);
        return;
      }
      button.disabled = false;
      say(box, request.status === 413 ? box.dataset.large : box.dataset.broken, null);
    });
    request.addEventListener("error", function () {
      button.disabled = false;
      say(box, box.dataset.broken, null);
    });
    button.disabled = true;
    request.send(new FormData(form));
  }

  /* Where the sign-in has ended, the page stays with the file that was chosen: no page after it could have it. */
  function ended(box) {
    var link = document.createElement("a");
    say(box, box.dataset.ended + " ", null);
    link.href = "/console/sign-in";
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = box.dataset.signIn;
    box.querySelector("p").append(link);
  }

  document.querySelectorAll("form[data-upload]").forEach(function (form) {
    var box = form.querySelector(".progress");
    form.addEventListener("submit", function (event) {
      var file = form.querySelector("input[type=file]").files[0];
      event.preventDefault();
      if (file && file.size > Number(form.dataset.most)) { say(box, box.dataset.large, null); return; }
      say(box, box.dataset.sending + ": 0%", 0);
      fetch(form.action, { method: "HEAD", redirect: "manual", cache: "no-store" }).then(function (answer) {
        if (answer.type === "opaqueredirect") { ended(box); } else { send(form, box, form.querySelector("button")); }
      }, function () { say(box, box.dataset.broken, null); });
    });
  });
})();
