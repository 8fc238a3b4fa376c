// Looks at a report from inside the browser and lists what is wrong with how it is laid out. It is one expression, a function that is sent into
// the page as a text, and knows the page's classes alone.
() => {
  const wrong = [];
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const named = (element) =>
    `${element.tagName.toLowerCase()}.${element.getAttribute("class") ?? ""} "${element.textContent.trim().slice(0, 40)}"`;
  const isShown = (element) => element.getClientRects().length > 0;
  if (document.documentElement.scrollWidth > innerWidth)
    wrong.push(`the page is ${document.documentElement.scrollWidth} wide and the window ${innerWidth}`);
  for (const element of all(
    "h1, h2, h3, p, dt, dd, th, td, summary, label, .badge, .tick, .label, .key, .axis span",
  ).filter(isShown)) {
    const { left, right, width, height } = element.getBoundingClientRect();
    if (left < 0 || right > innerWidth + 0.5)
      wrong.push(`${named(element)} reaches from ${left} to ${right} of ${innerWidth}`);
    if (element.textContent.trim() !== "" && (width < 4 || height < 8))
      wrong.push(`${named(element)} is ${width} by ${height}`);
    if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0)
      wrong.push(`${named(element)} holds more than it shows`);
  }
  const overlap = (a, b) =>
    a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5;
  for (const charts of all(".charts")) {
    const texts = all(".badges .badge, .tick, .label, .key, .axis span, figcaption b, .note", charts).map(
      (element) => ({ element, box: element.getBoundingClientRect() }),
    );
    for (const [index, one] of texts.entries()) {
      for (const other of texts.slice(index + 1))
        if (overlap(one.box, other.box)) wrong.push(`${named(one.element)} covers ${named(other.element)}`);
    }
    const ends = all(".plot", charts)
      .map((plot) => plot.getBoundingClientRect())
      .map(({ left, right }) => `${left} ${right}`);
    if (new Set(ends).size !== 1) wrong.push(`the charts do not share one time axis: ${ends.join(", ")}`);
  }
  for (const curve of all(".curve")) {
    const plot = curve.closest(".plot").getBoundingClientRect();
    const box = curve.getBoundingClientRect();
    if (
      box.left < plot.left - 3 ||
      box.right > plot.right + 3 ||
      box.top < plot.top - 3 ||
      box.bottom > plot.bottom + 3
    )
      wrong.push(`${named(curve)} leaves its chart`);
  }
  // Text against its own ground, by the rule of WCAG: 4.5 to 1.
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (colour) =>
    channels(colour)
      .slice(0, 3)
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
      .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const groundOf = (element) =>
    element === null
      ? "rgb(255,255,255)"
      : channels(getComputedStyle(element).backgroundColor)[3] === 0
        ? groundOf(element.parentElement)
        : getComputedStyle(element).backgroundColor;
  for (const element of all("h1, p, dt, dd, th, td, .badge, .tick, .label, .key, time").filter(isShown)) {
    const [low, high] = [light(getComputedStyle(element).color), light(groundOf(element))].sort(
      (one, other) => one - other,
    );
    if ((high + 0.05) / (low + 0.05) < 4.5)
      wrong.push(`${named(element)} has a contrast of ${((high + 0.05) / (low + 0.05)).toFixed(2)}`);
  }
  const rows = () => all(".journal tbody tr").filter(isShown).length;
  const box = document.querySelector(".journal input");
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
};
