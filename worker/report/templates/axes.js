// Axes of plots: where a value is along one, and its ticks. Needs nodes.js.
/** An axis for these values, or for a part of it: `place`, where each is, from 0 to 1; `value`, what is there; about `most` ticks. */
function curveAxis(values, isLog, most, part = [0, 1]) {
    let low = values.reduce((one, other) => Math.min(one, other));
    let high = values.reduce((one, other) => Math.max(one, other));
    const isWhole = values.every(Number.isInteger);
    if (low === high) {
        const margin = isWhole ? 1 : Math.abs(low) / 10 || 1;
        [low, high] = isLog ? [low / 2, high * 2] : [low - margin, high + margin];
    }
    const scale = isLog ? Math.log10 : value => value;
    const length = scale(high) - scale(low);
    const share = value => (length > 0 ? 0.02 + (0.96 * (scale(value) - scale(low))) / length : 0.5);
    const value = where => {
        const scaled = scale(low) + ((where - 0.02) / 0.96) * length;
        return isLog ? 10 ** scaled : scaled;
    };
    const isPart = length > 0 && (part[0] > 0 || part[1] < 1);
    const [from, to] = isPart ? [Math.max(low, value(part[0])), Math.min(high, value(part[1]))] : [low, high];
    const ticks = from < to ? (isLog && powersBetween(from, to, most)) || stepsBetween(from, to, most, isWhole) : [];
    return { ticks, share, value, place: each => (share(each) - part[0]) / (part[1] - part[0]) };
}

function stepsBetween(low, high, most, isWhole) {
    const rough = (high - low) / Math.max(2, most);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = Math.max([1, 2, 5, 10].map(times => times * power).find(each => each >= rough), isWhole ? 1 : 0);
    const first = Math.ceil(low / step);
    const digits = Math.min(12, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
    const all = Array.from({ length: Math.ceil(most) + 2 }, (_, index) => (first + index) * step);
    const inside = [...new Set(all)].filter(value => value <= high);
    return (inside.length ? inside : [low]).map(value => ({ value, text: tickText(value, digits) }));
}

/** Powers of ten, or their multiples; nothing where the values are closer together than that. */
function powersBetween(low, high, most) {
    const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
    for (const multiples of [[1], [1, 3], [1, 2, 5]]) {
        const step = Math.max(1, Math.ceil((last - first) / most));
        const powers = Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step);
        const inside = powers.flatMap(power => multiples.map(times => Number(`${times}e${power}`))).filter(value => value >= low && value <= high);
        if (inside.length >= 3) return inside.map(value => ({ value, text: tickText(value, Math.max(0, -Math.floor(Math.log10(value) + 1e-9))) }));
    }
    return undefined;
}

/** As short as it can be: `10⁻⁵` for `1.000 × 10⁻⁵`. */
const tickText = (value, digits) => formatted(value, digits > 6 ? 4 : digits).replace(/0+ ×/, " ×").replace(/\. ×/, " ×").replace(/^1 × /, "");
