// The page's style: light and dark, narrow and wide, print. No meaning depends on colour alone: curves differ in their
// stroke, facts in their words. All text has a contrast of at least 4.5 to 1.

/** What a kind of work adds to the style. A colour is one of its own or one of the palette, such as `good`. */
export interface KindStyle {
  /** Its own colours, by name. */
  readonly colours: Readonly<Record<string, { readonly light: string; readonly dark: string }>>;
  /** The colour of the head while a stream is in flight. */
  readonly open: string;
  /** How its curves look, by the name that a chart uses. */
  readonly curves: Readonly<Record<string, { readonly colour: string; readonly isDashed?: boolean }>>;
}

/** Gives the page's whole style sheet. */
export const styleSheet = (kind: KindStyle): string => `
${palette(kind)}
${text(kind)}
${charts(kind)}
${tables}
${narrow}
${print}
`;

/** The colours of the tones. */
const tones = {
  light: "--good: #17723b; --bad: #b3261e; --warn: #8a5a00; --person: #6f42a8;",
  dark: "--good: #5fcf8a; --bad: #ff8a80; --warn: #f0b849; --person: #c9a4ff;",
};

function palette({ colours }: KindStyle): string {
  const more = (scheme: "light" | "dark", indent: string) => {
    const own = Object.entries(colours).map(([name, colour]) => `--${name}: ${colour[scheme]};`);
    return `${own.join(`\n${indent}`)} ${tones[scheme]}`;
  };
  return `:root {
  --ground: #fff; --raised: #f5f6f8; --text: #1b1f24; --dim: #57606a; --rule: #d5dae0; ${more("light", "  ")}
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --raised: #1d2127; --text: #e6e9ed; --dim: #9aa4af; --rule: #363d46; ${more("dark", "    ")}
  }
}`;
}

const text = ({ open }: KindStyle): string => `* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
main { max-width: 76rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
header { border-left: .4rem solid var(--tone); padding: .2rem 0 .2rem 1rem; --tone: var(--${open}); }
header.good { --tone: var(--good); }
header.bad { --tone: var(--bad); }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; color: var(--tone); }
h2 { margin: 2rem 0 0; }
h3 { margin: 1.5rem 0 .5rem; font-size: 1.05rem; }
.next, .harm { margin: .4rem 0 .8rem; max-width: 62rem; }
.harm { margin-top: 1.2rem; font-size: 1.05rem; }
.target, .note, dt { color: var(--dim); margin: 0; }
.note { font-size: .87rem; margin-top: .5rem; }
.message { font-size: 1.15rem; margin: .4rem 0 .8rem; max-width: 62rem; }
dl { display: flex; flex-wrap: wrap; gap: .5rem 2.2rem; margin: 0; }
dt { font-size: .8rem; }
dd { margin: 0; }`;

function charts({ curves }: KindStyle): string {
  const looks = Object.entries(curves).map(([name, { colour }]) => `.${name} { --look: var(--${colour}); }`);
  const dashedNames = Object.keys(curves).filter((name) => curves[name]?.isDashed);
  const dashed = (selectorOf: (name: string) => string, rules: string) =>
    dashedNames.length === 0 ? "" : `${dashedNames.map(selectorOf).join(", ")} { ${rules} }`;
  return `.charts { margin-top: 1.5rem; padding: 0 1.6rem 0 4.6rem; }
.badges { position: relative; }
.badges .badge { position: absolute; transform: translateX(-50%); }
.badge {
  display: inline-block; min-width: 1.4rem; padding: 0 .25rem; border-radius: .7rem; background: var(--tone);
  color: var(--ground); font: 600 .75rem/1.4rem system-ui, "DejaVu Sans", sans-serif; text-align: center;
  white-space: nowrap; --tone: var(--dim);
}
.good { --tone: var(--good); }
.bad { --tone: var(--bad); }
.warn { --tone: var(--warn); }
.person { --tone: var(--person); }
figure { margin: 1.1rem 0 0; }
figcaption { margin-bottom: .45rem; font-size: .9rem; }
figcaption b { margin-right: .6rem; }
.key { display: inline-block; margin-right: .8rem; color: var(--look); white-space: nowrap; }
.key i {
  display: inline-block; width: 1.4rem; border-top: .2rem solid var(--look); margin-right: .35rem;
  vertical-align: .25rem;
}
${dashed((name) => `.key.${name} i`, "border-top-style: dashed;")}
${looks.join("\n")}
.plot { position: relative; height: 7.5rem; }
.plot svg { display: block; width: 100%; height: 100%; overflow: visible; }
.plot line, .plot polyline { vector-effect: non-scaling-stroke; fill: none; }
.grid { stroke: var(--rule); stroke-width: 1; }
.mark { stroke: var(--dim); stroke-width: 1; stroke-dasharray: 2 4; }
.limit { stroke: var(--text); stroke-width: 1.5; stroke-dasharray: 8 4; }
.shaded { fill: var(--dim); opacity: .13; }
.curve { stroke: var(--look); stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }
${dashed((name) => `.curve.${name}`, "stroke-dasharray: 6 4; stroke-width: 1.8;")}
.tick {
  position: absolute; right: 100%; margin-right: .5rem; transform: translateY(-50%); color: var(--dim);
  font-size: .78rem; line-height: 1; white-space: nowrap;
}
.label {
  position: absolute; left: .3rem; transform: translateY(-100%); font-size: .78rem; line-height: 1.3;
  padding: 0 .2rem; background: var(--ground);
}
.axis { position: relative; height: 1.4rem; margin-top: .5rem; }
.axis span {
  position: absolute; transform: translateX(-50%); color: var(--dim); font-size: .78rem; white-space: nowrap;
}`;
}

const tables = `table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th { text-align: left; white-space: nowrap; color: var(--dim); font-weight: 600; }
th, td { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
section :is(.good, .bad) td:last-child { color: var(--tone); font-weight: 600; }
td, time { font-variant-numeric: tabular-nums; }
section table td { white-space: nowrap; }
.journal { margin-top: 2rem; }
summary { cursor: pointer; font-size: 1.05rem; font-weight: 600; }
label { display: block; margin: .5rem 0; color: var(--dim); }
.journal td:nth-child(-n+3) { white-space: nowrap; }
.journal :is(.good, .bad, .warn, .person) td:nth-child(3) { color: var(--tone); font-weight: 600; }
.journal tr.dim { display: none; color: var(--dim); }
.journal:has(input:checked) tr.dim { display: table-row; }
.over td { color: var(--person); }`;

const narrow = `@media (max-width: 40rem) {
  main { padding: .75rem; }
  .charts { padding: 0 1rem 0 3.9rem; }
  thead { display: none; }
  section tr, .journal tr { display: grid; border-bottom: 1px solid var(--rule); padding: .3rem 0; }
  td { border: 0; padding: 0 .5rem 0 0; }
  section tr { grid-template-columns: 1fr 1fr; }
  section table td { white-space: normal; }
  figcaption b { display: block; }
  section td::before {
    content: attr(data-name); display: block; font-size: .8rem; font-weight: 400; color: var(--dim);
  }
  .journal tr { grid-template-columns: 2.6rem 9.5rem 1fr; }
  .journal td:nth-child(4), .journal td[colspan] { grid-column: 2 / -1; }
  .journal:has(input:checked) tr.dim { display: grid; }
}`;

const print = `@media print {
  body { font-size: 11px; }
  label { display: none; }
  figure, tr, li, .charts { break-inside: avoid; }
  .plot { height: 5rem; }
  .badge, .shaded { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}`;
