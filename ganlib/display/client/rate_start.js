// The first page: what is asked, how to answer, and the rater's consent.

class StartForm {
  /** `join` sends what was filled in, and gives a sentence back if it was refused. */
  constructor(about, scale, join) {
    Object.assign(this, { about, scale, join, pairs: about.mode === "two_alternative" });
    this.name = h("input", { type: "text", maxlength: "80", autocomplete: "off", id: "gr-name" });
    this.experience = h("select", { id: "gr-experience" }, ...about.experience.map((text) => h("option", {}, text)));
    this.consent = h("input", { type: "checkbox", id: "gr-consent" });
    this.says = h("p.gr-says", { role: "alert" });
    this.begin = h("button.gr-go", { type: "submit" }, "Begin");
  }

  content(notice = "") {
    this.says.textContent = notice;
    const question = this.pairs ? "Which of the two images is real?" : "Is this image real, or made by a computer?";
    return [h("h1", {}, question), ...this.instructions(), this.form()];
  }

  instructions() {
    const { practice, total, minutes, contrasts } = this.about;
    const shown = this.pairs
      ? "Two MR images of the brain appear side by side: one was acquired by a scanner, the other is synthetic, made by a neural network. Say which one is real, and how sure you are."
      : "MR images of the brain appear one at a time. Some were acquired by a scanner, others are synthetic, made by a neural network. Say which it is, and how sure you are.";
    const told = practice ? `After each of the first ${practice}, for practice, you are told what was right; then no more. ` : "";
    return [
      h("p", {}, shown),
      h("p", {}, `There are ${practice + total} ${this.pairs ? "pairs" : "images"} (${contrasts.join(" and ")}), about ${minutes + 1} minutes. `, told, "Go by your impression; an answer cannot be changed."),
      this.scale.legend(),
      h("p.gr-quiet", {}, "Keys 1 to 6, or S D F and J K L, or a click. You may stop at any time and come back to the same place."),
    ];
  }

  form() {
    const agreed =
      "I agree that my answers, my response times, and the name and experience given here are stored by the organiser " +
      "of this study and evaluated under a pseudonym.";
    return h(
      "form.gr-form",
      { onsubmit: (event) => this.submit(event) },
      h("label", { for: "gr-name" }, "Name or pseudonym ", h("span.gr-quiet", {}, "(may be left empty)")),
      this.name,
      h("label", { for: "gr-experience" }, "Experience with MR images"),
      this.experience,
      h("label.gr-consent", {}, this.consent, h("span", {}, agreed)),
      this.says,
      this.begin,
    );
  }

  async submit(event) {
    event.preventDefault();
    this.says.textContent = this.consent.checked ? "" : "Please tick the box: without your consent nothing can be stored.";
    if (!this.consent.checked) return;
    this.begin.disabled = true;
    const refusal = await this.join({ name: this.name.value, experience: this.experience.value, consent: true });
    this.begin.disabled = false;
    this.says.textContent = refusal ?? "";
  }
}
