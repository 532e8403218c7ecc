// The table of jobs and its tools, what a person does with them, and the loading of the jobs.
//
// contents.js names the other scripts, each of which has the rows of one part of the index of jobs. They are loaded
// newest first, and the page is usable from the first one on. The view is kept in the address, so a reload, a
// bookmark and "back" return to it.

// ---- The table -----------------------------------------------------------------------------------------------

function badge(job) {
    const known = STATES.includes(job.state) ? ` ${job.state}` : "";
    return el("span", { class: `badge${known}` }, job.state);
}

function picture(job) {
    if (!job.thumbnail) return el("span", { class: "picture", "aria-hidden": "true" }, (job.model ?? "?")[0]);
    const alt = `First figure of ${kindOf(job)} ${callName(job)}`;
    return el("img", { class: job.opaque ? "picture opaque" : "picture", src: `./${job.id}/figures/thumbnail.png`, loading: "lazy", alt });
}

const reportOf = job => `./${job.id}/${job.model ? "report.html" : ""}`;
const jobLink = job => el("a", { href: reportOf(job) }, kindOf(job));

function jobRow(job, columns) {
    const box = el("input", { type: "checkbox", "data-id": job.id, "aria-label": `Select ${kindOf(job)} ${callName(job)}` });
    box.checked = picked.has(job.id);
    const told = [job.name && el("bdi", {}, job.name), el("span", { class: "id" }, job.id),
        job.note && el("p", { class: "note", dir: "auto" }, job.note)].filter(Boolean);
    const why = [job.warning && el("p", { class: "warning", dir: "auto" }, job.warning),
        job.reason && el("p", { dir: "auto" }, job.reason)].filter(Boolean);
    const cells = columns.map(column => {
        const content = column.node ? column.node(job) : [column.text(job)];
        const isEmpty = content.length === 0 || content[0] === "";
        return el("td", { role: "cell", class: `${column.look ?? ""}${isEmpty ? " none" : ""}`, "data-label": column.label, dir: "auto" }, ...content);
    });
    return el("tr", { role: "row" },
        el("td", { role: "cell", class: "pick" }, el("label", {}, box)),
        el("td", { role: "cell", class: "look" }, picture(job)),
        el("th", { role: "rowheader", scope: "row" }, jobLink(job), ...told),
        el("td", { role: "cell", class: "state" }, badge(job), ...why),
        ...cells);
}

function heading(column) {
    if (!column.key) return el("th", { role: "columnheader", scope: "col" }, column.label);
    const isSorted = column.key === view.sort;
    const direction = view.up ? "ascending" : "descending";
    return el("th", { role: "columnheader", scope: "col", class: column.look, "aria-sort": isSorted && direction },
        el("button", { type: "button", "data-key": column.key }, column.label));
}

function renderTable() {
    const columns = columnsFor(shown);
    const first = PAGE_ROWS * page();
    const focused = document.activeElement.dataset.key;
    const head = el("tr", { role: "row" },
        el("td", { role: "cell" }), el("td", { role: "cell" }), ...[FIXED.name, FIXED.state, ...columns].map(heading));
    const table = byId("jobs");
    table.tHead.replaceChildren(head);
    table.tBodies[0].replaceChildren(...shown.slice(first, first + PAGE_ROWS).map(job => jobRow(job, columns)));
    if (focused) table.tHead.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    byId("none").hidden = shown.length > 0;
    byId("pages").hidden = shown.length <= PAGE_ROWS;
    const last = Math.min(first + PAGE_ROWS, shown.length);
    byId("place").textContent = `${(first + 1).toLocaleString("en")} to ${last.toLocaleString("en")} of ${shown.length.toLocaleString("en")}`;
    byId("previous").setAttribute("aria-disabled", first === 0);
    byId("next").setAttribute("aria-disabled", last === shown.length);
}

const lastPage = () => Math.max(0, Math.ceil(shown.length / PAGE_ROWS) - 1);
const page = () => Math.min(Math.max(0, Math.trunc(Number(view.page)) || 0), lastPage());

// ---- The tools -----------------------------------------------------------------------------------------------

function renderOptions(id, first, values) {
    const options = [["", first], ...values.map(value => (Array.isArray(value) ? value : [value, value]))];
    byId(id).replaceChildren(...options.map(([value, label]) => el("option", { value }, label)));
    byId(id).value = view[id];
}

function renderTools() {
    const all = [...jobs.values()];
    const used = key => [...new Set(all.map(job => job[key]).filter(Boolean))].sort(collator.compare);
    renderOptions("model", "all", used("model"));
    renderOptions("action", "all", used("action"));
    const states = STATES.filter(state => all.some(job => job.state === state));
    renderOptions("state", "all", all.some(job => job.warning) ? [...states, WARNED] : states);
    const tagsUsed = [...new Set(all.flatMap(job => job.tags ?? []))].sort(collator.compare);
    renderOptions("tag", "all", tagsUsed);
    byId("tag").parentElement.hidden = tagsUsed.length === 0;
    const orders = [FIXED.name, FIXED.state, FIXED.seconds, ...metricNames(shown).map(name => metricColumn(name, shown)),
        ...differingParameters(shown).map(parameterColumn)].map(column => [column.key, column.label]);
    renderOptions("sort", FIXED.submitted.label, orders);
    byId("sort").value = view.sort === "submitted" ? "" : view.sort;
    byId("turn").textContent = view.up ? "↑" : "↓";
    byId("turn").setAttribute("aria-label", view.up ? "ascending, turn" : "descending, turn");
    byId("clear").hidden = shown.length === jobs.size;
    if (document.activeElement !== byId("query")) byId("query").value = view.q;
    const total = counted(jobs.size, "job");
    const some = shown.length === jobs.size ? total : `${shown.length.toLocaleString("en")} of ${total}`;
    byId("count").textContent = lacking ? `${some}; ${counted(lacking, "file")} in results/index cannot be read` : some;
}

/** The jobs that were chosen; the address may name some that are not loaded, or no more. */
const chosenJobs = () => [...picked].map(id => jobs.get(id)).filter(Boolean);

function renderSelection() {
    const count = chosenJobs().length;
    byId("selection").hidden = count === 0;
    byId("selected").textContent = `${count} selected`;
    byId("compare").setAttribute("aria-disabled", count < 2);
    byId("compare").textContent = count < 2 ? "Select another to compare" : "Compare";
}

function update() {
    shown = sorted(matching(), columnOf(view.sort, [...jobs.values()]));
    renderTools();
    renderTable();
    renderSelection();
}

// ---- What a person does --------------------------------------------------------------------------------------

function remember() {
    const changed = Object.entries(view).filter(([key, value]) => value !== initial[key]);
    const given = new URLSearchParams(changed);
    if (picked.size) given.set("pick", [...picked].join(","));
    history.replaceState(null, "", `#${given}`);
}

function recall() {
    const given = new URLSearchParams(location.hash.slice(1));
    for (const key of Object.keys(view)) view[key] = given.get(key) ?? initial[key];
    picked.clear();
    for (const id of (given.get("pick") ?? "").split(",").filter(Boolean)) picked.add(id);
}

/** Change the view, from its first page on unless that is what changes. */
function change(what) {
    Object.assign(view, { page: "" }, what);
    update();
    remember();
}

const sortBy = key => change({ sort: key, up: columnOf(key, shown).up ? "1" : "" });

function turnPage(step) {
    const next = page() + step;
    if (next < 0 || next > lastPage()) return;
    change({ page: String(next) });
    byId("gallery").scrollIntoView();
}

function listen() {
    let typing;
    byId("query").addEventListener("input", event => {
        clearTimeout(typing);
        typing = setTimeout(() => change({ q: event.target.value }), jobs.size > 1000 ? 150 : 0);
    });
    for (const id of ["model", "action", "state", "tag"]) byId(id).addEventListener("change", event => change({ [id]: event.target.value }));
    byId("sort").addEventListener("change", event => sortBy(event.target.value || "submitted"));
    byId("turn").addEventListener("click", () => change({ up: view.up ? "" : "1" }));
    byId("clear").addEventListener("click", () => {
        byId("query").value = "";
        byId("query").focus();
        change({ q: "", model: "", action: "", state: "", tag: "" });
    });
    byId("jobs").tHead.addEventListener("click", event => {
        const key = event.target.dataset.key;
        if (key) key === view.sort ? change({ up: view.up ? "" : "1" }) : sortBy(key);
    });
    byId("jobs").tBodies[0].addEventListener("change", event => {
        event.target.checked ? picked.add(event.target.dataset.id) : picked.delete(event.target.dataset.id);
        renderSelection();
        remember();
    });
    byId("previous").addEventListener("click", () => turnPage(-1));
    byId("next").addEventListener("click", () => turnPage(1));
    byId("compare").addEventListener("click", () => chosenJobs().length > 1 && compare());
    byId("release").addEventListener("click", () => {
        picked.clear();
        update();
        remember();
        byId("query").focus();
    });
    byId("close").addEventListener("click", () => byId("comparison").close());
    addEventListener("hashchange", () => { recall(); update(); });
}

// ---- Loading -------------------------------------------------------------------------------------------------

/** Load scripts in their order; resolves once each has run or could not. */
function load(names) {
    return Promise.all(names.map(name => new Promise(resolve => {
        const script = el("script", { src: `./index/${name}.js` });
        script.nonce = nonce;
        script.async = false;
        script.onload = script.onerror = () => {
            script.remove();
            resolve();
        };
        document.head.append(script);
    })));
}

window.quartetDeleted = text => {
    for (const id of JSON.parse(text)) {
        deleted.add(id);
        document.querySelector(`#newest a[href^="./${CSS.escape(id)}/"]`)?.closest("li").remove();
    }
};

window.quartetLabels = text => {
    for (const [id, label] of Object.entries(JSON.parse(text))) if (Array.isArray(label?.[0])) labels.set(id, label);
};

window.quartetRows = text => {
    for (const job of JSON.parse(text)) {
        if (jobs.has(job.id) || deleted.has(job.id)) continue;
        if (labels.has(job.id)) [job.tags, job.note] = labels.get(job.id);
        jobs.set(job.id, job);
    }
    lacking -= 1;
};

window.quartetContents = async text => {
    const contents = JSON.parse(text);
    if (contents.format !== FORMAT) return; // of another version: the list in the page stays
    metrics = new Map(Object.entries(contents.metrics));
    lossUnits = new Map(Object.entries(contents.loss_units));
    const newestFirst = Object.entries(contents.days).sort().reverse();
    const parts = newestFirst.flatMap(([name, count]) => Array.from({ length: count }, (_, index) => `${name}-${count - 1 - index}`));
    recall();
    listen();
    while (parts.length) {
        const some = parts.splice(0, jobs.size ? AT_ONCE : 2); // the first two fill a page
        lacking += some.length; // until each has given its rows
        await load(some);
        if (jobs.size === 0) continue;
        update();
        byId("newest").hidden = true;
        byId("gallery").hidden = false;
    }
    document.documentElement.dataset.loaded = "all";
};

load(["deleted", "labels", "contents"]);
