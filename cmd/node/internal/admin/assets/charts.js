// The charts of the last minutes, drawn by uPlot.

import { byID, el, put } from "./dom.js";
import { bytesText, clock, rate, tripText } from "./format.js";

const minutes = 5;
const most = 900; // rows that are kept
const gap = 3500; // milliseconds between two rows from which on they are not joined

// The columns of a row, as the node sends them.
const column = { time: 0, received: 1, sent: 2, bytesIn: 3, bytesOut: 4, drops: 5, tripMin: 6, trip: 7, tripMax: 8, queued: 9, established: 10 };

const kinds = [
  { title: "Messages", unit: "/s", format: rate, series: [
    { label: "in", column: column.received, colour: "in", filled: true },
    { label: "out", column: column.sent, colour: "out", filled: true },
    { label: "dropped", column: column.drops, colour: "bad" },
  ] },
  { title: "Bytes", unit: "/s", format: bytesText, series: [
    { label: "in", column: column.bytesIn, colour: "in", filled: true },
    { label: "out", column: column.bytesOut, colour: "out", filled: true },
  ] },
  { title: "Round trip", unit: "", format: tripText, none: true, series: [
    { label: "fastest", column: column.tripMin, colour: "muted" },
    { label: "median", column: column.trip, colour: "in", filled: true },
    { label: "slowest", column: column.tripMax, colour: "out" },
  ] },
];

export class Charts {
  constructor() {
    this.rows = [];
    this.charts = kinds.map((kind) => this.frame(kind));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.charts.forEach((c) => this.draw(c)));
  }

  // begin takes the history of a node. Rows of an earlier run stay: a restart is a gap and not the end.
  begin(history) {
    const first = history.length ? history[0][column.time] : Infinity;
    this.rows = this.rows.filter((row) => row[column.time] < first).concat(history).slice(-most);
    this.refresh();
  }

  add(row) {
    const last = this.rows.at(-1);
    if (last && last[column.time] >= row[column.time]) return;
    this.rows.push(row);
    if (this.rows.length > most) this.rows.shift();
    this.refresh();
  }

  frame(kind) {
    const chart = { kind, values: [] };
    const caption = el("figcaption", {}, el("h2", {}, kind.title, el("span", { class: "sub of-self" })));
    for (const s of kind.series) {
      const value = el("b", {}, "–");
      chart.values.push(value);
      caption.append(el("span", { class: "series" }, el("span", { class: `swatch c-${s.colour}`, "aria-hidden": "true" }), s.label, value));
    }
    chart.plot = el("div", { class: "plot", "aria-hidden": "true" });
    byID("charts").append(el("figure", { class: "card chart" }, caption, chart.plot));
    new ResizeObserver(() => {
      if (chart.uplot) chart.uplot.setSize(this.size(chart)); else this.draw(chart);
    }).observe(chart.plot);
    return chart;
  }

  size(chart) { return { width: Math.max(80, chart.plot.clientWidth), height: Math.max(60, chart.plot.clientHeight) }; }

  draw(chart) {
    chart.uplot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const named = (name) => style.getPropertyValue(`--${name === "muted" ? "faint" : name}`).trim();
    const axis = { stroke: style.getPropertyValue("--muted").trim(), grid: { stroke: named("line"), width: 1 }, ticks: { show: false }, font: `11px ${style.getPropertyValue("--sans")}` };
    chart.uplot = new uPlot({
      ...this.size(chart),
      padding: [6, 4, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: "minutes" }, points: { size: 6 } },
      scales: { x: { time: true, range: () => this.window() }, y: { range: (_, __, high) => [0, high > 0 ? high * 1.12 : 1] } },
      axes: [
        { ...axis, size: 22, space: 74, values: (_, ticks, __, ___, step) => ticks.map((t) => clock(t * 1000).slice(0, step < 60 ? 8 : 5)), incrs: [10, 15, 30, 60, 120] },
        { ...axis, size: 58, space: 30, values: (_, ticks) => ticks.map((t) => (t === 0 ? "0" : chart.kind.format(t))) },
      ],
      series: [{}, ...chart.kind.series.map((s) => ({
        label: s.label, stroke: named(s.colour), width: 1.6, points: { show: false }, spanGaps: false,
        fill: s.filled ? named(s.colour) + "22" : undefined,
      }))],
      hooks: { setCursor: [() => this.label(chart)] },
    }, this.data(chart.kind), chart.plot);
    this.label(chart);
  }

  // window is what the charts show: five minutes at most, one at least.
  window() {
    const end = (this.rows.at(-1)?.[column.time] ?? Date.now()) / 1000;
    const first = (this.rows[0]?.[column.time] ?? 0) / 1000;
    return [Math.max(end - minutes * 60, Math.min(first, end - 60)), end];
  }

  data(kind) {
    const columns = [[], ...kind.series.map(() => [])];
    let last = 0;
    for (const row of this.rows) {
      const t = row[column.time];
      if (last && t - last > gap) {
        columns[0].push((last + t) / 2000);
        for (const values of columns.slice(1)) values.push(null);
      }
      last = t;
      columns[0].push(t / 1000);
      kind.series.forEach((s, i) => columns[i + 1].push(kind.none && row[s.column] === 0 ? null : row[s.column]));
    }
    return columns;
  }

  refresh() {
    for (const chart of this.charts) {
      if (!chart.uplot) continue;
      chart.uplot.setData(this.data(chart.kind));
      this.label(chart);
    }
  }

  // label shows the values under the pointer, else the last ones.
  label(chart) {
    const data = chart.uplot?.data;
    if (!data) return;
    const at = chart.uplot.cursor.idx ?? data[0].length - 1;
    chart.values.forEach((node, i) => {
      const value = data[i + 1][at];
      put(node, value == null ? "–" : chart.kind.format(value) + chart.kind.unit);
    });
  }
}
