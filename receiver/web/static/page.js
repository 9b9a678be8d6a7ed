// Fetches the page again every few seconds and puts its live parts in the place of those that are shown.
// What a person is about to use stays as it is: a part with the focus, with something typed, or with marked text.
"use strict";

const EVERY = 5000;
const stale = document.getElementById("stale");

function isInUse(part) {
  const marked = getSelection();
  return (
    (part.contains(document.activeElement) && document.activeElement !== document.body) ||
    (!marked.isCollapsed && part.contains(marked.anchorNode)) ||
    [...part.querySelectorAll("input:not([type=hidden]), textarea")].some((field) =>
      field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue,
    )
  );
}

function replace(part, fresh) {
  // By its text: every render has another CSRF token.
  if (!fresh || fresh.textContent === part.textContent || isInUse(part)) return;
  for (const details of part.querySelectorAll("details[open][id]")) {
    const same = fresh.querySelector(`#${CSS.escape(details.id)}`);
    if (same) same.open = true;
  }
  part.replaceChildren(...fresh.childNodes);
}

function tell(text) {
  stale.hidden = !text;
  stale.textContent = text;
}

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { headers: { "X-Live": "1" }, signal: AbortSignal.timeout(EVERY) });
    if (answer.redirected) return tell("Your sign-in has ended, so this page no longer updates. Load it again.");
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) replace(part, page.getElementById(part.id));
    document.title = page.title;
    tell("");
  } catch {
    tell("The agent does not answer. What you see is old; it is tried again every few seconds.");
  }
}

if (document.querySelector("[data-live]")) {
  document.getElementById("by-hand").hidden = true;
  setInterval(refresh, EVERY);
  document.addEventListener("visibilitychange", refresh);
}
