// The processes as a tree over time: when each began and ended, how, and what it left.
import {axisTop} from "d3-axis";
import {scaleLinear} from "d3-scale";
import {select} from "d3-selection";
import {zoom, zoomIdentity} from "d3-zoom";
import {h, visible} from "./dom.js";
import {number, seconds} from "./words.js";

const rowHeight = 20;
const labelWidth = 60;

// Parents before children, each child below its parent, in the order of their starts.
function inTreeOrder(processes, session) {
  const own = processes.filter((process) => process.session === session);
  const byPid = new Map(own.map((process) => [process.pid, process]));
  const children = new Map();
  const roots = [];
  for (const process of own) {
    const parent = byPid.get(process.ppid);
    if (!parent || parent === process) roots.push(process);
    else if (children.has(parent)) children.get(parent).push(process);
    else children.set(parent, [process]);
  }
  const ordered = [];
  const seen = new Set();
  const byStart = (a, b) => (a.start ?? 0) - (b.start ?? 0) || a.pid - b.pid;
  const pending = roots.sort(byStart).reverse().map((process) => [process, 0]);
  const visit = () => {
    while (pending.length > 0) {
      const [process, depth] = pending.pop();
      if (seen.has(process)) continue;
      seen.add(process);
      ordered.push({process, depth});
      for (const child of (children.get(process) ?? []).sort(byStart).reverse()) pending.push([child, depth + 1]);
    }
  };
  visit();
  for (const process of own) {  // a pid used twice may have made a circle
    if (!seen.has(process)) pending.push([process, 0]);
    visit();
  }
  return ordered;
}

function tone(process) {
  if (process.left) return "error";
  if (process.exit.startsWith("killed")) return "warning";
  if (!process.instrumented) return "dim";
  return "plain";
}

function describe(process, begin) {
  const parts = [`pid ${process.pid}`, process.command];
  if (process.start !== null) parts.push(`began at ${seconds((process.start - begin) / 1000)}`);
  if (process.start !== null && process.end !== null) parts.push(`ran ${seconds((process.end - process.start) / 1000)}`);
  if (process.exit) parts.push(process.exit);
  if (!process.instrumented) parts.push(`not instrumented${process.reason ? ` (${process.reason})` : ""}`);
  parts.push(process.left ? `left ${number(process.left)} behind` : "left nothing behind");
  return parts.filter(Boolean).map(visible).join(" · ");
}

class Timeline {
  constructor(store) {
    this.store = store;
    this.tip = h("p", {class: "tip", role: "status"}, "Hover a process, or choose one with the arrow keys.");
    this.canvas = select(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
    this.axis = this.canvas.append("g").attr("class", "axis");
    this.bars = this.canvas.append("g");
    this.scroller = h("div", {class: "timeline", tabindex: "0", role: "listbox", "aria-label": "Processes", id: "timeline"},
      this.canvas.node());
    this.transform = zoomIdentity;
    this.rows = [];
    this.zoom = zoom().scaleExtent([1, 100000]).extent(() => this.extent()).translateExtent(this.extent())
      // The wheel alone scrolls the page, as everywhere.
      .filter((event) => (event.type === "wheel" ? event.ctrlKey || event.metaKey : !event.button))
      .on("zoom", (event) => {
        this.transform = event.transform;
        this.draw();
      });
    this.canvas.call(this.zoom).on("dblclick.zoom", null);
    this.scroller.addEventListener("scroll", () => this.draw());
    this.scroller.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.scroller);
    this.at = -1;
    this.show(0);
  }

  show(session) {
    this.rows = inTreeOrder(this.store.data.processes, session);
    this.at = -1;
    const times = this.rows.flatMap(({process}) => [process.start, process.end]).filter((time) => time !== null);
    const about = this.store.data.sessions[session];
    this.begin = times.reduce((a, b) => Math.min(a, b), about?.started ?? Infinity);
    if (!Number.isFinite(this.begin)) this.begin = 0;
    this.end = times.reduce((a, b) => Math.max(a, b), this.begin + (about?.seconds ?? 0) * 1000);
    if (this.end <= this.begin) this.end = this.begin + 1;
    this.canvas.call(this.zoom.transform, zoomIdentity);
    this.draw();
  }

  extent() {
    return [[labelWidth, 0], [Math.max(this.scroller.clientWidth - 12, labelWidth + 1), this.rows.length * rowHeight + 24]];
  }

  // What still runs has a bar to the end.
  xOf(scale, process) {
    const from = scale(((process.start ?? this.begin) - this.begin) / 1000);
    const to = scale(((process.end ?? this.end) - this.begin) / 1000);
    return [from, Math.max(to - from, 2)];
  }

  draw() {
    const width = this.scroller.clientWidth;
    if (width === 0) return;
    const height = this.rows.length * rowHeight + 24;
    this.canvas.attr("width", width).attr("height", height);
    const scale = this.transform.rescaleX(
      scaleLinear().domain([0, (this.end - this.begin) / 1000]).range([labelWidth, this.extent()[1][0]]));
    this.zoom.translateExtent(this.extent());
    this.axis.attr("transform", `translate(0, ${20 + this.scroller.scrollTop})`)
      .call(axisTop(scale).ticks(Math.max(2, Math.floor(width / 110))).tickFormat((value) => `${value} s`));
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / rowHeight) - 2);
    const last = Math.min(this.rows.length, first + Math.ceil(this.scroller.clientHeight / rowHeight) + 4);
    const chosen = this.store.filter.process;
    const rows = this.rows.slice(first, last).map((row, index) => ({...row, index: first + index}));
    this.bars.selectAll("g").data(rows, (row) => `${row.index}:${row.process.session}:${row.process.pid}`)
      .join((enter) => {
        const group = enter.append("g").attr("class", (row) => `bar ${tone(row.process)}`);
        group.append("rect").attr("height", rowHeight - 6).attr("rx", 3);
        group.append("text").attr("class", "pid").attr("y", rowHeight - 9).attr("x", 4).text((row) => row.process.pid);
        group.append("text").attr("class", "what").attr("y", rowHeight - 9)
          .text((row) => visible(`${row.process.command.slice(0, 120)}${row.process.left ? `  (${number(row.process.left)} left)` : ""}`));
        group.on("mousemove", (event, row) => this.tell(row.process))
          .on("click", (event, row) => this.choose(row));
        return group;
      })
      .attr("transform", (row) => `translate(0, ${24 + row.index * rowHeight})`)
      .classed("chosen", (row) => row.index === this.at ||
        (chosen && chosen.pid === row.process.pid && chosen.session === row.process.session))
      .each((row, index, nodes) => {
        const [x, length] = this.xOf(scale, row.process);
        const indent = Math.min(row.depth, 8) * 3;
        const group = select(nodes[index]);
        group.select("rect").attr("x", Math.max(x, labelWidth)).attr("y", 1)
          .attr("width", Math.max(length - Math.max(labelWidth - x, 0), 2));
        group.select(".pid").attr("x", 2 + indent);
        group.select(".what").attr("x", Math.min(Math.max(x, labelWidth), width - 120) + 6);
      });
  }

  tell(process) {
    this.tip.textContent = describe(process, this.begin);
  }

  choose(row) {
    const {pid, session} = row.process;
    const {process} = this.store.filter;
    this.at = row.index;
    this.tell(row.process);
    this.store.set({process: process && process.pid === pid && process.session === session ? null : {pid, session}});
  }

  key(event) {
    if (event.key === "+" || event.key === "-") {
      this.canvas.call(this.zoom.scaleBy, event.key === "+" ? 1.5 : 1 / 1.5);
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      this.canvas.call(this.zoom.translateBy, (event.key === "ArrowLeft" ? 60 : -60) / this.transform.k, 0);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      this.at = Math.min(Math.max(this.at + (event.key === "ArrowDown" ? 1 : -1), 0), this.rows.length - 1);
      const top = this.at * rowHeight;
      if (top < this.scroller.scrollTop || top > this.scroller.scrollTop + this.scroller.clientHeight - 2 * rowHeight) {
        this.scroller.scrollTop = top - this.scroller.clientHeight / 2;
      }
      if (this.rows[this.at]) this.tell(this.rows[this.at].process);
      this.draw();
    } else if (event.key === "Enter" && this.rows[this.at]) {
      this.choose({...this.rows[this.at], index: this.at});
    } else {
      return;
    }
    event.preventDefault();
  }
}

export function timelineView(store) {
  if (store.data.processes.length === 0) return null;
  const timeline = new Timeline(store);
  store.onChange(() => timeline.draw());
  const {sessions} = store.data;
  const picker = sessions.length > 1
    ? h("select", {"aria-label": "Session", id: "session", onchange: (event) => timeline.show(Number(event.target.value))},
      sessions.slice(0, 5000).map((session, index) =>
        h("option", {value: index}, visible(`${session.id}: ${session.command}`.slice(0, 100)))))
    : null;
  const button = (text, title, action) => h("button", {type: "button", title, onclick: action}, text);
  const scaled = (factor) => () => timeline.canvas.call(timeline.zoom.scaleBy, factor);
  return h("section", {"aria-label": "Processes"},
    h("h2", {}, "Processes", picker,
      h("span", {class: "tools"}, button("+", "Zoom in", scaled(2)), button("−", "Zoom out", scaled(0.5)),
        button("⤢", "All of it", () => timeline.canvas.call(timeline.zoom.transform, zoomIdentity)))),
    timeline.scroller, timeline.tip);
}
