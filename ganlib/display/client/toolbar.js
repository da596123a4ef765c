// The controls above the panels, and what they say of the viewer's state.

class Toolbar {
  constructor(viewer) {
    this.viewer = viewer;
    this.head = this.buildHead();
    this.bar = this.buildBar();
    this.help = this.buildHelp();
  }

  buildHead() {
    const badges = h("div.gv-badges");
    if (this.viewer.about.phantom)
      badges.append(
        h("span.gv-badge.gv-phantom", { title: "Simulated from signal equations: no scanner was involved" }, "PHANTOM"),
      );
    badges.append(h("span.gv-badge", {}, DISCLAIMER));
    const save = h(
      "button",
      { type: "button", onclick: () => this.viewer.picture.save(), title: "Save what is on screen as a picture (g)" },
      "Save PNG",
    );
    const help = h(
      "button",
      { type: "button", onclick: () => this.toggleHelp(), title: "Keys (?)", "aria-label": "Help: keys" },
      "?",
    );
    return h(
      "header.gv-head",
      {},
      h("h1", {}, this.viewer.about.cohort),
      badges,
      this.buildChips(),
      h("span.gv-room"),
      save,
      help,
    );
  }

  buildBar() {
    this.directionButtons = this.viewer.about.directions.map((direction, index) =>
      h(
        "button",
        {
          type: "button",
          onclick: () => this.viewer.setDirection(index),
          title: "Direction of translation (d)",
          ...(direction.subjects.length ? {} : { disabled: "" }),
        },
        direction.label,
      ),
    );
    this.subjectSlider = h("input.gv-slider", {
      type: "range",
      min: 0,
      step: 1,
      "aria-label": "Subject",
      oninput: () => this.viewer.go(this.viewer.order[this.subjectSlider.value]),
    });
    this.subjectText = h("output.gv-where");
    this.sliceSlider = h("input.gv-slider", {
      type: "range",
      min: 0,
      step: 1,
      "aria-label": "Slice",
      oninput: () => this.viewer.goSlice(Number(this.sliceSlider.value)),
    });
    this.sliceText = h("output.gv-where");
    this.sliceBox = h("label.gv-field.gv-grow.gv-slices", {}, h("span", {}, "Slice"), this.sliceSlider, this.sliceText);
    return h(
      "div.gv-bar",
      {},
      h("span.gv-choice", { role: "group", "aria-label": "Direction" }, ...this.directionButtons),
      h("label.gv-field.gv-grow", {}, h("span", {}, "Subject"), this.subjectSlider, this.subjectText),
      this.sliceBox,
      ...this.buildSort(),
      this.buildLook(),
    );
  }

  buildSort() {
    const option = (value, text) => h("option", { value }, text);
    const metrics = this.viewer.about.metrics.map((metric) => option(metric.key, `worst ${metric.title}`));
    this.sortMetric = h(
      "select",
      { "aria-label": "Order of subjects", onchange: () => this.viewer.setSort() },
      option("", "id"),
      ...metrics,
    );
    this.sortModel = h(
      "select",
      { "aria-label": "Order by the score of", onchange: () => this.viewer.setSort() },
      ...this.viewer.models.map((model, index) => option(index, model.label)),
    );
    this.sortOf = h("label.gv-field", { hidden: "" }, h("span", {}, "of"), this.sortModel);
    return [h("label.gv-field", {}, h("span", {}, "Sort"), this.sortMetric), this.sortOf];
  }

  /** By what the subjects are to be sorted, as chosen in the lists. */
  chosenSort() {
    this.sortOf.hidden = !this.sortMetric.value;
    return { metric: this.sortMetric.value, model: Number(this.sortModel.value) };
  }

  buildChips() {
    this.chips = this.viewer.models.map((model, index) =>
      h(
        "button.gv-chip",
        { type: "button", onclick: () => this.viewer.toggleModel(index), title: `Show or hide (${index + 1})` },
        h("kbd", {}, String(index + 1)),
        mark(model),
        model.label,
      ),
    );
    return h("span.gv-chips", { role: "group", "aria-label": "Models" }, ...this.chips);
  }

  buildLook() {
    this.errorButtons = Object.keys(ERRORS).map((name) =>
      h(
        "button",
        { type: "button", "data-error": name, onclick: () => this.viewer.setError(name), title: "Error map (e)" },
        name,
      ),
    );
    this.limitSlider = h("input.gv-limit", {
      type: "range",
      min: 0,
      max: ERROR_STEPS.length - 1,
      step: 1,
      "aria-label": "Upper limit of the error map",
      oninput: () => this.viewer.setLimit(ERROR_STEPS[this.limitSlider.value]),
    });
    this.limitText = h("output.gv-number");
    this.smoothBox = h("input", { type: "checkbox", onchange: () => this.viewer.setSmooth(this.smoothBox.checked) });
    return h(
      "span.gv-look",
      {},
      h(
        "span.gv-field",
        {},
        h("span", {}, "Error"),
        h("span.gv-choice", { role: "group", "aria-label": "Error map" }, ...this.errorButtons),
      ),
      h("label.gv-field", {}, h("span", {}, "up to"), this.limitSlider, this.limitText),
      h("label.gv-field", { title: "Interpolate between pixels (s)" }, this.smoothBox, h("span", {}, "Smooth")),
    );
  }

  buildHelp() {
    const rows = KEYS.map(([key, text]) => h("tr", {}, h("th", { scope: "row" }, key), h("td", {}, text)));
    this.help = h(
      "dialog.gv-help",
      { "aria-label": "Keys" },
      h("table", {}, h("tbody", {}, ...rows)),
      h("form", { method: "dialog" }, h("button", {}, "Close")),
    );
    return this.help;
  }

  toggleHelp() {
    if (this.help.open) this.help.close();
    else this.help.showModal();
  }

  tellPlace() {
    const at = this.viewer.order.indexOf(this.viewer.subject);
    const slices = this.viewer.about.slice_mm[this.viewer.subject];
    this.subjectSlider.max = this.viewer.order.length - 1;
    this.subjectSlider.value = at;
    this.subjectSlider.setAttribute("aria-valuetext", this.viewer.subject);
    this.subjectText.replaceChildren(h("b", {}, this.viewer.subject), ` ${at + 1} of ${this.viewer.order.length}`);
    this.sliceBox.hidden = slices.length < 2;
    this.sliceSlider.max = slices.length - 1;
    this.sliceSlider.value = this.viewer.slice;
    this.sliceText.replaceChildren(
      h("b", {}, `${format(slices[this.viewer.slice], 1)} mm`),
      ` ${this.viewer.slice + 1} of ${slices.length}`,
    );
  }

  tellLook() {
    this.directionButtons.forEach((button, index) =>
      button.setAttribute("aria-pressed", String(index === this.viewer.directionIndex)),
    );
    this.errorButtons.forEach((button) =>
      button.setAttribute("aria-pressed", String(button.dataset.error === this.viewer.errorName)),
    );
    this.chips.forEach((chip, index) => chip.setAttribute("aria-pressed", String(!this.viewer.hidden.has(index))));
    this.limitSlider.value = ERROR_STEPS.indexOf(this.viewer.limit);
    this.limitSlider.setAttribute("aria-valuetext", `${this.viewer.limit} %`);
    this.limitText.textContent = `${this.viewer.limit} %`;
    this.smoothBox.checked = this.viewer.smooth;
  }
}
