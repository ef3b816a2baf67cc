// The page of an HTML report: reads the data that stands in it and builds everything from that.
import {cards, header} from "./cards.js";
import {findingsView} from "./findings.js";
import {flameView} from "./flame.js";
import {hangsView} from "./hang.js";
import {Store} from "./store.js";
import {timelineView} from "./timeline.js";

const store = new Store(JSON.parse(document.getElementById("data").textContent));
const parts = [header(store), cards(store), hangsView(store), findingsView(store), timelineView(store), flameView(store)];
document.getElementById("page").append(...parts.filter(Boolean));
// Where there is room for it beside the list.
if (matchMedia("(min-width: 761px)").matches && store.shown.length > 0) store.select(store.shown[0]);
else store.changed();

document.addEventListener("keydown", (event) => {
  const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName);
  if (event.key === "/" && !typing) {
    event.preventDefault();
    document.getElementById("search").focus();
  } else if (event.key === "Escape") {
    if (store.selected) store.select(null);
    else store.reset();
    document.getElementById("findings").focus();
  }
});
