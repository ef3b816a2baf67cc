// The findings: search, filters, the list, and one of them at length.
import {h, visible} from "./dom.js";
import {Rows} from "./rows.js";
import {kindName, moment, number, size, statusWords} from "./words.js";

const severities = ["error", "warning", "note"];

function statusOf(finding) {
  const others = Object.entries(finding.statuses).filter(([status]) => status !== "leaked");
  return others.map(([status, count]) =>
    (count === finding.count ? statusWords[status] : `${number(count)} ${statusWords[status]}`)).join(", ");
}

function choice(label, id, values, name, store) {
  const select = h("select", {id, "aria-label": label, onchange: () => store.set({[name]: select.value})},
    h("option", {value: ""}, label), values.map(([value, text]) => h("option", {value}, text)));
  store.onChange(() => { select.value = store.filter[name]; });
  return select;
}

function filters(store) {
  const kinds = [...new Set(store.findings.map((finding) => finding.kind))].sort();
  const statuses = [...new Set(store.findings.flatMap((finding) => finding.status))].sort();
  const search = h("input", {
    type: "search", id: "search", placeholder: "Search names, functions, files ( / )", "aria-label": "Search",
    oninput: () => {
      clearTimeout(search.timer);
      search.timer = setTimeout(() => store.set({text: search.value}), 120);
    },
  });
  const process = h("button", {type: "button", class: "chip", onclick: () => store.set({process: null})});
  const count = h("span", {class: "count", role: "status", id: "count"});
  store.onChange(() => {
    const {process: chosen, text} = store.filter;
    process.hidden = !chosen;
    if (chosen) process.textContent = `pid ${chosen.pid} ✕`;
    if (text === "" && document.activeElement !== search) search.value = "";
    count.textContent = store.shown.length === store.findings.length
      ? `${number(store.shown.length)} findings`
      : `${number(store.shown.length)} of ${number(store.findings.length)} findings`;
  });
  return h("div", {class: "filters"}, search,
    choice("Any severity", "severity", severities.map((s) => [s, s]), "severity", store),
    choice("Any kind", "kind", kinds.map((kind) => [kind, kindName(kind, 2)]), "kind", store),
    choice("Not excused", "status", statuses.map((s) => [s, statusWords[s] ?? s]), "status", store),
    process, count);
}

function row(finding, store) {
  const status = statusOf(finding);
  const chosen = store.selected === finding;
  return h("div", {
    class: `row ${finding.severity}${chosen ? " chosen" : ""}`, "aria-selected": String(chosen),
    onclick: () => store.select(finding),
  },
  h("span", {class: "top"},
    h("b", {}, `${number(finding.count)} ${kindName(finding.kind, finding.count)}`),
    h("span", {class: "name"}, visible(finding.title)),
    status ? h("span", {class: "status"}, status) : null,
    finding.session_count > 1 ? h("span", {class: "status"}, `${number(finding.session_count)} sessions`) : null),
  h("span", {class: "where"}, visible(finding.where)));
}

export function frameView(frame) {
  const source = frame.source
    ? h("pre", {class: "source"}, frame.source.map(([line, text]) =>
      h("span", {class: line === frame.line ? "here" : null}, `${String(line).padStart(5)}  ${visible(text)}\n`)))
    : null;
  return h("li", {class: frame.user ? "user" : "other", title: visible(frame.module ?? frame.file ?? "")},
    visible(frame.text), frame.inlined ? h("i", {}, " inlined") : null, source);
}

function stackView(frames) {
  if (frames.length === 0) return h("p", {class: "none"}, "Where it was created is not known.");
  const all = frames.some((frame) => !frame.user);
  const list = h("ol", {class: "stack"}, frames.map(frameView));
  const toggle = h("label", {}, h("input", {
    type: "checkbox", checked: true, onchange: (event) => list.classList.toggle("only-user", !event.target.checked),
  }), " library frames");
  return h("div", {}, h("h3", {}, "Created at, innermost first ", all ? toggle : null), list);
}

function leakView(leak, data) {
  const facts = [];
  if (data.sessions.length > 1) facts.push(data.sessions[leak.session]?.id ?? "");
  facts.push(`by pid ${leak.pid || "?"}`);
  if (leak.thread) facts.push(leak.thread);
  if (leak.process) facts.push(`pid ${leak.process}`);
  if (leak.state) facts.push(leak.state);
  if (leak.fd !== undefined) facts.push(`descriptor ${leak.fd}`);
  if (leak.bytes) facts.push(size(leak.bytes));
  if (leak.start_routine) facts.push(`runs ${leak.start_routine}`);
  if (leak.holds?.length) facts.push(`holds ${leak.holds.join(", ")}`);
  if (leak.attribution) facts.push("appeared meanwhile: may be somebody else's");
  if (leak.status !== "leaked") facts.push(statusWords[leak.status] ?? leak.status);
  if (leak.error) facts.push(leak.error);
  return h("li", {title: moment(leak.created)},
    h("code", {}, visible(leak.command ?? leak.path ?? leak.name)), " ",
    h("span", {class: "facts"}, facts.map((fact) => h("span", {}, visible(fact)))));
}

function detail(finding, store) {
  const {data} = store;
  const shown = finding.leaks;
  const sessions = finding.sessions.map((index) => data.sessions[index]).filter(Boolean);
  return [
    h("button", {type: "button", class: "back", onclick: () => store.select(null)}, "← all findings"),
    h("h2", {class: finding.severity}, `${number(finding.count)} ${kindName(finding.kind, finding.count)}`),
    h("p", {class: "title"}, h("code", {}, visible(finding.title))),
    h("p", {class: "facts"},
      [finding.severity, finding.where, finding.bytes ? size(finding.bytes) : "", finding.fingerprint, statusOf(finding)]
        .filter(Boolean).map((fact) => h("span", {}, visible(fact)))),
    data.sessions.length > 1 ? h("p", {class: "facts"}, `In ${number(finding.session_count)} sessions: `,
      sessions.slice(0, 8).map((session) => h("span", {}, visible(session.id))),
      finding.session_count > 8 ? `and ${number(finding.session_count - 8)} more` : null) : null,
    stackView(store.framesOf(finding)),
    h("h3", {}, finding.count > shown.length ? `The first ${shown.length} of ${number(finding.count)}` : "What is left"),
    h("ul", {class: "leaks"}, shown.map((leak) => leakView(leak, data))),
  ];
}

export function findingsView(store) {
  const rows = new Rows({rowHeight: 52, id: "findings", label: "Findings", render: (finding) => row(finding, store)});
  const panel = h("article", {class: "detail", tabindex: "-1", "aria-live": "polite", id: "detail"});
  const box = h("div", {class: "split"}, rows.element, panel);
  let shown = null;
  let drawn;
  store.onChange(() => {
    if (shown !== store.shown) {
      shown = store.shown;
      rows.element.scrollTop = 0;
      rows.show(shown);
    } else {
      rows.draw();
    }
    box.classList.toggle("open", store.selected !== null);
    if (drawn === store.selected) return;
    drawn = store.selected;
    panel.replaceChildren(...(drawn ? detail(drawn, store)
      : [h("p", {class: "none"}, store.findings.length ? "Choose a finding." : "Nothing is left over.")])
      .filter(Boolean));
    panel.scrollTop = 0;
  });
  rows.element.addEventListener("keydown", (event) => {
    const step = {ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity}[event.key];
    if (step === undefined || store.shown.length === 0) return;
    event.preventDefault();
    const at = store.shown.indexOf(store.selected);
    const next = Math.min(Math.max(at + step, 0), store.shown.length - 1);
    rows.reveal(next);
    store.select(store.shown[next]);
  });
  return h("section", {"aria-label": "Findings"}, filters(store), box);
}
