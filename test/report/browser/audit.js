// Runs inside the browser and lists what is wrong with the layout of a report: main.ts sends it into the page as the
// text of a function that ends by calling `audit`.
/** @type {string[]} */
const wrong = [];
/** @type {(selector: string, within?: ParentNode) => Element[]} */
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
/** @param {Element} element */
const textOf = (element) => (element.textContent ?? "").trim();
/** @param {Element} element */
const named = (element) => {
  const look = `${element.tagName.toLowerCase()}.${element.getAttribute("class") ?? ""}`;
  return `${look} "${textOf(element).slice(0, 40)}"`;
};
/** @param {Element} element */
const isShown = (element) => element.getClientRects().length > 0;

/** @param {Element} element */
const checkFit = (element) => {
  const { left, right, width, height } = element.getBoundingClientRect();
  if (left < 0 || right > innerWidth + 0.5)
    wrong.push(`${named(element)} reaches from ${left} to ${right} of ${innerWidth}`);
  if (textOf(element) !== "" && (width < 4 || height < 8)) wrong.push(`${named(element)} is ${width} by ${height}`);
  if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0)
    wrong.push(`${named(element)} holds more than it shows`);
};

/** @type {(a: DOMRect, b: DOMRect) => boolean} */
const overlap = (a, b) =>
  a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5;
/** @param {Element} charts */
const checkCharts = (charts) => {
  const texts = all(".badges .badge, .tick, .label, .key, .axis span, figcaption b, .note", charts).map((element) => ({
    element,
    box: element.getBoundingClientRect(),
  }));
  for (const [index, one] of texts.entries()) {
    for (const other of texts.slice(index + 1))
      if (overlap(one.box, other.box)) wrong.push(`${named(one.element)} covers ${named(other.element)}`);
  }
  const ends = all(".plot", charts)
    .map((plot) => plot.getBoundingClientRect())
    .map(({ left, right }) => `${left} ${right}`);
  if (new Set(ends).size !== 1) wrong.push(`the charts do not share one time axis: ${ends.join(", ")}`);
};

/** @param {Element} curve */
const checkCurve = (curve) => {
  const plot = curve.closest(".plot")?.getBoundingClientRect();
  if (plot === undefined) {
    wrong.push(`${named(curve)} is in no chart`);
    return;
  }
  const box = curve.getBoundingClientRect();
  const isInside =
    box.left >= plot.left - 3 &&
    box.right <= plot.right + 3 &&
    box.top >= plot.top - 3 &&
    box.bottom <= plot.bottom + 3;
  if (!isInside) wrong.push(`${named(curve)} leaves its chart`);
};

// The contrast of text to its background, by the rule of WCAG: 4.5 to 1.
/** @param {string} colour */
const channels = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
const shares = [0.2126, 0.7152, 0.0722];
/** @param {string} colour */
const light = (colour) =>
  channels(colour)
    .slice(0, 3)
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * (shares[index] ?? 0), 0);
/** @type {(element: Element | null) => string} */
const groundOf = (element) => {
  if (element === null) return "rgb(255,255,255)";
  const colour = getComputedStyle(element).backgroundColor;
  return channels(colour)[3] === 0 ? groundOf(element.parentElement) : colour;
};
/** @param {Element} element */
const checkContrast = (element) => {
  const both = [light(getComputedStyle(element).color), light(groundOf(element))];
  const [low, high] = [Math.min(...both), Math.max(...both)];
  const contrast = (high + 0.05) / (low + 0.05);
  if (contrast < 4.5) wrong.push(`${named(element)} has a contrast of ${contrast.toFixed(2)}`);
};

// biome-ignore lint/correctness/noUnusedVariables: main.ts appends the call
function audit() {
  if (document.documentElement.scrollWidth > innerWidth)
    wrong.push(`the page is ${document.documentElement.scrollWidth} wide and the window ${innerWidth}`);
  all("h1, h2, h3, p, dt, dd, th, td, summary, label, .badge, .tick, .label, .key, .axis span")
    .filter(isShown)
    .forEach(checkFit);
  all(".charts").forEach(checkCharts);
  all(".curve").forEach(checkCurve);
  all("h1, p, dt, dd, th, td, .badge, .tick, .label, .key, time").filter(isShown).forEach(checkContrast);
  const rows = () => all(".journal tbody tr").filter(isShown).length;
  const box = /** @type {HTMLInputElement} */ (document.querySelector(".journal input"));
  const before = rows();
  box.click();
  const facts = rows();
  if (facts < before) wrong.push("the box hides facts");
  box.click();
  return {
    wrong: [...new Set(wrong)],
    charts: all(".chart").length,
    curves: all(".curve").length,
    badges: all(".badges .badge").length,
    facts,
  };
}
