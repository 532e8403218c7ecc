// The goal against each parameter that differs: small plots, which share the goal's axis.
const SCATTER = { height: 210, top: 12, right: 10, bottom: 36 };
const STAR = "M0-8L2.1-2.7 7.8-2.4 3.4 1.2 4.9 6.7 0 3.6-4.9 6.7-3.4 1.2-7.8-2.4-2.1-2.7Z";
const SHAPES = ["M-4.6 0a4.6 4.6 0 1 0 9.2 0a4.6 4.6 0 1 0-9.2 0Z", "M-4.3-4.3H4.3V4.3H-4.3Z", "M0-5.6L5.2 4H-5.2Z", "M0-6L6 0 0 6-6 0Z", "M0 5.6L5.2-4H-5.2Z"]; // as many as DASHES
const SCATTER_REACH = 22; // pixels

class ScatterPlot {
    constructor(comparison, column, importance) {
        Object.assign(this, { comparison, column });
        this.x = new ColumnAxis(comparison, column, 4);
        this.y = new ColumnAxis(comparison, comparison.goal, 4);
        const share = importance === undefined ? "" : `, importance ${importance < 0.01 ? "below 1" : Math.round(100 * importance)} %`;
        const alt = `${comparison.goal.label} against ${column.label}${column.log ? ", on a logarithmic axis" : ""}. The table has the values.`;
        this.svg = svg("svg", { role: "img", "aria-label": alt });
        this.frame = el("div", { class: "plot" }, this.svg);
        this.node = el("figure", {}, el("figcaption", {}, el("bdi", {}, column.label), el("span", { class: "muted" }, share)), this.frame);
        this.listen();
        new ResizeObserver(() => this.frame.clientWidth !== this.width && this.draw()).observe(this.frame);
    }

    draw() {
        const width = this.frame.clientWidth;
        this.width = width;
        if (width === 0) return;
        const { height } = SCATTER;
        this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
        this.svg.setAttribute("height", height);
        const left = 12 + 7 * Math.max(...this.y.ticks.map(tick => tick.text.length), 1);
        const [right, bottom] = [width - SCATTER.right, height - SCATTER.bottom];
        const across = place => left + 6 + place * (right - left - 12);
        const up = place => bottom - place * (bottom - SCATTER.top);
        const grid = this.y.ticks.map(({ place, text }) => svg("g", {},
            svg("line", { x1: left, x2: right, y1: up(place), y2: up(place) }),
            svg("text", { x: left - 6, y: up(place) + 4, "text-anchor": "end" }, text)));
        const room = Math.max(3, Math.floor((right - left) / this.x.ticks.length / 7));
        let end = 0;
        const marks = this.x.ticks.flatMap(({ place, text }) => {
            const label = clippedTo(text, this.x.isNumeric ? 14 : room);
            const half = 3.7 * label.length;
            if (across(place) - half < end + 4) return [];
            end = across(place) + half;
            return [svg("text", { x: across(place), y: bottom + 18, "text-anchor": "middle" }, label)];
        });
        this.places = this.comparison.points.flatMap(point => {
            const [x, y] = [this.x.placeOf(point), this.y.placeOf(point)];
            return x === undefined || y === undefined ? [] : [{ point, x: across(x), y: up(y) }];
        });
        for (const place of this.places) place.node = this.markOf(place, up);
        this.layer = svg("g", { class: "points" });
        this.svg.replaceChildren(...grid, ...marks, this.layer);
        this.refresh();
    }

    /** Its deviation as a bar, and a mark that `refresh` shapes. */
    markOf({ point, x }, up) {
        const [mean, deviation, count] = point.values[this.comparison.goal.place];
        const bar = count > 1 && this.y.isNumeric
            ? [svg("path", { class: "bar", d: `M${x} ${up(this.y.axis.place(mean - deviation)).toFixed(1)}V${up(this.y.axis.place(mean + deviation)).toFixed(1)}` })]
            : [];
        return svg("g", {}, ...bar, svg("path", {}));
    }

    /** A star for the best, a shape of its own for what is selected, else a small disc. */
    shapeOf(point) {
        const slot = this.comparison.picked.get(point);
        return point.number === this.comparison.best ? STAR : SHAPES[(slot ?? 0) % SHAPES.length];
    }

    refresh() {
        if (!this.places) return;
        const shown = new Set(this.comparison.shown());
        const { picked, pointed, best } = this.comparison;
        const front = ({ point }) => (point === pointed ? 3 : point.number === best ? 2 : picked.has(point) ? 1 : 0);
        const size = place => [0.74, 1, 1, 1.25][front(place)];
        const order = [...this.places].sort((one, other) => front(one) - front(other));
        for (const place of order) {
            const { point, node, x, y } = place;
            node.setAttribute("class", `${this.comparison.look(point)}${shown.has(point) ? "" : " out"}${point === pointed ? " chosen" : ""}`);
            node.lastChild.setAttribute("d", this.shapeOf(point));
            node.lastChild.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${size(place)})`);
        }
        this.layer.classList.toggle("choosing", pointed !== undefined);
        this.layer.replaceChildren(...order.map(({ node }) => node));
    }

    nearest(event) {
        const { left, top } = this.svg.getBoundingClientRect();
        const shown = new Set(this.comparison.shown());
        let found = { distance: SCATTER_REACH };
        for (const { point, x, y } of this.places ?? []) {
            const distance = Math.hypot(x - event.clientX + left, y - event.clientY + top);
            if (shown.has(point) && distance < found.distance) found = { distance, point };
        }
        return found.point;
    }

    listen() {
        this.svg.addEventListener("pointermove", event => this.comparison.pointAt(this.nearest(event)));
        this.svg.addEventListener("pointerleave", () => this.comparison.pointAt(undefined));
        this.svg.addEventListener("click", event => {
            const point = this.nearest(event);
            if (point) this.comparison.pick(point);
        });
    }
}
