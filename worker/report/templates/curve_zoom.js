// The part of overlaid curves that is drawn: by dragging over the plot, by buttons and by keys. Of overlaid_curves.js.
const SHORTEST_DRAG = 6; // pixels
const WHOLE = { left: 0, right: 1, low: 0, high: 1 };

class CurveZoom {
    constructor(plot) {
        Object.assign(this, { plot, part: undefined, drag: undefined, hasEnded: false });
        this.listen();
    }

    /** What is drawn, { left, right, low, high }, each from 0 to 1 along its axis. */
    here() {
        return this.part ?? WHOLE;
    }

    /** Whether something is being dragged over; `hasEnded`, whether the click that comes now ends that. */
    get isDragging() {
        return this.drag?.isLong === true;
    }

    buttons() {
        const button = (label, text, act) => {
            const made = el("button", { type: "button", "aria-label": `${label}: ${this.plot.title}` }, text);
            made.addEventListener("click", act);
            return made;
        };
        this.whole = button("Show all", "Show all", () => this.enlarge(undefined));
        return el("div", { class: "zooms" }, button("Enlarge", "+", () => this.scale(0.5)), button("Shrink", "−", () => this.scale(2)), this.whole);
    }

    refresh() {
        if (this.whole) this.whole.disabled = this.part === undefined;
    }

    /** Draw a part of the whole, or the whole where it is undefined. */
    enlarge(part) {
        this.part = part && part.right - part.left > 1e-6 && part.high - part.low > 1e-6 ? part : undefined;
        this.plot.draw();
    }

    /** Draw half as much, or twice as much, around what is pointed at or the middle of what is drawn. */
    scale(factor) {
        const { left, right, low, high } = this.here();
        const at = this.plot.here;
        const { x, y } = at ? at.curve.places[at.at].share : { x: (left + right) / 2, y: (low + high) / 2 };
        const around = (middle, from, to) => {
            const half = Math.min(0.5, ((to - from) * factor) / 2);
            const start = Math.min(Math.max(middle - half, 0), 1 - 2 * half);
            return [start, start + 2 * half];
        };
        const [across, up] = [around(x, left, right), around(y, low, high)];
        const isWhole = across[1] - across[0] >= 1 && up[1] - up[0] >= 1;
        this.enlarge(isWhole ? undefined : { left: across[0], right: across[1], low: up[0], high: up[1] });
        if (at) this.plot.chooseRun(at.curve.run);
    }

    /** Do what a key says; whether it says anything. */
    turn(key) {
        if (key === "+" || key === "=") this.scale(0.5);
        else if (key === "-") this.scale(2);
        else if (key === "0") this.enlarge(undefined);
        else return false;
        return true;
    }

    // ---- Dragging --------------------------------------------------------------------------------------------

    /** Where a pointer is, or the nearest place within the axes. */
    at(event) {
        const { left, top } = this.plot.svg.getBoundingClientRect();
        const { area } = this.plot;
        return {
            left: Math.min(Math.max(event.clientX - left, area.left), area.right),
            top: Math.min(Math.max(event.clientY - top, area.top), area.bottom),
        };
    }

    listen() {
        const node = this.plot.svg;
        node.addEventListener("dragstart", event => event.preventDefault());
        node.addEventListener("pointerdown", event => {
            this.hasEnded = false;
            if (event.pointerType !== "mouse" || event.button !== 0 || !this.plot.drawn?.length) return;
            this.drag = { from: this.at(event), to: this.at(event), isLong: false };
        });
        node.addEventListener("pointermove", event => this.drag && this.move(event));
        node.addEventListener("pointerup", () => this.end(true));
        node.addEventListener("pointercancel", () => this.end(false));
    }

    move(event) {
        const { from } = this.drag;
        const to = this.at(event);
        const [width, height] = [Math.abs(to.left - from.left), Math.abs(to.top - from.top)];
        this.drag.to = to;
        if (!this.drag.isLong && Math.max(width, height) < SHORTEST_DRAG) return;
        if (!this.drag.isLong) this.plot.svg.setPointerCapture(event.pointerId);
        this.drag.isLong = true;
        this.plot.choose(undefined);
        const frame = svg("rect", { class: "drag", x: Math.min(from.left, to.left), y: Math.min(from.top, to.top), width, height });
        this.plot.frameOfDrag.replaceChildren(frame);
    }

    end(isWanted) {
        const { drag } = this;
        this.drag = undefined;
        if (!drag?.isLong) return;
        this.hasEnded = true;
        this.plot.frameOfDrag.replaceChildren();
        if (!isWanted) return;
        const { area } = this.plot;
        const now = this.here();
        const across = place => now.left + ((place - area.left) / (area.right - area.left)) * (now.right - now.left);
        const up = place => now.low + ((area.bottom - place) / (area.bottom - area.top)) * (now.high - now.low);
        const sorted = (one, other) => [Math.min(one, other), Math.max(one, other)];
        const isThin = Math.abs(drag.to.left - drag.from.left) < SHORTEST_DRAG; // dragged up or down: all of the other axis
        const isFlat = Math.abs(drag.to.top - drag.from.top) < SHORTEST_DRAG;
        const [left, right] = isThin ? [now.left, now.right] : sorted(across(drag.from.left), across(drag.to.left));
        const [low, high] = isFlat ? [now.low, now.high] : sorted(up(drag.from.top), up(drag.to.top));
        this.enlarge({ left, right, low, high });
    }
}
