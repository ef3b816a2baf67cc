// What hangs: who waits for whom, and where each thread is.
import {h, visible} from "./dom.js";
import {frameView} from "./findings.js";
import {number} from "./words.js";

function groupView(group, data) {
  const frames = group.frames.map((index) => data.frames[index]);
  return h("details", {class: "thread"},
    h("summary", {}, visible(group.title)),
    h("p", {class: "facts"}, [group.command, ...group.reasons, group.start ? `started at ${group.start}` : "", group.error].filter(Boolean)
      .map((fact) => h("span", {}, visible(fact)))),
    frames.length === 0 ? h("p", {class: "none"}, "Its stack is not known.") : h("ol", {class: "stack"}, frames.map(frameView)));
}

function hangView(hang, data) {
  return [
    h("h2", {class: hang.timed_out ? "error" : null}, visible(hang.headline)),
    hang.sessions > 1 ? h("p", {class: "none"}, `${number(hang.sessions)} sessions wait at this place.`) : null,
    h("ul", {class: "chains"}, hang.chains.map((chain) => h("li", {}, visible(chain)))),
    hang.groups.map((group) => groupView(group, data)),
    hang.more ? h("p", {class: "none"}, `and ${number(hang.more)} more places`) : null,
  ].flat();
}

export function hangsView(store) {
  const {data} = store;
  if (!data.hangs?.length) return null;
  return h("section", {id: "hangs", "aria-label": "What hangs"}, data.hangs.flatMap((hang) => hangView(hang, data)));
}
