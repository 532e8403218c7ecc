// Jobs side by side, in a dialog.
/** A row of the comparison; none where all of it is empty. */
function comparedRow(label, contents, best) {
    if (contents.every(content => content === "" || content === undefined)) return [];
    const cells = contents.map((content, index) => {
        const isBest = best?.includes(index);
        const marked = isBest ? [el("b", {}, content), el("span", { class: "best" }, " best")] : [content ?? ""];
        return el("td", { dir: "auto" }, ...marked);
    });
    return [el("tr", {}, el("th", { scope: "row" }, label), ...cells)];
}

/** Which of these values are the best, where there is a better direction and they differ. */
function bestOf(values, better) {
    const there = values.filter(value => value !== undefined);
    if (!better || new Set(there).size < 2) return [];
    const best = better === "lower" ? Math.min(...there) : Math.max(...there);
    return values.flatMap((value, index) => (value === best ? [index] : []));
}

// ---- Losses --------------------------------------------------------------------------------------------------

const losses = new Map(); // by id, as loss_scripts.py wrote them

window.quartetLosses = text => {
    const given = JSON.parse(text);
    if (Array.isArray(given.x) && Object.values(given.y).every(Array.isArray)) losses.set(given.id, given);
};

/** The curves of a job's losses, as `overlaidCurves` takes them. */
function lossesOf(job) {
    const { x, y } = losses.get(job.id);
    return { label: callName(job), href: reportOf(job), series: Object.entries(y).map(([name, values]) => ({ name, x, y: values })) };
}

/** Overlay the losses of those jobs that were trained, one plot for each unit. */
async function compareLosses(chosen) {
    const place = byId("curves");
    const trained = chosen.filter(job => job.action === "train");
    place.hidden = trained.length === 0;
    place.replaceChildren();
    await load(trained.filter(job => !losses.has(job.id)).map(job => `${job.id.slice(0, 8)}/${job.id}`));
    const drawn = trained.filter(job => losses.get(job.id)?.x.length);
    for (const unit of new Set(drawn.map(job => lossUnits.get(job.model)))) {
        const runs = drawn.filter(job => lossUnits.get(job.model) === unit).map(lossesOf);
        const frame = el("div");
        place.append(frame);
        overlaidCurves(frame, runs, { title: "Loss by epoch", x: "epoch", y: unit ? `loss, ${unit}` : "loss" });
    }
    const without = trained.filter(job => !drawn.includes(job)).map(callName);
    const thinned = drawn.filter(job => losses.get(job.id).x.length < losses.get(job.id).epochs).map(callName);
    if (without.length) place.append(el("p", { class: "muted small" }, `No losses are known of ${without.join(", ")}.`));
    if (thinned.length) place.append(el("p", { class: "muted small" }, `Of ${thinned.join(", ")} not every epoch is drawn.`));
}

// ---- The table -----------------------------------------------------------------------------------------------

/** What a parameter was set to; "default" where it was not, in a job that has such a parameter. */
function setTo(job, name, among) {
    if (has(job.parameters, name)) return plain(job.parameters[name]);
    return among.some(other => kindOf(other) === kindOf(job) && has(other.parameters, name)) ? "default" : "";
}

function compare() {
    const chosen = chosenJobs();
    const row = (label, text) => comparedRow(label, chosen.map(text));
    const numbers = metricNames(chosen).flatMap(name => {
        const column = metricColumn(name, chosen);
        const best = bestOf(chosen.map(column.value), metric(name, chosen).better);
        return comparedRow(column.label, chosen.map(column.text), best);
    });
    const names = [...new Set(chosen.flatMap(job => Object.keys(job.parameters ?? {})))];
    const parameters = new Map(names.map(name => [name, chosen.map(job => setTo(job, name, chosen))]));
    const differing = names.filter(name => new Set(parameters.get(name)).size > 1);
    const title = chosen.map(job => el("th", { scope: "col" }, jobLink(job), el("bdi", {}, job.name ?? ""), el("span", { class: "id" }, job.id)));
    const group = label => el("tr", { class: "group" }, el("th", { colspan: chosen.length + 1, scope: "rowgroup" }, label));
    byId("beside").replaceChildren(
        el("thead", {}, el("tr", {}, el("td"), ...title)),
        el("tbody", {}, ...row("First figure", picture), ...row("State", badge),
            ...row("Warning", job => job.warning), ...row("Reason", job => job.reason),
            ...row("Submitted (UTC)", FIXED.submitted.text), ...row("Took", FIXED.seconds.text), ...row("Model of", job => job.source)),
        ...(differing.length ? [el("tbody", {}, group("Parameters that differ"), ...differing.flatMap(name => comparedRow(name, parameters.get(name))))] : []),
        ...(numbers.length ? [el("tbody", {}, group("Metrics"), ...numbers)] : []));
    byId("comparison").showModal();
    compareLosses(chosen);
}
