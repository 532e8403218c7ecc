// Nodes and numbers for the scripts of a page. Every text may be a stranger's: it only ever becomes the text of a node.

/** A new element; an attribute whose value is undefined or false is left out. */
function el(tag, attributes, ...children) {
    return filled(document.createElement(tag), attributes, children);
}

/** The same for an element of SVG. */
function svg(tag, attributes, ...children) {
    return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(made, attributes, children) {
    for (const [name, value] of Object.entries(attributes ?? {})) {
        if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children);
    return made;
}

/** So many decimals of the exact value, a half rounded to the even digit, as Python does; `toFixed` rounds it up. */
function halvesToEven(value, digits) {
    const text = value.toFixed(digits);
    const isHalf = Math.abs(value * 2 ** (digits + 1)) % 2 === 1 && Number(text) !== value;
    return isHalf && Number(text.at(-1)) % 2 ? (Number(text) - Math.sign(value) * 10 ** -digits).toFixed(digits) : text;
}

const withCommas = text => text.replace(/^-?\d+/, whole => whole.replace(/\B(?=(\d{3})+$)/g, ","));

/** A number with so many decimals, or as a power of ten where that would be long or show nothing; as `formatting.number`. */
function formatted(value, digits) {
    const size = Math.abs(value);
    let text;
    if (size >= 1e9 || (size > 0 && size < 10 ** -(digits ?? 4) && !Number.isInteger(value))) {
        const [mantissa, exponent] = value.toExponential(3).split("e");
        text = `${mantissa} × 10`;
        for (const digit of String(Number(exponent))) text += "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(digit)];
    } else if (digits == null) {
        text = value.toLocaleString("en", { maximumSignificantDigits: 4 });
    } else {
        text = withCommas(halvesToEven(value, digits));
    }
    return text.replace("-", "−");
}
