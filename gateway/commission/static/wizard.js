// Looks again every two seconds while something moves; everything works without it too.
const live = document.getElementById("live");
const acts = document.getElementById("acts");
const pause = document.getElementById("pause");
const refresh = document.getElementById("refresh");

if (live && live.dataset.moving === "yes" && pause) {
  let paused = false;
  const words = [pause.textContent, pause.dataset.go];
  pause.hidden = false;
  refresh.hidden = true;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = words[Number(paused)];
  });

  const shown = new Map();
  const put = (place, html) => {
    // Only what changed is replaced, and never under somebody's hands.
    if (shown.get(place) === html || place.contains(document.activeElement)) return;
    if ([...place.querySelectorAll("input:not([type=hidden])")].some((one) => one.value && one.type !== "checkbox")) return;
    if (shown.has(place) || place.innerHTML !== html) place.innerHTML = html;
    shown.set(place, html);
  };
  const look = async () => {
    if (!paused && !document.hidden) {
      try {
        const answer = await fetch(`${location.pathname}?deel=1`, { redirect: "error" });
        if (answer.ok) {
          const told = await answer.json();
          put(live, told.live);
          put(acts, told.acts);
        }
      } catch {
        // The box or the cable is away for a moment: what stands there stays.
      }
    }
    setTimeout(look, Number(live.dataset.every));
  };
  setTimeout(look, Number(live.dataset.every));
}
