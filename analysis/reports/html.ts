// The page as one HTML file without scripts and without anything from elsewhere, to be opened, mailed or kept as an
// artifact. It shows what the Markdown page shows, and all findings.
import type { Analysis } from "../analyze.ts";
import { type Finding, rankOf } from "../rule.ts";
import { type Summary, sureness } from "../summary.ts";

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const style = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2330;
  background: #fff; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
article { border-left: 4px solid #8a94a6; padding: .2rem 0 .2rem 1rem; margin: 1.2rem 0; }
article.critical, article.high { border-color: #b42318; } article.medium { border-color: #b54708; }
dl { display: grid; grid-template-columns: 5rem 1fr; gap: .1rem .8rem; margin: .4rem 0; } dt { color: #5b6577; }
dd { margin: 0; overflow-wrap: anywhere; } code { font: 13px ui-monospace, monospace; }
@media (prefers-color-scheme: dark) { body { background: #12161d; color: #e3e8f0; } dt { color: #9aa5b8; } }
`;

/** Writes the page. */
export function htmlPage({ findings }: Analysis, summary: Summary): string {
  const above = findings.filter(({ severity }) => rankOf(severity) > 0);
  const infos = findings.filter(({ severity }) => rankOf(severity) === 0);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Orchestration analysis</title>
<style>${style}</style>
</head>
<body>
<h1>Orchestration analysis</h1>
<p><strong>${escaped(summary.verdict)}</strong></p>
${above.map(one).join("\n")}
${drawing(summary.worstPath)}
${infos.length > 0 ? `<h2>Info</h2>\n${infos.map(one).join("\n")}` : ""}
<h2>Not judged</h2>
<ul>
${summary.gaps.map(({ what, because }) => `<li><code>${escaped(what)}</code>: ${escaped(because)}</li>`).join("\n")}
<li>Branch rules, environment protection and run times are not in the repository, so they were not judged.</li>
</ul>
</body>
</html>
`;
}

const one = (finding: Finding): string => {
  const { severity, rule, message, cost, fix, place, known, related = [] } = finding;
  const rows = [
    ["where", `<code>${escaped(place.file)}:${place.line}</code>`],
    ...related.map((each) => [
      "",
      `${escaped(each.message)}: <code>${escaped(each.place.file)}:${each.place.line}</code>`,
    ]),
    ["costs", escaped(cost)],
    ["fix", escaped(fix)],
    ["rule", `${rule}; ${escaped(sureness(known))}`],
  ];
  return `<article class="${severity}"><p><strong>${severity}</strong> ${escaped(message)}</p>
<dl>${rows.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join("")}</dl></article>`;
};

/** Draws a path as boxes with arrows. */
function drawing(path: readonly string[]): string {
  if (path.length < 2) return "";
  const width = 190;
  const boxes = path.map((name, at) => {
    const x = at * width;
    const arrow = at === 0 ? "" : `<path d="M${x - 28} 24h20m-6 -5l6 5l-6 5" fill="none" stroke="currentColor"/>`;
    return `${arrow}<rect x="${x}" y="4" width="150" height="40" rx="6" fill="none" stroke="currentColor"/><text x="${
      x + 75
    }" y="28" text-anchor="middle" font-size="11" fill="currentColor">${escaped(name.slice(0, 26))}</text>`;
  });
  const said = escaped(path.join(", then "));
  const size = `0 0 ${path.length * width - 38} 48`;
  return `<h2>Worst path</h2>\n<svg viewBox="${size}" role="img" aria-label="${said}">${boxes.join("")}</svg>`;
}
