// The desk's list of numbers: what a scanner types goes below what stands there, and where the browser itself reads barcodes
// and QR codes (BarcodeDetector), a camera adds to it. No picture leaves the machine.
"use strict";

const list = document.querySelector("#numbers");
if (list) {
  // Whoever scans on after a look-up adds a line; a number never runs into the one before it.
  if (list.value && !list.value.endsWith("\n")) list.value += "\n";
  list.setSelectionRange(list.value.length, list.value.length);
  // A scanner ends each number with Enter, which is a new line here; only the key with Ctrl asks for the grades.
  list.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) list.form.requestSubmit();
  });
  // After a look-up the result is read first (#found has the focus); a scanner that goes on there writes into the list.
  document.querySelector("#found")?.addEventListener("keydown", (event) => {
    if (/^[\d+]$/.test(event.key) && !event.ctrlKey && !event.altKey && !event.metaKey) list.focus();
  });
}

const NUMBER = /^(?:tel:)?(\+?[\d\s()-]{7,24})$/i;
const EVERY = 250; // ms between two looks

const camera = async (box) => {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return;
  if (!(await BarcodeDetector.getSupportedFormats()).length) return;
  const detector = new BarcodeDetector();
  const [start, stop, video, said] = ["[data-start]", "[data-stop]", "video", "[role=status]"].map((one) => box.querySelector(one));
  let stream = null;

  const tell = (what, value = "") => { said.textContent = value ? `${box.dataset[what]} ${value}` : box.dataset[what]; };
  const take = (text) => {
    const number = text.trim().match(NUMBER)?.[1].trim();
    if (!number) return tell("other");
    const lines = list.value.split("\n").map((line) => line.trim()).filter(Boolean);
    if (lines.includes(number)) return tell("known", number);
    list.value = [...lines, number, ""].join("\n");
    tell("added", number);
  };
  const show = (on) => {
    start.hidden = on;
    stop.hidden = video.hidden = !on;
  };
  const end = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    show(false);
  };
  start.addEventListener("click", async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      return tell("denied");
    }
    show(true);
    tell("looking");
    video.srcObject = stream;
    await video.play();
    while (stream) {
      for (const code of await detector.detect(video).catch(() => [])) take(code.rawValue);
      await new Promise((go) => setTimeout(go, EVERY));
    }
  });
  stop.addEventListener("click", end);
  window.addEventListener("pagehide", end);
  box.hidden = false;
};

for (const box of document.querySelectorAll("[data-camera]")) camera(box);
