// Parallel coordinates: an axis for each parameter that differs and for the goal, a line for each point. Dragging along
// an axis, or its keys, leaves out the points elsewhere. In a narrow page the axes lie, one below the other.
const NARROW = 620; // pixels
const STEP = 0.05; // of an axis, by a key
const MOST_AXES = 14;
const PARALLEL = { height: 340, row: 74, top: 52, bottom: 16, side: 46 };
const LONGEST_TICK = 16; // characters on the first axis, whose ticks have the page's edge beside them
const POINT_REACH = 14; // pixels around a line within which it is meant

class ParallelPlot {
    constructor(comparison, frame) {
        Object.assign(this, { comparison, frame });
        const columns = [...comparison.parameters.slice(0, MOST_AXES - 1), ...(comparison.goal ? [comparison.goal] : [])];
        this.axes = columns.map(column => new ColumnAxis(comparison, column, 5));
        this.svg = svg("svg", { role: "group", "aria-label": "Parallel coordinates. Each axis can be focused: the arrow keys set and move a filter, with Shift they change its size, Escape removes it." });
        frame.replaceChildren(this.svg);
        this.listen();
        new ResizeObserver(() => frame.clientWidth !== this.width && this.draw()).observe(frame);
    }

    draw() {
        const width = this.frame.clientWidth;
        this.width = width;
        if (width === 0) return;
        this.lies = width < NARROW;
        this.svg.classList.toggle("lies", this.lies);
        const height = this.lies ? PARALLEL.row * (this.axes.length - 1) + 66 : PARALLEL.height;
        const longest = Math.max(0, ...this.axes.slice(0, 1).flatMap(axis => axis.ticks.map(({ text }) => text.length)));
        this.left = Math.max(PARALLEL.side, 7.4 * Math.min(longest, LONGEST_TICK) + 10);
        this.pitch = (width - this.left - PARALLEL.side) / Math.max(1, this.axes.length - 1);
        this.span = this.lies ? [14, width - 14] : [height - PARALLEL.bottom, PARALLEL.top];
        this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
        this.svg.setAttribute("height", height);
        this.lines = this.comparison.points.map(point => this.lineOf(point));
        this.layer = svg("g", { class: "lines" });
        this.handles = this.axes.map((axis, number) => this.nodeOf(axis, number));
        this.svg.replaceChildren(this.layer, ...this.handles);
        this.refresh();
    }

    /** Pixels of a place from 0 to 1 along an axis. */
    along(place) {
        return this.span[0] + place * (this.span[1] - this.span[0]);
    }

    across(number) {
        return this.lies ? 36 + PARALLEL.row * number : this.left + this.pitch * number;
    }

    at(number, place) {
        return this.lies ? [this.along(place), this.across(number)] : [this.across(number), this.along(place)];
    }

    lineOf(point) {
        const places = this.axes.map((axis, number) => {
            const place = axis.placeOf(point);
            return place === undefined ? undefined : this.at(number, place);
        });
        let before;
        const path = places.map(place => {
            const start = before ? "L" : "M";
            before = place;
            return place ? `${start}${place[0].toFixed(1)} ${place[1].toFixed(1)}` : "";
        });
        return { point, places, node: svg("path", { d: path.join("") || "M0 0" }) };
    }

    nodeOf(axis, number) {
        const [from, to] = [this.at(number, 0), this.at(number, 1)];
        const room = number === 0 ? LONGEST_TICK : Math.max(4, Math.floor(this.pitch / 8));
        const ticks = axis.ticks.map(({ place, text }) => {
            const [x, y] = this.at(number, place);
            return this.lies
                ? svg("text", { x, y: y + 17, "text-anchor": place < 0.15 ? "start" : place > 0.85 ? "end" : "middle" }, clippedTo(text, 12))
                : svg("text", { x: x - 6, y: y + 4, "text-anchor": "end" }, clippedTo(text, room));
        });
        const handle = svg("g", { class: "axis", tabindex: 0, role: "slider", "aria-label": `Filter by ${axis.column.label}`, "aria-orientation": this.lies ? "horizontal" : "vertical", "aria-valuemin": 0, "aria-valuemax": 100 },
            svg("title", {}, axis.column.label),
            svg("line", { x1: from[0], y1: from[1], x2: to[0], y2: to[1] }),
            ...ticks, ...this.titleOf(axis, number),
            svg("rect", { class: "range" }),
            this.lies
                ? svg("rect", { class: "reach", x: 0, y: from[1] - 20, width: this.width, height: 44 })
                : svg("rect", { class: "reach", x: from[0] - 22, y: to[1] - 8, width: 44, height: from[1] - to[1] + 16 }));
        handle.addEventListener("keydown", event => this.turn(event, axis));
        this.listenToBrush(handle, axis);
        return handle;
    }

    titleOf(axis, number) {
        if (this.lies) return [svg("text", { class: "name", x: 0, y: this.across(number) - 12 }, clippedTo(axis.column.label, Math.floor(this.width / 7.5)))];
        const isFirst = number === 0;
        const isLast = number === this.axes.length - 1;
        const longest = Math.max(...this.axes.map(each => each.column.label.length));
        const staggered = longest * 7.4 > this.pitch - 8;
        const room = Math.max(6, Math.floor(((staggered ? 2 : 1) * this.pitch - 10) / 7.4 / (isFirst || isLast ? 1.3 : 1)));
        const anchor = isFirst ? "start" : isLast ? "end" : "middle";
        const x = isFirst ? 0 : isLast ? this.width : this.across(number);
        return [svg("text", { class: "name", x, y: staggered && number % 2 ? 30 : 13, "text-anchor": anchor }, clippedTo(axis.column.label, room))];
    }

    // ---- What is shown ---------------------------------------------------------------------------------------

    refresh(isPointing) {
        if (!this.lines) return;
        const shown = new Set(this.comparison.shown());
        if (!isPointing) {
            const order = [...this.lines].sort((one, other) => this.comparison.picked.has(one.point) - this.comparison.picked.has(other.point));
            this.layer.replaceChildren(...order.map(line => line.node));
            this.handles.forEach((handle, number) => this.showRange(handle, this.axes[number], number));
        }
        this.layer.classList.toggle("choosing", this.comparison.pointed !== undefined);
        for (const { point, node } of this.lines) {
            const state = `${shown.has(point) ? "" : " out"}${point === this.comparison.pointed ? " chosen" : ""}`;
            node.setAttribute("class", this.comparison.look(point) + state);
        }
        const chosen = this.lines.find(line => line.point === this.comparison.pointed);
        if (chosen) this.layer.append(chosen.node);
    }

    showRange(handle, axis, number) {
        const range = this.comparison.brushes.get(axis);
        const rect = handle.querySelector(".range");
        handle.setAttribute("aria-valuenow", Math.round(100 * (range ? (range[0] + range[1]) / 2 : 0.5)));
        handle.setAttribute("aria-valuetext", range ? axis.between(range) : "all");
        rect.toggleAttribute("hidden", !range);
        if (!range) return;
        const [one, other] = range.map(place => this.along(place));
        const [start, size] = [Math.min(one, other), Math.max(2, Math.abs(one - other))];
        const across = this.across(number) - 8;
        const box = this.lies ? { x: start, y: across, width: size, height: 16 } : { x: across, y: start, width: 16, height: size };
        for (const [name, value] of Object.entries(box)) rect.setAttribute(name, value);
    }

    // ---- What a person does ----------------------------------------------------------------------------------

    turn(event, axis) {
        const range = this.comparison.brushes.get(axis);
        const sign = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (["Escape", "Delete", "Backspace"].includes(event.key)) {
            if (!range) return;
            this.comparison.brush(axis, undefined);
        } else if (!sign) return;
        else if (!range) this.comparison.brush(axis, sign > 0 ? [0.5, 1] : [0, 0.5]);
        else if (event.shiftKey) this.comparison.brush(axis, [range[0], Math.min(1, Math.max(range[0] + STEP, range[1] + sign * STEP))]);
        else {
            const by = sign > 0 ? Math.min(STEP, 1 - range[1]) : -Math.min(STEP, range[0]);
            this.comparison.brush(axis, [range[0] + by, range[1] + by]);
        }
        event.preventDefault();
        event.stopPropagation();
    }

    /** Where a pointer is along an axis, from 0 to 1. */
    placeOf(event) {
        const { left, top } = this.svg.getBoundingClientRect();
        const pixels = this.lies ? event.clientX - left : event.clientY - top;
        return Math.min(1, Math.max(0, (pixels - this.span[0]) / (this.span[1] - this.span[0])));
    }

    listenToBrush(handle, axis) {
        let from;
        handle.addEventListener("pointerdown", event => {
            if (event.button !== 0) return;
            from = this.placeOf(event);
            handle.setPointerCapture(event.pointerId);
        });
        handle.addEventListener("pointermove", event => {
            if (from === undefined) return;
            const to = this.placeOf(event);
            const isLong = Math.abs(to - from) * Math.abs(this.span[1] - this.span[0]) > 5;
            if (isLong) this.comparison.brush(axis, [Math.min(from, to), Math.max(from, to)]);
        });
        handle.addEventListener("pointerup", event => {
            const isClick = from !== undefined && Math.abs(this.placeOf(event) - from) * Math.abs(this.span[1] - this.span[0]) <= 5;
            from = undefined;
            if (isClick) this.comparison.brush(axis, undefined);
        });
        handle.addEventListener("pointercancel", () => { from = undefined; });
    }

    nearest(event) {
        const { left, top } = this.svg.getBoundingClientRect();
        const here = [event.clientX - left, event.clientY - top];
        const shown = new Set(this.comparison.shown());
        let found = { distance: POINT_REACH };
        for (const { point, places } of this.lines ?? []) {
            if (!shown.has(point)) continue;
            for (let at = 1; at < places.length; at += 1) {
                if (!places[at] || !places[at - 1]) continue;
                const distance = distanceTo(here, places[at - 1], places[at]);
                if (distance < found.distance) found = { distance, point };
            }
        }
        return found.point;
    }

    listen() {
        this.svg.addEventListener("pointermove", event => event.target.closest(".axis") || this.comparison.pointAt(this.nearest(event)));
        this.svg.addEventListener("pointerleave", () => this.comparison.pointAt(undefined));
        this.svg.addEventListener("click", event => {
            const point = event.target.closest(".axis") ? undefined : this.nearest(event);
            if (point) this.comparison.pick(point);
        });
    }
}

/** How far a place is from the line between two others. */
function distanceTo([x, y], [x1, y1], [x2, y2]) {
    const length = (x2 - x1) ** 2 + (y2 - y1) ** 2;
    const share = length ? Math.min(1, Math.max(0, ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length)) : 0;
    return Math.hypot(x - x1 - share * (x2 - x1), y - y1 - share * (y2 - y1));
}
