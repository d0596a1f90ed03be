// Signing on the screen: what a finger, pen or mouse draws becomes the path of an SVG in a hidden field.
"use strict";

const WIDTH = 600, HEIGHT = 200, LONGEST = 19000;

for (const pad of document.querySelectorAll("[data-signature]")) {
  const canvas = pad.querySelector("canvas");
  const field = pad.querySelector("input[name=signature]");
  const pen = canvas.getContext("2d");
  const send = pad.querySelector("[data-send]");
  let last = null;

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const within = (value, most) => Math.min(most, Math.max(0, Math.round(value)));
    return [within((event.clientX - box.left) * WIDTH / box.width, WIDTH), within((event.clientY - box.top) * HEIGHT / box.height, HEIGHT)];
  };
  const clear = () => {
    canvas.width = WIDTH;
    canvas.height = HEIGHT;
    pen.lineWidth = 3;
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = "#1b1b19";
    field.value = "";
    send.disabled = true;
  };

  canvas.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    last = at(event);
    if (field.value.length < LONGEST) field.value += `M${last[0]} ${last[1]}`;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last || field.value.length > LONGEST) return;
    const next = at(event);
    if (Math.abs(next[0] - last[0]) + Math.abs(next[1] - last[1]) < 3) return;
    pen.beginPath();
    pen.moveTo(...last);
    pen.lineTo(...next);
    pen.stroke();
    field.value += `L${next[0]} ${next[1]}`;
    last = next;
    send.disabled = (field.value.match(/L/g) || []).length < 5;
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { last = null; });
  pad.querySelector("[data-clear]").addEventListener("click", clear);
  clear();
  pad.hidden = false;
}
