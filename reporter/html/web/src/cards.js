// What it was, and what is to be known at first sight.
import {h, visible} from "./dom.js";
import {moment, number, seconds, size} from "./words.js";

function card(value, label, tone, action) {
  return h(action ? "button" : "div", {class: `card ${tone}`, type: action ? "button" : null, onclick: action},
    h("b", {}, value), h("span", {}, label));
}

function theme() {
  const root = document.documentElement;
  const dark = () => root.dataset.theme
    ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  return h("button", {
    type: "button", id: "theme", title: "Light or dark",
    onclick: () => { root.dataset.theme = dark() ? "light" : "dark"; },
  }, "◐");
}

export function header(store) {
  const {sessions} = store.data;
  if (sessions.length !== 1) {
    return h("header", {}, h("h1", {}, `${number(sessions.length)} sessions`), theme());
  }
  const [session] = sessions;
  const facts = [session.exit, seconds(session.seconds), session.host, moment(session.started), session.id]
    .concat(Object.entries(session.labels).map(([key, value]) => `${key}=${value}`));
  if (session.timed_out) facts.unshift("timed out");
  if (!session.complete) facts.push("a record was damaged: there may be more");
  return h("header", {},
    h("h1", {title: session.command}, visible(session.command)),
    theme(),
    h("p", {class: "facts"}, facts.filter(Boolean).map((fact) => h("span", {}, visible(fact)))));
}

export function cards(store) {
  const {summary, processes, cleanup} = store.data;
  const by = (severity) => () => store.set({severity: store.filter.severity === severity ? "" : severity});
  const list = [
    card(number(summary.errors), summary.errors === 1 ? "error" : "errors", summary.errors ? "error" : "good", by("error")),
    card(number(summary.warnings), summary.warnings === 1 ? "warning" : "warnings",
      summary.warnings ? "warning" : "good", by("warning")),
    card(number(summary.notes), summary.notes === 1 ? "note" : "notes", "note", by("note")),
    card(number(store.findings.length), "places in the code", "plain"),
    card(number(processes.length), processes.length === 1 ? "process" : "processes", "plain"),
  ];
  const rest = [["cleaned", "cleaned up", "good"], ["in_use", "in use by others", "warning"],
    ["failed", "not cleaned up", "error"], ["suppressed", "suppressed", "plain"], ["baseline", "in the baseline", "plain"]];
  for (const [name, label, tone] of rest) {
    if (summary[name]) list.push(card(number(summary[name]), label, tone, () => store.set({status: name})));
  }
  if (cleanup) list.push(card(size(cleanup.reclaimed_bytes), `freed in ${seconds(cleanup.seconds)}`, "good"));
  return h("section", {class: "cards", "aria-label": "Summary"}, list);
}
