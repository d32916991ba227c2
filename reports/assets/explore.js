// Draws the page's one plotly figure in the reader's colours, light or dark.
"use strict";
(() => {
  const place = document.getElementById("explore");
  const data = document.getElementById("figure");
  if (!place || !data || !window.Plotly) return;
  const figure = JSON.parse(data.textContent);
  const draw = () => {
    const style = getComputedStyle(document.body);
    const layout = Object.assign({}, figure.layout, {
      font: { family: style.fontFamily, size: 13, color: style.color },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      legend: { orientation: "h", y: 1.04 },
    });
    for (const key of Object.keys(layout)) {
      if (/^[xy]axis/.test(key)) {
        layout[key] = Object.assign({ gridcolor: "rgba(128,128,128,.25)", zeroline: false, automargin: true }, layout[key]);
      }
    }
    window.Plotly.react(place, figure.data, layout, { responsive: true, displaylogo: false });
  };
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
