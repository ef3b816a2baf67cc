// A list of any length: only the rows in view are in the document. All rows are equally high.
import {h} from "./dom.js";

export class Rows {
  // render(item, index) gives a row's element; `label` names the list to screen readers.
  constructor({rowHeight, render, label, id}) {
    this.rowHeight = rowHeight;
    this.render = render;
    this.items = [];
    this.space = h("div", {class: "space"});
    this.element = h("div", {class: "rows", id, role: "listbox", tabindex: "0", "aria-label": label}, this.space);
    this.element.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  show(items) {
    this.items = items;
    this.space.style.height = `${items.length * this.rowHeight}px`;
    this.draw();
  }

  draw() {
    const {scrollTop, clientHeight} = this.element;
    const first = Math.max(0, Math.floor(scrollTop / this.rowHeight) - 4);
    const last = Math.min(this.items.length, Math.ceil((scrollTop + clientHeight) / this.rowHeight) + 4);
    const rows = [];
    for (let index = first; index < last; ++index) {
      const row = this.render(this.items[index], index);
      row.style.top = `${index * this.rowHeight}px`;
      row.style.height = `${this.rowHeight}px`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-posinset", index + 1);
      row.setAttribute("aria-setsize", this.items.length);
      rows.push(row);
    }
    this.space.replaceChildren(...rows);
  }

  reveal(index) {
    const top = index * this.rowHeight;
    const {scrollTop, clientHeight} = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + this.rowHeight > scrollTop + clientHeight) this.element.scrollTop = top + this.rowHeight - clientHeight;
  }
}
