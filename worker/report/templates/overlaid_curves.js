// Overlaid curves: those of several runs in one plot, over a table of their last values, which is its legend.
//
//   overlaidCurves(container, runs, options)
//     container  an element; what is in it goes, and the plot becomes as wide as it is.
//     runs       [{ label, href, series: [{ name, x: [numbers], y: [numbers] }] }]; a value that is no finite number
//                leaves a gap. A click or Enter opens a run's `href`, where it has one.
//     options    { title, x, y }: what the plot shows, and what is along its axes, such as "epoch". Where the page has
//                a table of its own: { table: false, look: number => class (with `front`: over others), point: run => {}, off: [series] }, for how
//                a run looks now, what to do when a person points at one or none, and which series are not drawn at
//                first.
//
// Each run has a colour and dashes of its own, each series a thickness. Dragging over the plot enlarges a part of it, as
// do its buttons and the keys + - 0. Returns the plot: `draw()` draws it anew after looks have changed, `only(runs)` draws
// some of its runs, `emphasise(runs)` lets some stand out, `chooseRun(run)` points at one. Needs nodes.js, axes.js, curve_zoom.js
// and overlaid_curves.css.
const COLOURS = 6; // of overlaid_curves.css
const DASHES = 5;
const THICKNESSES = 2;
const MOST_MARKED = 30; // points of a curve that are marked one by one
const REACH = 48; // pixels around a curve within which it is meant
const MOST_CURVES_MARKED = 24; // so many drawn curves have marked points
const LARGEST = 1e300; // a difference of two can be computed
const EDGE = { top: 26, right: 12, bottom: 44 };

function overlaidCurves(container, runs, options) {
    const plot = new CurvePlot(runs, options);
    const table = options.table === false ? [] : [plot.table()];
    container.replaceChildren(el("div", { class: "curves" }, plot.switches(), plot.frame, plot.zoom.buttons(), plot.values, ...table));
    plot.draw();
    new ResizeObserver(() => plot.frame.clientWidth !== plot.width && plot.draw()).observe(plot.frame);
    return plot;
}

const runLook = number => `run-${number % COLOURS} dash-${number % DASHES}`;
const swatch = look => el("span", { class: "swatch", "aria-hidden": "true" },
    svg("svg", { class: look, width: "100%", height: 12 }, svg("path", { d: "M0 6H42" })));
/** Four digits of a value; all of a whole number along the axis. */
const fourDigits = value => formatted(value, Math.abs(value) >= 1e-4 ? Math.max(0, 3 - Math.floor(Math.log10(Math.abs(value)))) : undefined);
const exactly = value => (Number.isInteger(value) ? formatted(value, 0) : fourDigits(value));
const lastOf = points => points[points.length - 1];
const lowestOf = points => points.reduce((lowest, point) => (point.y < lowest.y ? point : lowest), points[0]);

class CurvePlot {
    constructor(runs, { title, x, y, look, point, off = [], table }) {
        Object.assign(this, { runs, title, labels: { x, y }, isLog: false, hidden: new Set(off), here: undefined });
        this.lookOf = look ?? runLook;
        this.pointed = point ?? (() => {});
        this.drawnRuns = new Set(runs);
        this.names = [...new Set(runs.flatMap(run => run.series.map(series => series.name)))];
        this.curves = runs.flatMap((run, number) => run.series.map(({ name, x: along, y: values }) => {
            const all = Array.from(along, (value, index) => ({ x: value, y: values[index] }));
            const points = all.map((point, index) => ({ ...point, index })).filter(point => this.isNumber(point));
            return { run, number, name, points };
        }));
        const keys = "Left and right arrow keys go along a curve, up and down to the next one; Enter opens its report. Plus and minus enlarge and shrink, 0 shows all.";
        const below = table === false ? "" : " The table below has the last values.";
        this.svg = svg("svg", { tabindex: 0, role: "application", "aria-label": `${title}. ${keys}${below}` });
        this.frame = el("div", { class: "plot" }, this.svg);
        this.values = el("p", { class: "values", role: "status" });
        this.zoom = new CurveZoom(this);
        this.listen();
    }

    isNumber(point) {
        return Number.isFinite(point.x) && Number.isFinite(point.y) && Math.abs(point.x) < LARGEST && Math.abs(point.y) < LARGEST;
    }

    /** What can be seen now: curves with the points that a logarithm leaves. */
    visible() {
        return this.curves
            .filter(curve => this.drawnRuns.has(curve.run) && !this.hidden.has(curve.run) && !this.hidden.has(curve.name))
            .map(curve => ({ ...curve, look: `${this.lookOf(curve.number)} series-${this.names.indexOf(curve.name) % THICKNESSES}`, points: curve.points.filter(point => !this.isLog || point.y > 0) }))
            .filter(curve => curve.points.length > 0);
    }

    // ---- Switches and table ----------------------------------------------------------------------------------

    switchFor(content, isOn, change, label) {
        const box = el("input", { type: "checkbox", "aria-label": label });
        box.checked = isOn;
        box.addEventListener("change", () => {
            change(box.checked);
            this.draw();
        });
        return el("label", {}, box, ...content);
    }

    hide(what) {
        return isShown => (isShown ? this.hidden.delete(what) : this.hidden.add(what));
    }

    switches() {
        const series = this.names.length < 2 ? [] : this.names.map((name, number) =>
            this.switchFor([swatch(`series-${number % THICKNESSES}`), name], !this.hidden.has(name), this.hide(name)));
        const log = this.switchFor(["logarithmic axis"], false, isOn => {
            this.isLog = isOn;
            this.zoom.part = undefined;
        });
        return el("div", { class: "switches", role: "group", "aria-label": `What is drawn of ${this.title}` }, ...series, log);
    }

    table() {
        const heads = ["Run", ...this.names].map(name => el("th", { scope: "col" }, name));
        this.rows = this.runs.map((run, number) => {
            const label = this.switchFor([swatch(`${runLook(number)} series-1`)], true, this.hide(run), `Show ${run.label}`);
            const row = el("tr", {}, el("th", { scope: "row" }, el("div", {}, label, this.link(run))), ...this.names.map(name => this.cell(run, name)));
            for (const kind of ["pointerenter", "focusin"]) row.addEventListener(kind, () => this.chooseRun(run));
            for (const kind of ["pointerleave", "focusout"]) row.addEventListener(kind, () => this.choose(undefined));
            return row;
        });
        return el("table", {}, el("caption", { class: "unseen" }, `${this.title}: last values`),
            el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...this.rows));
    }

    link(run) {
        const label = el("bdi", {}, run.label);
        return run.href ? el("a", { href: run.href }, label) : label;
    }

    cell(run, name) {
        const points = this.curves.find(curve => curve.run === run && curve.name === name)?.points ?? [];
        if (points.length === 0) return el("td", {}, "–");
        const last = lastOf(points);
        const lowest = lowestOf(points);
        const more = lowest.y < last.y ? [" ", el("small", {}, `lowest ${fourDigits(lowest.y)}, ${this.labels.x} ${exactly(lowest.x)}`)] : [];
        return el("td", {}, fourDigits(last.y), ...more);
    }

    /** Draw only these runs. */
    only(runs) {
        this.drawnRuns = new Set(runs);
        this.draw();
    }

    // ---- The plot --------------------------------------------------------------------------------------------

    draw() {
        const width = this.frame.clientWidth;
        this.width = width;
        if (width === 0) return; // not seen yet
        const height = Math.round(Math.min(420, Math.max(250, width * 0.45)));
        const curves = this.visible();
        const points = curves.flatMap(curve => curve.points);
        this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
        this.svg.setAttribute("height", height);
        if (points.length === 0) {
            this.drawn = [];
            this.svg.replaceChildren(svg("text", { x: 0, y: height / 2 }, "There is nothing to draw."));
            this.choose(undefined);
            return;
        }
        const part = this.zoom.here();
        const y = curveAxis(points.map(point => point.y), this.isLog, height / 45, [part.low, part.high]);
        const left = 14 + 7.5 * Math.max(...y.ticks.map(tick => tick.text.length));
        const x = curveAxis(points.map(point => point.x), false, (width - left) / 80, [part.left, part.right]);
        const [right, bottom] = [Math.max(left + 1, width - EDGE.right), height - EDGE.bottom];
        Object.assign(this, { area: { left, right, top: EDGE.top, bottom } });
        this.drawn = curves.map(curve => ({ ...curve, places: curve.points.map(point => ({
            point,
            left: left + x.place(point.x) * (right - left),
            top: bottom - y.place(point.y) * (bottom - EDGE.top),
            share: { x: x.share(point.x), y: y.share(point.y) },
        })) }));
        const grid = y.ticks.map(tick => {
            const top = bottom - y.place(tick.value) * (bottom - EDGE.top);
            return svg("g", {}, svg("line", { x1: left, x2: right, y1: top, y2: top }), svg("text", { x: left - 8, y: top + 4, "text-anchor": "end" }, tick.text));
        });
        const marks = x.ticks.map(tick => svg("text", { x: left + x.place(tick.value) * (right - left), y: bottom + 18, "text-anchor": "middle" }, tick.text));
        const titles = [svg("text", { x: 0, y: 12 }, this.labels.y), svg("text", { x: right, y: height - 6, "text-anchor": "end" }, this.labels.x)];
        this.hit = svg("a", { tabindex: -1 }, svg("rect", { x: left, y: 0, width: right - left, height: bottom }));
        this.marker = svg("g", {});
        this.frameOfDrag = svg("g", {});
        const toFront = [...this.drawn].sort((one, other) => one.look.includes("front") - other.look.includes("front"));
        const inside = toFront.map(curve => this.nodeOf(curve));
        // Only what is enlarged is cut off at the edges: the marks of the whole may reach over them.
        const clipped = this.zoom.part
            ? [svg("svg", { class: "part", x: left, y: EDGE.top, width: right - left, height: bottom - EDGE.top, viewBox: `${left} ${EDGE.top} ${right - left} ${bottom - EDGE.top}` }, ...inside)]
            : inside;
        this.svg.replaceChildren(...grid, ...marks, ...titles, ...clipped, this.marker, this.frameOfDrag, this.hit);
        this.zoom.refresh();
        this.choose(undefined);
    }

    nodeOf(curve) {
        let before;
        const path = curve.places.map(({ point, left, top }) => {
            const isNext = before !== undefined && point.index === before + 1;
            before = point.index;
            return `${isNext ? "L" : "M"}${left.toFixed(1)} ${top.toFixed(1)}`;
        });
        const isMarked = curve.places.length <= MOST_MARKED && this.drawn.length <= MOST_CURVES_MARKED;
        const marked = isMarked || curve.places.length === 1 ? curve.places : [];
        curve.node = svg("g", { class: `curve ${curve.look}` }, svg("path", { d: path.join("") }),
            ...marked.map(({ left, top }) => svg("circle", { cx: left, cy: top, r: curve.look.endsWith("1") ? 3.5 : 2.5 })));
        return curve.node;
    }

    // ---- What is pointed at ----------------------------------------------------------------------------------

    /** Show the values of a run at a point of one of its curves, or of none. */
    choose(here) {
        const before = this.here?.curve.run;
        this.here = here;
        if (before !== here?.curve.run) this.pointed(here?.curve.run);
        this.svg.classList.toggle("choosing", here !== undefined);
        this.rows?.forEach((row, number) => row.classList.toggle("chosen", here?.curve.number === number));
        this.drawn?.forEach(curve => curve.node.classList.toggle("chosen", curve.run === here?.curve.run));
        this.marker?.replaceChildren();
        this.hit?.removeAttribute("href");
        if (here === undefined) {
            const isLacking = this.isLog && this.curves.some(curve => curve.points.some(point => point.y <= 0));
            const more = isLacking ? " Values of 0 and less are not drawn." : "";
            this.values.replaceChildren(`Point at a curve, or use the arrow keys, for its values; a click or Enter opens its report. Drag to enlarge a part.${more}`);
            return;
        }
        const { run, look } = here.curve;
        const { point, left, top } = here.curve.places[here.at];
        this.marker.append(svg("g", { class: `here ${look}` }, svg("circle", { cx: left, cy: top, r: 6 })));
        if (run.href) this.hit.setAttribute("href", run.href);
        this.hit.setAttribute("aria-label", run.label);
        const told = this.curves.filter(curve => curve.run === run).flatMap(curve => {
            const found = curve.points.find(each => each.x === point.x);
            return found ? [`${curve.name} ${fourDigits(found.y)}`] : [];
        });
        this.values.replaceChildren(this.link(run), `, ${this.labels.x} ${exactly(point.x)}: ${told.join(", ")}`);
    }

    /** Let some runs stand out, as if one of them were pointed at. */
    emphasise(runs) {
        this.svg.classList.toggle("choosing", runs.length > 0);
        this.drawn?.forEach(curve => curve.node.classList.toggle("chosen", runs.includes(curve.run)));
    }

    chooseRun(run) {
        const curve = this.drawn?.find(each => each.run === run);
        if (curve) this.choose({ curve, at: curve.places.length - 1 });
    }

    chooseNearest(event) {
        const { left, top } = this.svg.getBoundingClientRect();
        let nearest = { distance: REACH };
        for (const curve of this.drawn ?? []) {
            curve.places.forEach((place, at) => {
                if (this.zoom.part && !this.isInside(place)) return;
                const distance = Math.hypot(place.left - event.clientX + left, place.top - event.clientY + top);
                if (distance < nearest.distance) nearest = { distance, curve, at };
            });
        }
        if (nearest.curve !== this.here?.curve || nearest.at !== this.here?.at) this.choose(nearest.curve && nearest);
    }

    isInside({ left, top }) {
        const { area } = this;
        return left >= area.left && left <= area.right && top >= area.top && top <= area.bottom;
    }

    turn(key) {
        if (!this.drawn?.length) return false;
        const here = this.here ?? { curve: this.drawn[0], at: this.drawn[0].places.length - 1 };
        const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
        if (key in steps) {
            const at = Math.min(Math.max(here.at + steps[key], 0), here.curve.places.length - 1);
            this.choose({ curve: here.curve, at });
        } else if (key === "ArrowUp" || key === "ArrowDown") {
            const count = this.drawn.length;
            const curve = this.drawn[(this.drawn.indexOf(here.curve) + (key === "ArrowUp" ? count - 1 : 1)) % count];
            const { x } = here.curve.places[here.at].point;
            const away = curve.places.map(({ point }) => Math.abs(point.x - x));
            this.choose({ curve, at: away.indexOf(Math.min(...away)) });
        } else return false;
        return true;
    }

    listen() {
        let pointer = "mouse";
        for (const kind of ["pointerdown", "pointermove"]) {
            this.svg.addEventListener(kind, event => {
                pointer = event.pointerType;
                if (!this.zoom.isDragging) this.chooseNearest(event);
            });
        }
        this.svg.addEventListener("pointerleave", () => pointer === "mouse" && this.choose(undefined));
        // A finger only shows the values, with the link to the report among them.
        this.svg.addEventListener("click", event => (pointer !== "mouse" || this.zoom.hasEnded) && event.preventDefault());
        this.svg.addEventListener("keydown", event => {
            if (event.ctrlKey || event.metaKey || event.altKey) return;
            if (event.key === "Enter" && this.here?.curve.run.href) location.assign(this.here.curve.run.href);
            else if (this.zoom.turn(event.key) || this.turn(event.key)) event.preventDefault();
        });
    }
}
