// The page of a comparison: its data, and what a person has chosen. The files compare_*.js are one program, in one
// function. Every text may be a stranger's: it only ever becomes the text of a node.
const RANKS = 5; // of the page's colours, by the goal
const FEW = 8; // points that are all selected at first
const MOST_PICKED = 30; // looks that differ
const byId = id => document.getElementById(id);
const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
const clippedTo = (text, most) => (text.length > most ? `${text.slice(0, Math.max(1, most - 1))}…` : text);

/** The text of a parameter's value: four digits of a fraction. */
function valueText(value) {
    if (typeof value !== "number") return String(value ?? "–");
    if (Number.isInteger(value)) return formatted(value, 0);
    const short = Number(value.toPrecision(4));
    return Math.abs(short) < 1e-4 ? formatted(short) : String(short).replace("-", "−");
}

class Comparison {
    constructor({ goal, best, columns, points, runs }) {
        Object.assign(this, { runs, best, columns, listeners: [], pointed: undefined, changed: new Set() });
        columns.forEach((column, place) => Object.assign(column, { place, isMetric: column.key.startsWith("m:") }));
        this.metrics = columns.filter(column => column.isMetric);
        this.parameters = columns.filter(column => !column.isMetric);
        this.goal = columns.find(column => column.key === goal);
        this.points = points.map((point, number) => ({ ...point, number, runs: point.runs.map(place => runs[place]) }));
        for (const point of this.points) for (const run of point.runs) run.point = point;
        this.brushes = new Map(); // column -> [from, to] along its axis
        this.picked = new Map(); // point -> number of its look
        for (const point of this.points.slice(0, this.points.length <= FEW ? FEW : 1)) this.picked.set(point, point.number);
        this.#rank();
    }

    #rank() {
        const having = this.goal ? this.points.filter(point => this.number(point, this.goal) !== undefined) : [];
        const sign = this.goal?.better === "higher" ? -1 : 1;
        having.sort((one, other) => sign * (this.number(one, this.goal) - this.number(other, this.goal)));
        having.forEach((point, place) => { point.rank = Math.floor((place * RANKS) / having.length); });
    }

    /** The value along an axis, undefined if there is none: of a metric the mean. */
    number(point, column) {
        const value = point.values[column.place];
        return (column.isMetric ? value?.[0] : value) ?? undefined;
    }

    /** A point's value as text. */
    text(point, column) {
        const value = point.values[column.place];
        if (value === null || value === undefined) return "–";
        if (!column.isMetric) return valueText(value);
        const [mean, deviation, count] = value;
        return formatted(mean, column.digits) + (count > 1 ? ` ± ${formatted(deviation, column.digits)} (${count})` : "");
    }

    /** Its classes: a colour and dashes of its own where it is selected, else the colour of its rank. */
    look(point) {
        const slot = this.picked.get(point);
        const isBest = point.number === this.best ? " best-of-all" : "";
        if (slot !== undefined) return `run-${slot % COLOURS} dash-${slot % DASHES} front${isBest}`;
        return `rank-${point.rank ?? RANKS}${isBest}`;
    }

    // ---- What a person does ----------------------------------------------------------------------------------

    on(listener) {
        this.listeners.push(listener);
    }

    /** Have all that changed since the last frame be drawn in the next one. */
    #tell(what) {
        if (this.changed.size === 0) requestAnimationFrame(() => {
            const all = new Set(this.changed);
            this.changed.clear();
            for (const listener of this.listeners) listener(all);
        });
        this.changed.add(what);
    }

    /** Those that no filter leaves out. */
    shown() {
        return this.points.filter(point => [...this.brushes].every(([axis, [from, to]]) => {
            const place = axis.placeOf(point);
            return place !== undefined && place >= from - 1e-9 && place <= to + 1e-9;
        }));
    }

    brush(axis, range) {
        if (range) this.brushes.set(axis, range);
        else this.brushes.delete(axis);
        this.#tell("brush");
    }

    clearBrushes() {
        this.brushes.clear();
        this.#tell("brush");
    }

    pick(point, isPicked = !this.picked.has(point)) {
        if (isPicked && this.picked.size < MOST_PICKED) {
            const taken = new Set(this.picked.values());
            let slot = 0;
            while (taken.has(slot)) slot += 1;
            this.picked.set(point, slot);
        } else this.picked.delete(point);
        this.#tell("pick");
    }

    clearPicked() {
        this.picked.clear();
        this.#tell("pick");
    }

    pointAt(point) {
        if (this.pointed === point) return;
        this.pointed = point;
        this.#tell("point");
    }
}

/** An axis of a column: where each point is along it, from 0 to 1, and its ticks. */
class ColumnAxis {
    constructor(comparison, column, most) {
        Object.assign(this, { comparison, column });
        const values = comparison.points.map(point => comparison.number(point, column)).filter(value => value !== undefined);
        const different = [...new Set(values)];
        this.isNumeric = different.length > 0 && different.every(value => Number.isFinite(value) && Math.abs(value) < LARGEST);
        if (this.isNumeric) {
            this.axis = curveAxis(values, column.log === true && Math.min(...different) > 0, most);
            const listed = different.map(value => ({ value, text: valueText(value) })).sort((one, other) => one.value - other.value);
            const isApart = listed.every((tick, at) => at === 0 || this.axis.place(tick.value) - this.axis.place(listed[at - 1].value) > 0.7 / most);
            const ticks = !column.isMetric && listed.length <= most + 1 && isApart ? listed : this.axis.ticks;
            this.ticks = ticks.map(tick => ({ ...tick, place: this.axis.place(tick.value) }));
        } else {
            this.categories = different.map(String).sort(new Intl.Collator("en", { numeric: true }).compare);
            const step = Math.ceil(this.categories.length / Math.max(1, 2 * most));
            this.ticks = this.categories.map(text => ({ text, place: this.#ofCategory(text) })).filter((_, at) => at % step === 0);
        }
    }

    #ofCategory(text) {
        return (this.categories.indexOf(text) + 0.5) / this.categories.length;
    }

    placeOf(point) {
        const value = this.comparison.number(point, this.column);
        if (value === undefined) return undefined;
        return this.isNumeric ? this.axis.place(value) : this.#ofCategory(String(value));
    }

    /** What lies between two places, in words. */
    between([from, to]) {
        if (!this.isNumeric) {
            const inside = this.categories.filter(text => this.#ofCategory(text) >= from && this.#ofCategory(text) <= to);
            return inside.length ? inside.map(text => clippedTo(text, 40)).join(", ") : "none";
        }
        const text = value => valueText(Number(value.toPrecision(3)));
        return `${text(this.axis.value(from))} to ${text(this.axis.value(to))}`;
    }
}
