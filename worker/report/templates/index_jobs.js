// The jobs, and what is said of them: their metrics and parameters, columns, search and order.
//
// The files index_*.js, after nodes.js and overlaid_curves.js, are one program, written as results/index/gallery.js
// in one function. Every text may be a stranger's: it only ever becomes the text of a node.
const FORMAT = 2;
const PAGE_ROWS = 50;
const MOST_PARAMETERS = 2; // columns, where the jobs are of several kinds
const FEWEST_WITH = 0.5; // share of the jobs that have such a parameter
const MOST_METRICS = 8; // columns
const LONGEST = 120; // characters of a cell
const AT_ONCE = 32; // scripts
const STATES = ["succeeded", "failed", "cancelled", "damaged"];
const WARNED = "with a warning";
const nonce = document.currentScript.nonce;

const jobs = new Map(); // by id
const deleted = new Set(); // ids of jobs that some scripts still hold
const labels = new Map(); // of jobs that were labelled since they were submitted, by id: [tags, note]
const picked = new Set(); // ids
const initial = { q: "", model: "", action: "", state: "", tag: "", sort: "submitted", up: "", page: "" };
const view = { ...initial };
let metrics = new Map(); // of each model, by name: [label, unit, decimals, better]
let lossUnits = new Map(); // of each model that has one
let shown = []; // the jobs that match, sorted
let lacking = 0; // scripts that gave no rows

// ---- Nodes and texts -----------------------------------------------------------------------------------------

const byId = id => document.getElementById(id);
const has = (object, key) => object !== undefined && Object.hasOwn(object, key);

/** The text of a parameter's value. */
const plain = value => (Array.isArray(value) ? value.map(plain).join(", ") : String(value ?? "none"));
const clipped = text => (text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text);
const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
const kindOf = job => (job.model ? `${job.model} ${job.action}` : "unreadable job");
const callName = job => job.name ?? job.id;
const day = id => `${id.slice(0, 4)}-${id.slice(4, 6)}-${id.slice(6, 8)}`;
const submitted = id => `${day(id)} ${id.slice(9, 11)}:${id.slice(11, 13)}`;

// ---- Metrics and parameters ----------------------------------------------------------------------------------

/** What a metric is called, by the first of these jobs' models that has it. */
function metric(name, among) {
    const model = among.find(job => has(job.metrics, name) && has(metrics.get(job.model), name))?.model;
    const [label, unit, digits, better] = model === undefined ? [name] : metrics.get(model)[name];
    return { label, unit, digits, better };
}

function metricText(job, name) {
    if (!has(job.metrics, name)) return "";
    const known = metrics.get(job.model);
    return formatted(job.metrics[name], has(known, name) ? known[name][2] : undefined);
}

/** The names of all metrics that some of these jobs have, each model's in its own order. */
function metricNames(among) {
    const there = new Set();
    const models = new Set();
    for (const job of among) {
        models.add(job.model);
        for (const name in job.metrics) there.add(name);
    }
    const known = [...models].flatMap(model => Object.keys(metrics.get(model) ?? {}));
    return [...new Set([...known, ...there])].filter(name => there.has(name));
}

/** The names of the parameters in which jobs of one kind differ, those that most jobs have first; so many must have it. */
function differingParameters(among, fewest = 1) {
    const sizes = new Map();
    const seen = new Map(); // kind and name -> how many have it, its value, whether there is another
    for (const job of among) {
        const kind = kindOf(job);
        sizes.set(kind, (sizes.get(kind) ?? 0) + 1);
        for (const name in job.parameters) {
            const value = plain(job.parameters[name]);
            const entry = seen.get(`${kind}\n${name}`);
            if (entry === undefined) seen.set(`${kind}\n${name}`, { kind, name, value, count: 1, differs: false });
            else {
                entry.count += 1;
                entry.differs ||= entry.value !== value;
            }
        }
    }
    const counts = new Map();
    for (const { kind, name, count, differs } of seen.values()) {
        if (differs || count < sizes.get(kind)) counts.set(name, (counts.get(name) ?? 0) + count);
    }
    return [...counts].filter(([, count]) => count >= fewest).sort((one, other) => other[1] - one[1]).map(([name]) => name);
}

// ---- Columns -------------------------------------------------------------------------------------------------

const parameterColumn = name => ({
    key: `p:${name}`,
    label: name,
    text: job => clipped(has(job.parameters, name) ? plain(job.parameters[name]) : ""),
    value: job => (has(job.parameters, name) ? job.parameters[name] : undefined),
    up: true,
});

function metricColumn(name, among) {
    const { label, unit, better } = metric(name, among);
    return {
        key: `m:${name}`,
        label: unit ? `${label}, ${unit}` : label,
        text: job => metricText(job, name),
        value: job => (has(job.metrics, name) ? job.metrics[name] : undefined),
        up: better === "lower",
        look: "number",
    };
}

const FIXED = {
    name: { key: "name", label: "Job", value: job => `${kindOf(job)} ${callName(job)}`, up: true },
    state: { key: "state", label: "State", value: job => STATES.indexOf(job.state), up: true },
    submitted: { key: "submitted", label: "Submitted (UTC)", value: job => job.id, text: job => submitted(job.id), look: "time" },
    seconds: { key: "seconds", label: "Took", value: job => job.seconds, text: job => job.took ?? "", look: "number" },
};

const tags = { label: "Tags", text: job => (job.tags ?? []).join(", ") };

const headline = {
    label: "Result",
    look: "result",
    node: job => (job.headline ? [el("b", {}, job.headline[1]), ` ${job.headline[2]}`, el("small", {}, job.headline[0])] : []),
};

/** The columns beside job and state: parameters that differ, results, time. */
function columnsFor(among) {
    const isOneKind = new Set(among.map(kindOf)).size === 1;
    const parameters = isOneKind ? differingParameters(among) : differingParameters(among, FEWEST_WITH * among.length).slice(0, MOST_PARAMETERS);
    const numbers = isOneKind ? metricNames(among).slice(0, MOST_METRICS) : [];
    const sorted = view.sort.slice(2);
    if (view.sort.startsWith("m:") && !numbers.includes(sorted)) numbers.push(sorted);
    if (view.sort.startsWith("p:") && !parameters.includes(sorted)) parameters.push(sorted);
    return [
        ...(numbers.length && isOneKind ? [] : [headline]),
        ...numbers.map(name => metricColumn(name, among)),
        ...parameters.map(parameterColumn),
        ...(among.some(job => job.tags?.length) ? [tags] : []),
        FIXED.submitted,
        FIXED.seconds,
    ];
}

function columnOf(key, among) {
    if (key.startsWith("m:")) return metricColumn(key.slice(2), among);
    if (key.startsWith("p:")) return parameterColumn(key.slice(2));
    return has(FIXED, key) ? FIXED[key] : FIXED.submitted;
}

// ---- Finding and sorting -------------------------------------------------------------------------------------

/** All that a search looks through, once for each job. */
function haystack(job) {
    if (job.haystack === undefined) {
        const given = Object.entries(job.parameters ?? {}).map(([name, value]) => `${name}=${plain(value)}`);
        const texts = [job.id, kindOf(job), job.state, job.name, job.reason, job.warning, job.source, job.note, ...(job.tags ?? []), ...given];
        job.haystack = texts.filter(Boolean).join("\n").toLowerCase();
    }
    return job.haystack;
}

function matching() {
    const words = view.q.toLowerCase().split(/\s+/).filter(Boolean);
    return [...jobs.values()].filter(job =>
        (!view.model || job.model === view.model) && (!view.action || job.action === view.action)
        && (!view.tag || job.tags?.includes(view.tag))
        && (!view.state || (view.state === WARNED ? job.warning : job.state === view.state))
        && words.every(word => haystack(job).includes(word)));
}

const collator = new Intl.Collator("en", { numeric: true });
const areNumbers = (one, other) => typeof one === "number" && typeof other === "number";
const order = (one, other) => (areNumbers(one, other) ? one - other : collator.compare(plain(one), plain(other)));

/** Jobs that lack the value come last, either way; of equals the newest comes first. */
function sorted(list, column) {
    const sign = view.up ? 1 : -1;
    const newestFirst = list.sort((one, other) => (one.id < other.id ? 1 : -1));
    if (column === FIXED.submitted) return view.up ? newestFirst.reverse() : newestFirst;
    const lacks = job => column.value(job) === undefined;
    const having = newestFirst.filter(job => !lacks(job));
    having.sort((one, other) => sign * order(column.value(one), column.value(other)));
    return [...having, ...newestFirst.filter(lacks)];
}
