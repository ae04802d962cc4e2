// Without internet: the last Today and the last statement, read only, for seven days at most.
// It belongs to who is logged in, so logging in or out empties it.
const KEPT = "kwartier-kept";
const WEEK_MS = 7 * 86_400_000;
const MOST_ASSETS = 6;
const OFFLINE = "/offline";
const DOORS = /^\/(inloggen|uitloggen|meekijken$|bevestig|begin|mijn\/|api\/v1\/passkeys)/;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.add(OFFLINE)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim().then(keepOpen)));
self.addEventListener("fetch", (event) => {
  const asked = event.request;
  const path = new URL(asked.url).pathname;
  if (path.startsWith("/inloggen/dienst/terug") || asked.method === "POST" && DOORS.test(path)) {
    event.respondWith(forget().then(() => fetch(asked)));
  } else if (asked.method === "GET" && asked.mode === "navigate") {
    event.respondWith(page(asked, path));
  } else if (asked.method === "GET" && path.startsWith("/static/")) {
    event.respondWith(asset(asked));
  }
});

// The page on which this worker was met was loaded without it.
async function keepOpen() {
  for (const one of await self.clients.matchAll({ type: "window" })) {
    const name = placeOf(new URL(one.url).pathname);
    const fresh = name && (await fetch(one.url).catch(() => null));
    if (fresh?.ok && !fresh.redirected) await (await caches.open(KEPT)).put(name, fresh);
  }
}

async function page(asked, path) {
  const name = placeOf(path);
  try {
    const fresh = await fetch(asked);
    if (name && fresh.ok && !fresh.redirected) {
      const copy = fresh.clone();
      const kept = await caches.open(KEPT);
      await kept.put(name, copy);
    }
    return fresh;
  } catch {
    const kept = await caches.open(KEPT);
    const found = name && (await kept.match(name));
    const age = found ? Date.now() - Date.parse(found.headers.get("date")) : Infinity;
    if (!found || age > WEEK_MS) {
      if (found) await kept.delete(name);
      return (await kept.match(OFFLINE)) ?? Response.error();
    }
    return told(found);
  }
}

// One Today and one statement: the newest of each stands for all of its kind.
function placeOf(path) {
  if (path === "/") return "/";
  return /^\/afrekening(\/|$)/.test(path) ? "/afrekening" : null;
}

async function told(found) {
  const text = (await found.text()).replace("hidden data-offline", "data-offline");
  return new Response(text, { headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": found.headers.get("content-security-policy") } });
}

async function asset(asked) {
  const kept = await caches.open(KEPT);
  const found = await kept.match(asked);
  if (found) return found;
  const fresh = await fetch(asked);
  if (!fresh.ok) return fresh;
  await kept.put(asked, fresh.clone());
  const assets = (await kept.keys()).filter((one) => new URL(one.url).pathname.startsWith("/static/"));
  for (const old of assets.slice(0, -MOST_ASSETS)) await kept.delete(old);
  return fresh;
}

async function forget() {
  await caches.delete(KEPT);
  const kept = await caches.open(KEPT);
  await kept.add(OFFLINE).catch(() => {});
}
