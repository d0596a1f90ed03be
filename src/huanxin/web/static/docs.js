// The API's description, drawn by Swagger UI. A file of its own, so that the page needs no script inside it.
"use strict";
window.addEventListener("DOMContentLoaded", () => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", follow);
  follow();
  window.SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#api",
    presets: [window.SwaggerUIBundle.presets.apis],
    defaultModelsExpandDepth: -1, // the models stand with the calls that use them
    docExpansion: "list",
    validatorUrl: null, // nothing is sent to other hosts
  });
});
