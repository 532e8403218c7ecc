// Puts a comparison into its page: curves, parallel coordinates, small plots, importance and the table.

const MOST_WITH_TRAINING = 12; // runs whose training losses are drawn at first

/** The loss curves, one plot for each unit. */
function lossPlots(comparison, frame) {
    const runs = comparison.runs.filter(run => run.losses);
    frame.closest("section").hidden = runs.length === 0;
    const isMany = runs.length > MOST_WITH_TRAINING;
    const plots = [...new Set(runs.map(run => run.unit))].map(unit => {
        const drawn = runs.filter(run => run.unit === unit);
        const curves = drawn.map(run => ({ label: run.label, href: run.href, run, series: Object.entries(run.losses.y).map(([name, y]) => ({ name, x: run.losses.x, y })) }));
        const names = new Set(curves.flatMap(curve => curve.series.map(series => series.name)));
        const place = el("div");
        frame.append(place);
        const plot = overlaidCurves(place, curves, {
            title: "Loss by epoch", x: "epoch", y: unit ? `loss, ${unit}` : "loss", table: false,
            look: number => comparison.look(drawn[number].point),
            point: curve => comparison.pointAt(curve?.run.point),
            off: isMany && names.has("validation") ? ["training"] : [],
        });
        return { plot, curves };
    });
    if (runs.some(run => run.losses.thinned)) frame.append(el("p", { class: "muted small" }, "Of long runs not every epoch is drawn."));
    return isPointing => {
        const shown = isPointing ? undefined : new Set(comparison.shown());
        for (const { plot, curves } of plots) {
            if (shown) plot.only(curves.filter(curve => shown.has(curve.run.point)));
            else if (plot.here?.curve.run.run.point !== comparison.pointed) {
                plot.emphasise(curves.filter(curve => curve.run.point === comparison.pointed));
            }
        }
    };
}

/** A status line with what is filtered, pointed at and selected. */
function statusOf(comparison) {
    const { points, goal, brushes, pointed } = comparison;
    const filters = [...brushes].map(([axis, range]) => `${axis.column.label} ${axis.between(range)}`);
    const left = filters.length ? `${filters.join("; ")}: ${comparison.shown().length} of ${counted(points.length, "point")}. ` : "";
    if (!pointed) return left;
    const values = [...(goal ? [goal] : []), ...comparison.parameters].map(column => `${column.label} ${comparison.text(pointed, column)}`);
    return `${left}${pointed.label}: ${values.join(", ")}`;
}

window.quartetCompare = text => {
    const data = JSON.parse(text);
    const comparison = new Comparison(data);
    const importance = new Map(Object.entries(data.importance ?? {}));
    const losses = lossPlots(comparison, byId("losses"));
    const parallel = new ParallelPlot(comparison, byId("parallel"));
    byId("parallel").closest("section").hidden = parallel.axes.length < 2 || comparison.points.length < 2;
    const byImportance = [...comparison.parameters].sort((one, other) => (importance.get(other.key) ?? 0) - (importance.get(one.key) ?? 0));
    const scatters = comparison.goal && comparison.points.length > 1 ? byImportance.map(column => new ScatterPlot(comparison, column, importance.get(column.key))) : [];
    byId("scatters").append(...scatters.map(scatter => scatter.node));
    byId("scatters").closest("section").hidden = scatters.length === 0;
    const table = new ComparisonTable(comparison, byId("table"), byId("columns"));
    for (const scatter of scatters) scatter.draw();
    parallel.draw();
    const refresh = changed => {
        parallel.refresh(!changed.has("brush") && !changed.has("pick"));
        for (const scatter of scatters) scatter.refresh();
        table.refresh();
        byId("status").textContent = statusOf(comparison);
        byId("unbrush").disabled = comparison.brushes.size === 0;
        byId("unpick").disabled = comparison.picked.size === 0;
        byId("none").hidden = comparison.shown().length > 0;
    };
    comparison.on(refresh);
    comparison.on(changed => losses(!changed.has("brush") && !changed.has("pick")));
    byId("unbrush").addEventListener("click", () => comparison.clearBrushes());
    byId("unpick").addEventListener("click", () => comparison.clearPicked());
    refresh(new Set(["brush"]));
    document.documentElement.dataset.loaded = "";
};
