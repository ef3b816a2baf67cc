// The report, and which of its findings are being looked at.

export class Store {
  constructor(data) {
    this.data = data;
    this.findings = data.findings;
    for (const finding of this.findings) {
      finding.status = Object.keys(finding.statuses);
      finding.haystack = this.textOf(finding);
    }
    this.filter = {text: "", kind: "", severity: "", status: "", process: null};
    this.shown = [];
    this.selected = null;
    this.listeners = [];
    this.apply();
  }

  // What is searched: names, places, functions, commands, labels.
  textOf(finding) {
    const parts = [finding.title, finding.where, finding.kind, finding.fingerprint];
    for (const leak of finding.leaks) parts.push(leak.name, leak.command ?? "", leak.path ?? "");
    for (const index of finding.sessions) {
      const session = this.data.sessions[index];
      if (session) parts.push(session.id, session.command, ...Object.entries(session.labels).map((l) => l.join("=")));
    }
    for (const frame of this.framesOf(finding)) parts.push(frame.text);
    return parts.join("\n").toLowerCase();
  }

  framesOf(finding) {
    const stack = finding.stack === null ? null : this.data.stacks[finding.stack];
    return (stack ?? []).map((index) => this.data.frames[index]);
  }

  onChange(listener) {
    this.listeners.push(listener);
  }

  set(changes) {
    Object.assign(this.filter, changes);
    this.apply();
  }

  reset() {
    this.set({text: "", kind: "", severity: "", status: "", process: null});
  }

  apply() {
    const {text, kind, severity, status, process} = this.filter;
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.shown = this.findings.filter((finding) =>
      (!kind || finding.kind === kind) &&
      (!severity || finding.severity === severity) &&
      (status ? finding.status.includes(status)
              : !finding.status.every((each) => each === "suppressed" || each === "baseline")) &&
      (!process || finding.creators.some(([s, pid]) => s === process.session && pid === process.pid) ||
        finding.leaks.some((leak) => leak.session === process.session && leak.process === process.pid)) &&
      words.every((word) => finding.haystack.includes(word)));
    if (!this.shown.includes(this.selected)) this.selected = null;
    this.changed();
  }

  select(finding) {
    this.selected = finding;
    this.changed();
  }

  changed() {
    for (const listener of this.listeners) listener();
  }
}
