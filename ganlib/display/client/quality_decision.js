// Accept, reject or take back, with a note. A decision stands on the page once it is on the disk.

class QualityDecision {
  constructor(page) {
    this.page = page;
    const button = (verdict, label, key) =>
      h("button", { "data-verdict": verdict, title: `Key ${key}`, onclick: () => this.decide(verdict) }, label, h("kbd", {}, key));
    this.verdicts = h(
      "div.gv-choice",
      { role: "group", "aria-label": "Decision" },
      button("accepted", "Accept", "a"),
      button("rejected", "Reject", "r"),
      button("undecided", "Take back", "x"),
    );
    this.note = h("input.gq-note", { type: "text", maxlength: 2000, placeholder: "Note (n): why", "aria-label": "Note" });
    this.note.addEventListener("keydown", (event) => this.noteKey(event));
    this.stored = h("output.gq-stored", { "aria-live": "polite" });
    this.element = h("div.gq-decision", {}, this.verdicts, this.note, this.stored);
  }

  decide(verdict, { advance = verdict === "accepted" } = {}) {
    const { subject, store } = this.page;
    const key = `decide|${subject}`;
    this.stored.textContent = "storing …";
    store.send({ kind: "decide", key, subject, verdict, note: this.note.value });
    this.afterwards = { key, advance };
    if (verdict === "rejected" && !advance) this.note.focus();
  }

  decided({ key, subject, decision }) {
    const { page } = this;
    const index = page.subjects.findIndex((entry) => entry.id === subject);
    page.subjects[index].decision = decision;
    page.list.dress(index);
    const goOn = this.afterwards?.key === key && this.afterwards.advance;
    const { shown } = page.list;
    if (index === page.index && goOn && shown.indexOf(index) < shown.length - 1) page.step(1);
    else if (index === page.index) this.show(this.note !== document.activeElement);
    this.stored.textContent = `${subject} ${VERDICT_WORDS[decision.verdict]}, stored ${new Date(decision.made).toLocaleTimeString([], { hour12: false })}`;
    page.frame.dataset.stored = `${subject}|${decision.verdict}|${decision.note}`;
    page.count();
  }

  /** What stands decided on the subject that is shown. */
  show(replaceNote = true) {
    const { verdict, note } = this.page.entry.decision;
    for (const button of this.verdicts.children)
      button.setAttribute("aria-pressed", String(verdict !== "undecided" && button.dataset.verdict === verdict));
    this.verdicts.lastChild.disabled = verdict === "undecided";
    this.element.dataset.verdict = verdict;
    if (replaceNote) this.note.value = note;
    this.page.count();
  }

  noteKey(event) {
    event.stopPropagation();
    if (event.key === "Escape") {
      this.note.value = this.page.entry.decision.note;
      this.page.frame.focus();
    }
    if (event.key !== "Enter") return;
    const { verdict } = this.page.entry.decision;
    this.page.frame.focus();
    this.decide(verdict === "undecided" ? "rejected" : verdict, { advance: true });
  }
}
