// The table of a comparison: a row for each point, below it its runs where there are several.
class ComparisonTable {
    constructor(comparison, table, chooser) {
        Object.assign(this, { comparison, table, open: new Set(), sort: undefined, up: true });
        this.hidden = new Set(comparison.columns.filter(column => !column.shown));
        this.hasStates = comparison.runs.some(run => run.state !== "succeeded" || run.warning);
        chooser.append(...comparison.columns.map(column => this.choiceOf(column)));
        table.tHead.addEventListener("click", event => this.sortBy(event.target.closest("button")?.dataset.key));
        this.draw();
    }

    choiceOf(column) {
        const box = el("input", { type: "checkbox" });
        box.checked = !this.hidden.has(column);
        box.addEventListener("change", () => {
            if (box.checked) this.hidden.delete(column);
            else this.hidden.add(column);
            this.draw();
        });
        return el("label", {}, box, el("bdi", {}, this.nameOf(column)));
    }

    nameOf(column) {
        return column.unit ? `${column.label}, ${column.unit}` : column.label;
    }

    /** The columns that are shown, the goal first. */
    columns() {
        const { columns, goal } = this.comparison;
        return [...columns].sort((one, other) => (other === goal) - (one === goal)).filter(column => !this.hidden.has(column));
    }

    // ---- Order -----------------------------------------------------------------------------------------------

    sortBy(key) {
        if (key === undefined) return;
        const column = this.comparison.columns.find(each => each.key === key);
        const first = column?.better !== "higher";
        this.up = this.sort === key ? !this.up : first;
        this.sort = key;
        this.draw();
        this.table.tHead.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
    }

    /** All points; those without a value come last, either way. */
    sorted() {
        const { points } = this.comparison;
        if (this.sort === undefined) return points;
        const column = this.comparison.columns.find(each => each.key === this.sort);
        const value = point => (column ? this.comparison.number(point, column) : point.label);
        const collator = new Intl.Collator("en", { numeric: true });
        const order = (one, other) => (typeof one === "number" && typeof other === "number" ? one - other : collator.compare(one, other));
        const having = points.filter(point => value(point) !== undefined);
        having.sort((one, other) => (this.up ? 1 : -1) * order(value(one), value(other)));
        return [...having, ...points.filter(point => value(point) === undefined)];
    }

    // ---- Rows ------------------------------------------------------------------------------------------------

    draw() {
        const { activeElement } = document;
        const focus = this.table.contains(activeElement) ? activeElement.dataset.focus : undefined;
        this.table.tHead.replaceChildren(this.head());
        this.rows = this.sorted().map(point => this.rowOf(point));
        this.table.tBodies[0].replaceChildren(...this.rows.flatMap(({ row, runs }) => [row, ...runs]));
        if (focus) this.table.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
        this.refresh();
    }

    head() {
        const { goal } = this.comparison;
        const heading = (key, label, isNumber) => {
            const isGoal = this.sort === undefined && key === goal?.key;
            const isSorted = this.sort === key || isGoal;
            const isUp = isGoal ? goal.better !== "higher" : this.up;
            return el("th", { scope: "col", class: isNumber && "number", "aria-sort": isSorted && (isUp ? "ascending" : "descending") },
                el("button", { type: "button", "data-key": key }, el("bdi", {}, label)));
        };
        return el("tr", {}, el("td", {}), heading("label", "Run"), ...(this.hasStates ? [el("th", { scope: "col" }, "State")] : []),
            ...this.columns().map(column => heading(column.key, this.nameOf(column), this.isNumber(column))));
    }

    isNumber(column) {
        return column.isMetric || this.comparison.points.every(point => typeof (this.comparison.number(point, column) ?? 0) === "number");
    }

    rowOf(point) {
        const { comparison } = this;
        const box = el("input", { type: "checkbox", "aria-label": `Select ${point.label}`, "data-focus": `pick ${point.number}` });
        box.checked = comparison.picked.has(point);
        box.addEventListener("change", () => comparison.pick(point, box.checked));
        const key = el("span", { class: "key", "aria-hidden": "true" });
        const isOne = point.runs.length === 1;
        const name = isOne ? this.linkOf(point.runs[0], point.label) : this.toggleOf(point);
        const best = point.number === comparison.best ? [el("span", { class: "best" }, "★ best")] : [];
        const row = el("tr", {},
            el("td", { class: "pick" }, el("label", {}, box, key)),
            el("th", { scope: "row" }, name, " ", ...best, ...(isOne ? this.followedOf(point.runs[0]) : [])),
            ...(this.hasStates ? [el("td", { class: "state" }, ...this.statesOf(point))] : []),
            ...this.columns().map(column => el("td", { class: this.isNumber(column) && "number", dir: this.isNumber(column) ? undefined : "auto" }, ...this.contentOf(point, column))));
        for (const kind of ["pointerenter", "focusin"]) row.addEventListener(kind, () => comparison.pointAt(point));
        for (const kind of ["pointerleave", "focusout"]) row.addEventListener(kind, () => comparison.pointAt(undefined));
        return { point, row, box, key, runs: this.open.has(point) ? point.runs.map(run => this.runRow(run)) : [] };
    }

    /** A cell's content: of a metric the mean, with deviation and count in grey. */
    contentOf(point, column) {
        const text = this.comparison.text(point, column);
        const at = column.isMetric ? text.indexOf(" ±") : -1;
        return at < 0 ? [text] : [text.slice(0, at), el("span", { class: "muted" }, text.slice(at))];
    }

    linkOf(run, label) {
        const shown = el("bdi", {}, label);
        return run.href ? el("a", { href: run.href, "data-focus": `open ${run.id}` }, shown) : shown;
    }

    toggleOf(point) {
        const isOpen = this.open.has(point);
        const button = el("button", { type: "button", class: "toggle", "aria-expanded": String(isOpen), "data-focus": `runs ${point.number}` },
            el("bdi", {}, point.label), el("span", { class: "muted" }, ` ${isOpen ? "▾" : "▸"} ${counted(point.runs.length, "run")}`));
        button.addEventListener("click", () => {
            if (!this.open.delete(point)) this.open.add(point);
            this.draw();
        });
        return button;
    }

    /** How long the sweep had it train, where it decides that, and the jobs that used its model. */
    followedOf(run) {
        const epochs = run.epochs ? [el("span", { class: "followed" }, `${counted(run.epochs, "epoch")}`)] : [];
        return [...epochs, ... (run.followed ?? []).map(([action, href, state]) => el("span", { class: "followed" }, el("a", { href }, action), state === "succeeded" ? "" : ` ${state}`))];
    }

    statesOf(point) {
        const states = new Map();
        for (const run of point.runs) states.set(run.state, [...(states.get(run.state) ?? []), run]);
        return [...states].flatMap(([state, runs]) => {
            const why = runs.map(run => run.why ?? run.warning).find(Boolean);
            const many = point.runs.length > 1 && states.size > 1 ? `${runs.length} ` : "";
            return [el("span", { class: `badge ${state}` }, `${many}${state}`), ...(why ? [el("span", { class: "why", dir: "auto", title: why }, why)] : [])];
        });
    }

    runRow(run) {
        const cell = column => {
            if (!column.isMetric) return "";
            const value = run.values[this.comparison.metrics.indexOf(column)];
            return value === null || value === undefined ? "–" : formatted(value, column.digits);
        };
        const why = run.why ?? run.warning;
        return el("tr", { class: "run" }, el("td", {}),
            el("th", { scope: "row" }, this.linkOf(run, run.seed === undefined ? run.label : `seed ${run.seed}`), ...this.followedOf(run)),
            ...(this.hasStates ? [el("td", { class: "state" }, el("span", { class: `badge ${run.state}` }, run.state), ...(why ? [el("span", { class: "why", dir: "auto" }, why)] : []))] : []),
            ...this.columns().map(column => el("td", { class: this.isNumber(column) && "number" }, cell(column))));
    }

    /** Show what is left by the filters, what is selected and what is pointed at. */
    refresh() {
        const { comparison } = this;
        const shown = new Set(comparison.shown());
        for (const { point, row, box, key, runs } of this.rows) {
            for (const each of [row, ...runs]) each.hidden = !shown.has(point);
            const isPicked = comparison.picked.has(point);
            box.checked = isPicked;
            row.className = `${isPicked ? "picked" : ""}${point === comparison.pointed ? " chosen" : ""}`;
            const look = comparison.look(point);
            if (key.dataset.look !== look) {
                key.dataset.look = look;
                key.replaceChildren(svg("svg", { class: look, width: 34, height: 12 }, svg("path", { d: "M0 6H34" })));
            }
        }
    }
}
