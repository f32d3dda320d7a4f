/** The published networks as figures: accuracy over size, and information density, with the loaded model among its own. */

import { axisBottom, axisLeft, scaleLinear, scaleLog, select } from "../vendor/d3.min.js";
import { element, make } from "./dom.js";
import { figure as words } from "./strings.js";

/**
 * @typedef {{ name: string, top1: number, mib: number, about: boolean, weights: string, source: string, computedMib: number | null }} Published
 * @typedef {{ dataset: string, chancePercent: number, networks: Published[] }} Set
 * @typedef {{ sources: Record<string, string>, sets: Set[] }} Data
 * @typedef {{ name: string, top1: number, mib: number, own: boolean, published?: Published }} Point
 * @typedef {import("../shared/messages.js").LoadedModel} LoadedModel
 * @typedef {import("../shared/messages.js").LoadedNetwork} LoadedNetwork
 */

const density = (/** @type {Point} */ { top1, mib }) => Math.log10(top1 / mib);

/** Pixels around the scatter plot, and the height of a bar with its name. */
const MARGIN = { top: 12, right: 14, bottom: 26, left: 34 };
const ROW = 34;

/**
 * Shows the section; where its data is missing, the page does without.
 *
 * @param {LoadedModel} loaded
 */
export async function showFigure(loaded) {
  latest = loaded;
  view ??= fetchData().then((data) => data && new FigureView(data));
  (await view)?.show(latest);
}

/** @type {LoadedModel} */
let latest;
/** @type {Promise<FigureView | null> | undefined} */
let view;

/** @returns {Promise<Data | null>} */
async function fetchData() {
  const response = await fetch("figure/published.json").catch(() => null);
  return response?.ok ? response.json().catch(() => null) : null;
}

class FigureView {
  #data;
  #section = element("comparison", HTMLElement);
  #select = /** @type {HTMLSelectElement} */ (make("select", ""));
  #note = make("p", "comparison-note");
  #scatter = make("div", "chart");
  #bars = make("div", "chart");
  #table = make("table", "");
  /** @type {LoadedNetwork | null} */
  #network = null;
  #width = 0;

  /** @param {Data} data */
  constructor(data) {
    this.#data = data;
    const title = make("h2", "", words.title);
    title.id = "comparison-title";
    const label = make("label", "", `${words.set} `);
    label.append(this.#select);
    this.#select.append(...data.sets.map((set) => new Option(set.dataset)));
    this.#select.addEventListener("change", () => this.#draw());
    const head = make("div", "comparison-head");
    head.append(title, label);
    const charts = make("div", "charts");
    const figure = (/** @type {string} */ caption, /** @type {HTMLElement} */ chart) => {
      const node = make("figure", "");
      node.append(make("figcaption", "", caption), chart);
      return node;
    };
    charts.append(figure(words.scatter, this.#scatter), figure(words.bars, this.#bars));
    const details = make("details", "");
    const scroll = make("div", "table-scroll");
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", words.table);
    scroll.append(this.#table);
    details.append(make("summary", "", words.table), scroll);
    this.#section.append(head, this.#note, charts, make("p", "comparison-note", words.density), details);
    new ResizeObserver(() => this.#width !== this.#scatter.clientWidth && this.#draw()).observe(this.#scatter);
  }

  /** @param {LoadedModel} loaded */
  show(loaded) {
    // A classifier without a model card says nothing of its accuracy.
    this.#network = loaded.kind === "lsspq" ? loaded : null;
    const dataset = this.#network?.card.dataset ?? "";
    const own = this.#data.sets.findIndex((set) => dataset.startsWith(set.dataset));
    this.#select.selectedIndex = Math.max(own, 0);
    this.#section.hidden = false;
    this.#draw();
  }

  /** The loaded model, if it was measured on that data set. @param {Set} set @returns {Point | null} */
  #own(set) {
    if (!this.#network) return null;
    const { card, metrics } = this.#network;
    if (!metrics.accuracy || !card.dataset.startsWith(set.dataset)) return null;
    return { name: card.spec.name, top1: metrics.accuracy.top1.percent, mib: metrics.sizeMib, own: true };
  }

  #draw() {
    if (this.#section.hidden) return;
    this.#width = this.#scatter.clientWidth;
    const set = this.#data.sets[this.#select.selectedIndex];
    const own = this.#own(set);
    const absent = this.#network?.metrics.accuracy ? words.elsewhere(this.#network.card.dataset) : words.unmeasured;
    this.#note.textContent = words.note(set.dataset, set.chancePercent) + (own ? words.own(own.name, own.top1, own.mib) : absent);
    /** @type {Point[]} */
    const points = set.networks.map(({ name, top1, mib }, i) => ({ name, top1, mib, own: false, published: set.networks[i] }));
    if (own) points.push(own);
    drawScatter(this.#scatter, points, `${words.scatter}, ${set.dataset}`);
    drawBars(this.#bars, points, `${words.bars}, ${set.dataset}`);
    fillTable(this.#table, points, this.#data.sources);
  }
}

/**
 * An empty drawing of that size in place of the old one.
 *
 * @param {HTMLElement} holder
 * @param {number} height
 * @param {string} label
 */
function drawing(holder, height, label) {
  holder.replaceChildren();
  const width = Math.max(holder.clientWidth, 200);
  const svg = select(holder).append("svg").attr("viewBox", `0 0 ${width} ${height}`).attr("width", width).attr("height", height);
  svg.attr("role", "img").attr("aria-label", words.described(label));
  return { svg, width };
}

/**
 * @param {HTMLElement} holder
 * @param {Point[]} points
 * @param {string} label
 */
function drawScatter(holder, points, label) {
  const height = 340;
  const { svg, width } = drawing(holder, height, label);
  const sizes = points.map((p) => p.mib);
  const x = scaleLog().domain([Math.min(...sizes) / 1.5, Math.max(...sizes) * 1.6]).range([MARGIN.left, width - MARGIN.right]);
  const rates = points.map((p) => p.top1);
  const y = scaleLinear().domain([Math.min(...rates) - 1, Math.max(...rates) + 1]).nice().range([height - MARGIN.bottom, MARGIN.top]);
  const ticks = axisBottom(x).ticks(width < 420 ? 3 : 6, "~g").tickSize(MARGIN.top + MARGIN.bottom - height);
  svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - MARGIN.bottom})`).call(ticks);
  const rows = axisLeft(y).ticks(6).tickSize(MARGIN.left + MARGIN.right - width);
  svg.append("g").attr("class", "axis").attr("transform", `translate(${MARGIN.left},0)`).call(rows);
  const spots = points.map((p) => ({ point: p, x: x(p.mib), y: y(p.top1), r: p.own ? 7 : 4.5 }));
  const names = placed(spots, width, height);
  for (const { point, x, y, r } of spots) {
    const dot = svg.append("circle").attr("class", point.own ? "own" : "other").attr("cx", x).attr("cy", y).attr("r", r);
    dot.append("title").text(words.spot(point.name, point.top1, point.mib));
  }
  for (const { point, x, y, end } of names) {
    const text = svg.append("text").attr("class", point.own ? "own" : "other").attr("x", x).attr("y", y);
    text.attr("text-anchor", end ? "end" : "start").text(point.name);
  }
}

/** A spot in a drawing. @typedef {{ point: Point, x: number, y: number, r: number }} Spot */

/**
 * Names beside their spots where they run into nothing; the others are left to the table and the spot's own title.
 *
 * @param {Spot[]} spots
 * @param {number} width
 * @param {number} height
 */
function placed(spots, width, height) {
  const taken = spots.map((s) => ({ left: s.x - s.r, right: s.x + s.r, top: s.y - s.r, bottom: s.y + s.r }));
  const found = [];
  for (const spot of [...spots].sort((a, b) => Number(b.point.own) - Number(a.point.own))) {
    const length = spot.point.name.length * 6.4;
    const sides = [
      { x: spot.x + spot.r + 3, y: spot.y + 4, end: false },
      { x: spot.x - spot.r - 3, y: spot.y + 4, end: true },
      { x: spot.x, y: spot.y - spot.r - 4, end: false },
      { x: spot.x, y: spot.y - spot.r - 4, end: true },
      { x: spot.x, y: spot.y + spot.r + 12, end: false },
      { x: spot.x, y: spot.y + spot.r + 12, end: true },
    ];
    for (const side of sides) {
      const left = side.end ? side.x - length : side.x;
      const box = { left, right: left + length, top: side.y - 10, bottom: side.y + 3 };
      const inside = box.left >= MARGIN.left && box.right <= width && box.top >= 0 && box.bottom <= height - MARGIN.bottom;
      const free = taken.every((t) => box.right < t.left || box.left > t.right || box.bottom < t.top || box.top > t.bottom);
      if (inside && free) {
        taken.push(box);
        found.push({ point: spot.point, ...side });
        break;
      }
    }
  }
  return found;
}

/**
 * @param {HTMLElement} holder
 * @param {Point[]} points
 * @param {string} label
 */
function drawBars(holder, points, label) {
  const sorted = [...points].sort((a, b) => density(b) - density(a));
  const { svg, width } = drawing(holder, sorted.length * ROW, label);
  const values = sorted.map(density);
  const x = scaleLinear().domain([Math.min(0, ...values), Math.max(0, ...values)]).range([1, width - 1]);
  sorted.forEach((point, i) => {
    const [from, to] = [x(0), x(density(point))].sort((a, b) => a - b);
    const side = point.own ? "own" : "other";
    svg.append("text").attr("class", side).attr("x", 1).attr("y", i * ROW + 12).text(point.own ? words.ours(point.name) : point.name);
    svg.append("text").attr("class", side).attr("x", width - 1).attr("y", i * ROW + 12).attr("text-anchor", "end").text(density(point).toFixed(3));
    const bar = svg.append("rect").attr("class", side).attr("x", from).attr("y", i * ROW + 17);
    bar.attr("width", Math.max(to - from, 1)).attr("height", 9).attr("rx", 2);
  });
}

/**
 * @param {HTMLElement} table
 * @param {Point[]} points
 * @param {Record<string, string>} sources
 */
function fillTable(table, points, sources) {
  const row = (/** @type {string} */ cell, /** @type {string[]} */ texts) => {
    const line = make("tr", "");
    line.append(...texts.map((text, i) => make(i === 0 ? "th" : cell, "", text)));
    line.firstElementChild?.setAttribute("scope", cell === "th" ? "col" : "row");
    return line;
  };
  const head = make("thead", "");
  head.append(row("th", words.head));
  const body = make("tbody", "");
  for (const point of [...points].sort((a, b) => density(b) - density(a))) {
    const p = point.published;
    const size = words.size(point.mib, p?.about ?? false);
    const cells = [p?.weights ?? words.file, point.top1.toFixed(2), size, density(point).toFixed(3)];
    const line = row("td", [point.name, ...cells, p?.computedMib?.toFixed(2) ?? words.none, p ? (sources[p.source] ?? p.source) : words.here]);
    line.className = point.own ? "own" : "";
    body.append(line);
  }
  table.replaceChildren(head, body);
}
