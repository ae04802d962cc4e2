// Passkeys, and the code that a camera brought: every page works without. It reaches browsers as the
// end of app.js, so that no page asks for more than one script.

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

// What stands behind a # is sent to no server; it fills the form, and leaves the address bar.
const field = document.querySelector("[data-from-address]");
if (field && /^#[0-9A-Za-z-]{8,40}$/.test(location.hash)) {
  field.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname + location.search);
  field.form.querySelector("button").focus();
}

async function post(path, body) {
  const reply = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}),
  });
  if (!reply.ok) throw new Error(String(reply.status));
  return reply.json();
}

async function make(label) {
  const asked = await post("/api/v1/passkeys/new");
  asked.challenge = bytes(asked.challenge);
  asked.user.id = bytes(asked.user.id);
  for (const one of asked.excludeCredentials ?? []) one.id = bytes(one.id);
  const made = await navigator.credentials.create({ publicKey: asked });
  return post("/api/v1/passkeys", {
    credential: made.id, client_data: text(made.response.clientDataJSON),
    attestation: text(made.response.attestationObject), label,
  });
}

async function prove(further) {
  const asked = await post("/api/v1/passkeys/ask");
  asked.challenge = bytes(asked.challenge);
  for (const one of asked.allowCredentials ?? []) one.id = bytes(one.id);
  const shown = await navigator.credentials.get({ publicKey: asked });
  return post("/api/v1/passkeys/show", {
    credential: shown.id, client_data: text(shown.response.clientDataJSON),
    authenticator: text(shown.response.authenticatorData),
    signature: text(shown.response.signature), further,
  });
}

if (window.PublicKeyCredential && window.isSecureContext) {
  for (const place of document.querySelectorAll("[data-passkeys]")) {
    place.hidden = false;
    const problem = place.querySelector("[data-passkey-problem]");
    const button = place.querySelector("[data-show-passkey], [data-new-passkey]");
    button.addEventListener("click", async () => {
      button.disabled = true;
      problem.hidden = true;
      try {
        const label = place.querySelector("[data-passkey-label]");
        const way = await (label ? make(label.value) : prove(button.dataset.further));
        location.assign(way.path);
      } catch {
        problem.hidden = false;
        button.disabled = false;
      }
    });
  }
}
