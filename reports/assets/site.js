// Shows what a chart's marks say, filters the fleet, opens what is folded before printing. Pages work without it.
"use strict";

(() => {
  const DAY = 86400000;
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);

  const said = (part, x) => {
    if (part.dataset.says === undefined) {
      const title = part.querySelector(":scope > title");
      if (title) { // taken out, or the browser would show it too
        part.dataset.title = title.textContent;
        part.setAttribute("aria-label", title.textContent);
        title.remove();
      }
      return part.dataset.title;
    }
    const box = part.ownerSVGElement.getBoundingClientRect();
    const days = Number(part.dataset.days);
    const place = Math.min(days - 1, Math.max(0, Math.floor(((x - box.left) / box.width) * days)));
    const day = new Date(Date.parse(part.dataset.first) + place * DAY);
    const text = day.toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
    return `${part.getAttribute("aria-label")}, ${text}: ${part.dataset.says.split("|")[place] || "no figure"}`;
  };

  const show = (event) => {
    const part = event.target.closest(".chart a, .chart g");
    const text = part && said(part, event.clientX);
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    const left = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${event.clientY + 18 + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 10 : event.clientY + 18}px`;
  };
  document.addEventListener("pointermove", show);
  document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });

  const filters = document.querySelector(".filters");
  if (filters) {
    const cards = [...document.querySelectorAll(".fleet > li")];
    const texts = new Map(cards.map((card) => [card, `${card.dataset.text} ${card.textContent}`.toLowerCase()]));
    const all = cards.length === 1 ? "1 model" : `${cards.length} models`;
    const inputs = [...filters.querySelectorAll("input, select")];
    const output = filters.querySelector("output");
    const asked = new URLSearchParams(location.hash.slice(1));
    const apply = () => {
      const wanted = Object.fromEntries(inputs.map((input) => [input.name, input.value]));
      const words = wanted.search.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      for (const card of cards) {
        const fits = ["state", "owner", "tier"].every((key) => !wanted[key] || card.dataset[key] === wanted[key]);
        card.hidden = !(fits && words.every((word) => texts.get(card).includes(word)));
        left += !card.hidden;
      }
      output.textContent = left === cards.length ? all : `${left} of ${all}`;
      const kept = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value));
      history.replaceState(null, "", String(kept) ? `#${kept}` : location.pathname);
    };
    for (const input of inputs) {
      if (asked.has(input.name)) input.value = asked.get(input.name);
      input.addEventListener("input", apply);
    }
    filters.hidden = false;
    if ([...asked.keys()].length) apply();
    else output.textContent = all;
  }

  addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((part) => { part.open = true; });
  });
})();
