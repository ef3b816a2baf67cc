// The creation stacks of the findings shown, as a flame graph: the widest call leaves most behind.
import flamegraph from "d3-flame-graph";
import {select} from "d3-selection";
import {h, visible} from "./dom.js";
import {number} from "./words.js";

function treeOf(store) {
  const root = {name: "all", value: 0, children: new Map()};
  for (const finding of store.shown) {
    const frames = store.framesOf(finding);
    if (frames.length === 0) continue;
    root.value += finding.count;
    let node = root;
    for (let index = frames.length - 1; index >= 0; --index) {
      const frame = frames[index];
      const key = frame.name || frame.text;
      let child = node.children.get(key);
      if (!child) {
        child = {name: visible(key), value: 0, user: frame.user, place: frame.text, children: new Map()};
        node.children.set(key, child);
      }
      child.value += finding.count;
      node = child;
    }
  }
  const plain = (node) => ({...node, children: [...node.children.values()].map(plain)});
  return plain(root);
}

export function flameView(store) {
  const box = h("div", {class: "flame", id: "flame"});
  const tip = h("p", {class: "tip", role: "status"}, "");
  const details = h("details", {open: false}, h("summary", {}, "Flame graph of where it was created"), box, tip);
  let chart = null;
  const draw = () => {
    if (!details.open || box.clientWidth === 0) return;
    const tree = treeOf(store);
    box.replaceChildren();
    if (tree.value === 0) {
      tip.textContent = "No stacks are known.";
      return;
    }
    chart = flamegraph().width(box.clientWidth).cellHeight(20).transitionDuration(0).selfValue(false)
      .inverted(true).sort(true).minFrameSize(2)
      .setColorMapper((node) => (node.data.user ? "var(--flame-user)" : "var(--flame-other)"))
      .setLabelHandler((node) => `${visible(node.data.place ?? node.data.name)}: ${number(node.data.value ?? node.value)} left`)
      .onHover((node) => { tip.textContent = `${visible(node.data.place ?? node.data.name)}: ${number(node.data.value)} left`; })
      .onClick((node) => { tip.textContent = `${visible(node.data.place ?? node.data.name)}: ${number(node.data.value)} left`; });
    select(box).datum(tree).call(chart);
    tip.textContent = "Click a call to widen it; click the topmost to see all again.";
  };
  let shown = null;
  store.onChange(() => {
    if (shown === store.shown) return;
    shown = store.shown;
    draw();
  });
  details.addEventListener("toggle", draw);
  new ResizeObserver(() => draw()).observe(details);
  return h("section", {"aria-label": "Flame graph"}, details);
}
