// Extras only: every page works without this file. Live numbers, a fresh page each quarter-hour,
// and a read-out of the day's curve by finger, mouse or keyboard.

const language = document.documentElement.lang;
// As the server writes them: Latin digits in every language, thousands apart, halves to even.
const kilowatt = new Intl.NumberFormat(`${language === "en" ? "en-GB" : language}-u-nu-latn`, {
  minimumFractionDigits: 1, maximumFractionDigits: 1, useGrouping: "always",
  roundingMode: "halfEven",
});
const arrowSteps = [100, 5_000, 20_000];
let stream = null;
let paused = false;

function show(name, text) {
  for (const place of document.querySelectorAll(`[data-live="${name}"]`)) {
    if (place.textContent !== text) place.textContent = text;
  }
}

function showPower(power) {
  for (const [name, watts] of Object.entries(power)) {
    if (!name.endsWith("_w") || watts === null) continue;
    show(name, kilowatt.format(watts / 1000));
    const step = arrowSteps.filter((least) => watts >= least).length;
    document.querySelector(`[data-arrow="${name}"]`)?.setAttribute("data-step", step);
  }
  if (power.soc_permille !== null) show("soc", String(Math.round(power.soc_permille / 10)));
  if (power.own) show("own_use_w", kilowatt.format(power.own.use_w / 1000));
}

function listen() {
  if (stream || paused || document.hidden) return;
  const home = document.querySelector("[data-home]")?.dataset.home;
  stream = new EventSource(`/api/v1/stream${home ? `?home=${encodeURIComponent(home)}` : ""}`);
  stream.addEventListener("power", (event) => showPower(JSON.parse(event.data)));
  stream.addEventListener("signal", (event) => {
    const shown = document.querySelector(".signal")?.dataset.state;
    if (shown && JSON.parse(event.data).state !== shown) refresh();
  });
}

function hush() {
  stream?.close();
  stream = null;
}

async function refresh() {
  if (paused || document.querySelector("form.login")) return;
  const open = [...document.querySelectorAll("details")].map((one) => one.open);
  const reply = await fetch(location.pathname + location.search).catch(() => null);
  if (!reply?.ok) return;
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
  const main = fresh.querySelector("main");
  const signal = document.querySelector(".signal");
  const coming = main?.querySelector(".signal");
  if (!main || !signal || !coming) return;
  // The signal is a live region: it is left alone unless it says something else.
  if (coming.textContent.trim() === signal.textContent.trim()) coming.replaceWith(signal);
  document.querySelector("main").replaceWith(main);
  document.querySelectorAll("details").forEach((one, place) => { one.open = open[place] ?? one.open; });
  dress();
}

function dress() {
  const pause = document.querySelector("#pause");
  if (pause) {
    pause.hidden = false;
    const words = [pause.textContent, pause.dataset.resume];
    pause.textContent = words[Number(paused)];
    pause.addEventListener("click", () => {
      paused = !paused;
      pause.textContent = words[Number(paused)];
      if (paused) hush(); else listen();
    });
  }
  readOut();
}

function readOut() {
  const rows = [...document.querySelectorAll("#quarters tbody tr")];
  const plot = document.querySelector("#day .plot");
  const names = [...document.querySelectorAll("#quarters thead th")].map((one) => one.textContent);
  if (!plot || !rows.length) return;
  const slider = Object.assign(document.createElement("input"), {
    type: "range", min: 0, max: rows.length - 1, className: "pick",
  });
  slider.setAttribute("aria-label", document.querySelector("#quarters caption").textContent);
  const told = Object.assign(document.createElement("p"), { className: "told" });
  const cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
  cursor.setAttribute("class", "cursor");
  const tell = () => {
    const cells = [...rows[slider.value].cells].map((one) => one.textContent);
    const parts = names.slice(1, -1).map((name, at) => cells[at + 1] && `${name} ${cells[at + 1]} kWh`);
    told.textContent = [cells[0], ...parts.filter(Boolean), cells.at(-1)].join("  ·  ");
    slider.setAttribute("aria-valuetext", told.textContent);
  };
  const point = () => {
    const where = `${(100 * (Number(slider.value) + 0.5)) / rows.length}%`;
    for (const [name, value] of [["x1", where], ["x2", where], ["y1", "0"], ["y2", "100%"]]) {
      cursor.setAttribute(name, value);
    }
    tell();
  };
  slider.value = Math.max(0, rows.findLastIndex((row) => row.dataset.known !== undefined));
  slider.addEventListener("input", point);
  plot.addEventListener("pointermove", (event) => {
    if (event.target === slider) return;
    const box = plot.getBoundingClientRect();
    slider.value = Math.floor(((event.clientX - box.left) / box.width) * rows.length);
    point();
  });
  plot.querySelector(".curve").append(cursor);
  plot.append(slider, told);
  tell();
}

dress();
if (document.querySelector("[data-live]")) {
  listen();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return hush();
    listen();
    refresh();
  });
  setTimeout(function again() {
    if (!document.hidden) refresh();
    setTimeout(again, 300_000);
  }, 300_000);
}

// Reads the page's words aloud, with the voice of the device.
const aloud = document.querySelector("#aloud");
if (aloud && "speechSynthesis" in window) {
  aloud.hidden = false;
  const hushVoice = () => { speechSynthesis.cancel(); aloud.setAttribute("aria-pressed", "false"); };
  aloud.addEventListener("click", () => {
    if (aloud.getAttribute("aria-pressed") === "true") return hushVoice();
    const words = new SpeechSynthesisUtterance(wordsOf(document.querySelector("main")));
    words.lang = language;
    words.rate = 0.92;
    words.addEventListener("end", hushVoice);
    speechSynthesis.cancel();
    speechSynthesis.speak(words);
    aloud.setAttribute("aria-pressed", "true");
  });
  addEventListener("pagehide", hushVoice);
}

function wordsOf(part) {
  const told = [];
  for (const one of part.querySelectorAll("h1, h2, h3, p, li, dt, dd, label, button, a.button")) {
    const shown = one.checkVisibility?.() ?? one.offsetParent !== null;
    if (shown && !one.closest("table, svg") && !one.querySelector("p, li")) told.push(one.textContent.trim());
  }
  return told.filter(Boolean).map((text) => text.replace(/\s+/g, " ").replace(/([^.!?:])$/, "$1.")).join(" ");
}

// On a phone the bar of a board member is wider than the window: its own tab is brought into view.
const tab = document.querySelector(".tabs [aria-current]");
const bar = tab?.closest("ul");
if (bar) bar.scrollLeft = tab.offsetLeft - bar.offsetLeft - (bar.clientWidth - tab.offsetWidth) / 2;

// Keeps the last Today and the last statement for when there is no internet.
if ("serviceWorker" in navigator && document.querySelector(".tabs")) {
  addEventListener("load", () => navigator.serviceWorker.register("/sw.js").catch(() => {}));
}
