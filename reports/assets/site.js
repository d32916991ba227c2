// Draws the figures that stand as JSON in the page, in the reader's light or dark colours. No other duty.
"use strict";

(() => {
  const figures = [...document.querySelectorAll("figure.drawing")].map((box) => ({
    box,
    plot: box.querySelector(".plot"),
    json: box.querySelector("script").textContent,
    drawn: false,
  }));
  const config = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false, showTips: false };

  const style = () => getComputedStyle(document.documentElement);
  const colour = (name) => style().getPropertyValue(name).trim();

  // A text that starts with two dashes is a colour of the style sheet; "--heat" is its scale of five.
  const coloured = (value) => {
    if (Array.isArray(value)) return value.map(coloured);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, TEXT.has(key) ? part : coloured(part)]));
    }
    if (value === "--heat") return [0, 1, 2, 3, 4].map((step) => [step / 4, colour(`--heat-${step}`)]);
    return typeof value === "string" && /^--[a-z0-9-]+$/.test(value) ? colour(value) : value;
  };
  const TEXT = new Set(["x", "y", "z", "text", "name", "categoryarray", "hovertemplate"]);

  // Plotly reads some tags in labels (it never runs scripts): show them as they were written.
  const plain = (text) => (typeof text === "string" ? text.replace(/&/g, "&amp;").replace(/</g, "&lt;") : text);
  const shortened = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

  const axis = (own) => ({
    gridcolor: colour("--grid"), linecolor: colour("--grid"), zerolinecolor: colour("--grid"), automargin: true,
    tickfont: { size: 11, color: colour("--muted") }, fixedrange: true, nticks: 6, ...own,
  });

  const labelled = (figure, width) => {
    if (!figure.layout.yaxis || !figure.layout.yaxis.labels) return;
    const axisY = figure.layout.yaxis;
    delete axisY.labels;
    const length = width < 480 ? 16 : 38;
    const names = [...new Set(figure.data.flatMap((trace) => trace.y))].concat(axisY.categoryarray || []);
    axisY.tickmode = "array";
    axisY.tickvals = [...new Set(names)].filter((name) => name !== null);
    axisY.ticktext = axisY.tickvals.map((name) => plain(shortened(width < 480 ? String(name).split(" · ")[0] : String(name), length)));
  };

  // A phone shows the last 45 days of a heat map: more would be thinner than a finger can tell apart.
  const narrowed = (figure, layout) => {
    const end = Date.parse(`${layout.xaxis.range[1]}Z`);
    const start = Math.max(Date.parse(`${layout.xaxis.range[0]}Z`), end - 45 * 86400000);
    layout.xaxis.range = [new Date(start).toISOString().slice(0, 16), layout.xaxis.range[1]];
    figure.data[0].showscale = false;
    figure.data.slice(1).forEach((trace) => { trace.marker.size = 4; });
  };

  const prepared = (json, width) => {
    const figure = JSON.parse(json);
    labelled(figure, width);
    const layout = coloured(figure.layout);
    const time = layout.xaxis && layout.xaxis.type === "date" ? { tickformat: "%-d %b", nticks: width < 480 ? 4 : 8 } : {};
    const heat = figure.data.some((trace) => trace.type === "heatmap");
    if (heat && width < 480) narrowed(figure, layout);
    return {
      link: figure.link,
      data: coloured(figure.data),
      layout: {
        ...layout,
        paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", dragmode: false, hovermode: "closest",
        showlegend: false,
        font: { family: style().getPropertyValue("--font"), size: 12, color: colour("--ink") },
        margin: { l: 8, r: 8, t: 18, b: 24, pad: 4 },
        hoverlabel: { bgcolor: colour("--panel"), bordercolor: colour("--line"), font: { color: colour("--ink"), size: 12 }, align: "left" },
        xaxis: axis({ ...layout.xaxis, ...time }),
        yaxis: axis(layout.yaxis),
      },
    };
  };

  const follow = (plot, link) => {
    if (!link) return;
    const root = document.querySelector("main").dataset.days || link;
    plot.classList.add("linked");
    plot.on("plotly_click", (event) => {
      const day = String(event.points[0].x).slice(0, 10);
      if (/^\d{4}-\d{2}-\d{2}$/.test(day)) location.href = `${root}${day}.html`;
    });
  };

  const draw = (figure) => {
    const ready = prepared(figure.json, figure.plot.clientWidth);
    const first = !figure.drawn;
    figure.drawn = true;
    Plotly.react(figure.plot, ready.data, ready.layout, config);
    if (first) follow(figure.plot, ready.link);
  };

  const near = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((found) => found.isIntersecting)) {
      near.unobserve(entry.target);
      draw(figures.find((figure) => figure.box === entry.target));
    }
  }, { rootMargin: "600px" });
  figures.forEach((figure) => near.observe(figure.box));

  const redraw = () => figures.filter((figure) => figure.drawn).forEach(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((part) => { part.open = true; });
    figures.filter((figure) => !figure.drawn).forEach(draw);
  });
})();
