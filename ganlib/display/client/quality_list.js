// The list of subjects: what was decided on each, which are flagged, and which of them are shown.

const FILTERS = {
  all: ["All", () => true],
  flagged: ["Flagged", (subject) => subject.flags.length > 0],
  undecided: ["To do", (subject) => subject.decision.verdict === "undecided"],
  rejected: ["Rejected", (subject) => subject.decision.verdict === "rejected"],
};
const VERDICT_WORDS = { accepted: "accepted", rejected: "rejected", undecided: "not decided" };
const VERDICT_MARKS = { accepted: "✓", rejected: "✕", undecided: "" };

class QualityList {
  constructor(page) {
    Object.assign(this, { page, filter: "all", subjects: page.subjects });
    const buttons = Object.entries(FILTERS).map(([name, [label]]) =>
      h("button", { "aria-pressed": String(name === this.filter), "data-filter": name, onclick: () => this.setFilter(name) }, label),
    );
    this.filters = h("div.gv-choice", { role: "group", "aria-label": "Which subjects" }, ...buttons);
    this.rows = this.subjects.map((subject, index) => this.row(subject, index));
    const list = h("ol.gq-list", { role: "listbox", "aria-label": "Subjects" }, ...this.rows);
    this.element = h("nav.gq-side", {}, this.filters, list);
    this.subjects.forEach((_, index) => this.dress(index));
  }

  row(subject, index) {
    const flag = h("span.gq-flag", { title: subject.flags.join("\n") }, subject.flags.length ? "⚑" : "");
    return h(
      "li",
      { role: "option", "data-subject": subject.id, onclick: () => this.page.go(index) },
      h("span.gq-verdict"),
      h("span.gq-id", { title: subject.id }, subject.id),
      h("span.gq-part", {}, subject.split),
      flag,
    );
  }

  /** Show what was decided on a subject. */
  dress(index) {
    const { verdict, note } = this.subjects[index].decision;
    const row = this.rows[index];
    row.dataset.verdict = verdict;
    row.firstChild.textContent = VERDICT_MARKS[verdict];
    row.title = [VERDICT_WORDS[verdict], note].filter(Boolean).join(": ");
  }

  select(index) {
    this.rows.forEach((row, at) => row.setAttribute("aria-selected", String(at === index)));
    this.rows[index].scrollIntoView({ block: "nearest" });
  }

  /** Numbers of the subjects in the list as it is filtered, the current one among them. */
  get shown() {
    return this.subjects.map((_, index) => index).filter((index) => !this.rows[index].hidden || index === this.page.index);
  }

  reveal(index) {
    this.rows[index].hidden = false;
  }

  setFilter(name) {
    this.filter = name;
    const [, wanted] = FILTERS[name];
    this.subjects.forEach((subject, index) => (this.rows[index].hidden = !wanted(subject)));
    for (const button of this.filters.children) button.setAttribute("aria-pressed", String(button.dataset.filter === name));
    const first = this.subjects.findIndex(wanted);
    this.page.go(first >= 0 && this.rows[this.page.index].hidden ? first : this.page.index);
  }

  /** How many there are, flagged, accepted, rejected and to do. */
  get counts() {
    const number = (verdict) => this.subjects.filter((subject) => subject.decision.verdict === verdict).length;
    const flagged = this.subjects.filter((subject) => subject.flags.length).length;
    return (
      `${this.subjects.length} subjects, ${flagged} flagged · ${number("accepted")} accepted, ` +
      `${number("rejected")} rejected, ${number("undecided")} to do`
    );
  }
}
