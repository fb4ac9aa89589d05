/* Keeps a page fresh: asks for its own address now and then, and puts what has changed in place. The focus, the scroll
 * position and open details stay. When that fails, the page says that it is old: it must never look fresh when it is not.
 * All of it is convenience; without a script a page is loaded anew as a whole.
 */
"use strict";

(() => {
  const EVERY = Number(document.body.dataset.refresh || 0) * 1000;
  const OLD = Math.max(3 * EVERY, 30_000);
  const PATIENCE = 10_000;
  const stale = document.getElementById("stale");
  let fetched = performance.now();
  let ahead = new Date(document.body.dataset.now) - Date.now(); // by how much the monitor's clock is
  let failed = "";
  let title = document.title;
  let asking = false;
  let changed = false;

  const span = (seconds) => {
    const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
    if (minutes < 1) return `${Math.max(0, Math.floor(seconds))} s`;
    if (hours < 1) return `${minutes} min`;
    if (hours < 48) return `${hours} h ${minutes % 60} min`;
    return `${Math.floor(hours / 24)} d`;
  };

  const here = (moment) => `${new Date(moment).toLocaleString()} on this computer`;

  const tell = (tree) => {
    const now = Date.now() + ahead;
    for (const time of tree.querySelectorAll("time[data-ago]")) {
      time.title = `${time.dateTime.replace("T", " ").replace("Z", "")} UTC`;
      const text = `${span((now - new Date(time.dateTime)) / 1000)} ago`;
      if (time.textContent !== text) time.textContent = text;
    }
    for (const time of tree.querySelectorAll("time:not([data-ago])")) time.title = here(time.dateTime);
    for (const tick of tree.querySelectorAll("text[data-at]:not(:has(title))")) {
      const title = document.createElementNS(tick.namespaceURI, "title");
      title.textContent = here(tick.dataset.at);
      tick.append(title);
    }
  };

  const alike = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName && (one.id || "") === (other.id || "");

  const dress = (old, fresh) => {
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
  };

  const fill = (old, fresh) => {
    const named = new Map([...old.children].filter((one) => one.id).map((one) => [one.id, one]));
    let at = old.firstChild;
    for (const next of [...fresh.childNodes]) {
      const same = next.id ? named.get(next.id) : at && alike(at, next) && at;
      if (!same || !alike(same, next)) {
        old.insertBefore(next, at);
        continue;
      }
      if (same === at) at = at.nextSibling;
      else old.insertBefore(same, at);
      patch(same, next);
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
  };

  const patch = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== Node.ELEMENT_NODE) {
      old.nodeValue = fresh.nodeValue;
      return;
    }
    dress(old, fresh);
    fill(old, fresh);
  };

  const show = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const main = fresh.getElementById("fresh");
    if (!main || !fresh.querySelector("footer")) throw new Error("half a page");
    ahead = new Date(fresh.body.dataset.now) - Date.now();
    tell(main);
    const focused = document.activeElement;
    patch(document.getElementById("fresh"), main);
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
    patch(document.getElementById("asof"), fresh.getElementById("asof"));
    const icon = fresh.getElementById("icon").getAttribute("href");
    const shown = document.getElementById("icon");
    if (shown.getAttribute("href") !== icon) shown.setAttribute("href", icon);
    title = fresh.title;
    changed = false;
  };

  const filling = () => {
    const main = document.getElementById("fresh");
    const at = document.activeElement;
    return changed || (main.contains(at) && at.matches("input, select, textarea"));
  };

  const judge = () => {
    const old = performance.now() - fetched > OLD;
    const why = failed || (old && (filling() ? "A form is being filled in, so nothing is fetched." : "Fetching it anew."));
    const text = why ? `Not fresh: this is how things stood at ${document.getElementById("asof").textContent}. ${why}` : "";
    if (stale.dataset.text !== text) {
      stale.dataset.text = text;
      stale.textContent = text;
      stale.hidden = !text;
      if (failed === LOGGED_OUT) stale.append(link());
    }
    document.body.classList.toggle("stale", Boolean(text));
    const prefix = text ? "(old) " : document.hidden ? "(paused) " : "";
    if (document.title !== prefix + title) document.title = prefix + title;
  };

  const LOGGED_OUT = "You are logged out. ";

  const link = () => {
    const made = document.createElement("a");
    made.href = location.href;
    made.textContent = "Log in.";
    return made;
  };

  const ask = async () => {
    if (asking || document.hidden || filling()) return;
    asking = true;
    try {
      const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      if (answer.redirected) failed = LOGGED_OUT;
      else if (!answer.ok) failed = `The monitor answers ${answer.status}. Trying again.`;
      else {
        const text = await answer.text();
        if (filling()) return;
        show(text);
        fetched = performance.now();
        failed = "";
      }
    } catch {
      failed = "The monitor does not answer. Trying again.";
    } finally {
      asking = false;
      judge();
    }
  };

  tell(document);
  if (!EVERY) return;
  document.addEventListener("input", (event) => {
    if (document.getElementById("fresh").contains(event.target)) changed = true;
  });
  document.addEventListener("visibilitychange", () => {
    judge();
    ask();
  });
  addEventListener("pageshow", (event) => event.persisted && ask());
  addEventListener("online", ask);
  setInterval(() => {
    tell(document);
    judge();
  }, 5_000);
  setInterval(ask, EVERY);
})();
